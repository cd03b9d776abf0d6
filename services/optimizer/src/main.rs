//! The offline phase: measures configurations over the live pipeline and publishes the front.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::live(env!("CARGO_BIN_NAME"), env!("CARGO_PKG_DESCRIPTION"), optimizer::start)
}
