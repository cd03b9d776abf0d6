//! Runs the layers before the cut on the edge, and finishes at home when the cloud does not answer.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::live(env!("CARGO_BIN_NAME"), env!("CARGO_PKG_DESCRIPTION"), edge_executor::start)
}
