use std::error::Error;
use std::process::ExitCode;

use chassis::SettingsError;

/// Runs a command to its end and gives its exit code: 0 done, 1 failed, 64 bad settings (2, wrong usage, is given by
/// the parser of the command line). An error's whole chain is printed once, on standard error.
pub fn run(command: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    chassis::run(async { command.await.map_err(unwrapped) })
}

/// The error as itself where it is one of settings: its kind decides the exit code, and `anyhow` would hide it.
fn unwrapped(error: anyhow::Error) -> Box<dyn Error + Send + Sync> {
    match error.downcast::<SettingsError>() {
        Ok(settings) => settings.into(),
        Err(other) => other.into(),
    }
}
