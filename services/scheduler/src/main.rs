//! Chooses, for every request, where to cut the network and how fast the edge runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::live(env!("CARGO_BIN_NAME"), env!("CARGO_PKG_DESCRIPTION"), scheduler::start)
}
