//! The way in: checks, admits, holds the deadline, answers, writes receipts.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::live(env!("CARGO_BIN_NAME"), env!("CARGO_PKG_DESCRIPTION"), gateway::start)
}
