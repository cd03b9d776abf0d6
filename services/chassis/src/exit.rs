use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::settings::SettingsError;

/// `EX_USAGE` of sysexits: the settings must change before it can start.
const BAD_SETTINGS: u8 = 64;

/// Runs a service or command to its end on a multi-threaded runtime and gives the exit code of DESIGN §12: 0 done,
/// 1 failed, 64 bad settings (2, wrong usage, is given by the command line's parser). An error's whole chain is
/// printed once, on standard error.
pub fn run<E>(main: impl Future<Output = Result<(), E>>) -> ExitCode
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let ended = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let ended = runtime.block_on(main).map_err(Into::into);
            // Blocking work that outlives its service must not hold the process: everything promised is done.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error that cannot be written to leaves nobody to tell.
            let _closed = writeln!(io::stderr().lock(), "error: {}", chain(error.as_ref()));
            ExitCode::from(code(error.as_ref()))
        }
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The error and its causes; a cause that its error already says (a transparent one) is said once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = causes(error).map(ToString::to_string).collect();
    parts.dedup();
    parts.join(": ")
}

fn code(error: &(dyn Error + 'static)) -> u8 {
    let of_broker = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<broker::BrokerError>().is_some_and(broker::BrokerError::is_of_settings)
    };
    if causes(error).any(|cause| cause.is::<SettingsError>() || of_broker(cause)) || matches_inner(error) {
        BAD_SETTINGS
    } else {
        1
    }
}

/// A transparent error forwards its source's source and so hides the settings error itself.
fn matches_inner(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        matches!(
            cause.downcast_ref::<crate::context::ContextError>(),
            Some(crate::context::ContextError::Settings(_))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("it did not start")]
    struct Outer(#[source] SettingsError);

    #[test]
    fn bad_settings_have_their_own_code_wherever_they_are_in_the_chain() {
        let inner = || SettingsError::Unusable { setting: "a.b", problem: "it is wrong".into() };
        assert_eq!(code(&inner()), BAD_SETTINGS);
        assert_eq!(code(&Outer(inner())), BAD_SETTINGS);
        assert_eq!(code(&crate::context::ContextError::Settings(inner())), BAD_SETTINGS);
        assert_eq!(code(&io::Error::other("x")), 1);
        assert_eq!(chain(&Outer(inner())), "it did not start: the setting a.b cannot be used: it is wrong");
    }
}
