//! Runs the layers after the cut, in the cloud.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::live(env!("CARGO_BIN_NAME"), env!("CARGO_PKG_DESCRIPTION"), cloud_executor::start)
}
