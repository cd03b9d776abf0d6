//! Reads and sets what the hardware offers, real or emulated, and reads its energy.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::live(env!("CARGO_BIN_NAME"), env!("CARGO_PKG_DESCRIPTION"), tuner::start)
}
