use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches};
use schemas::ServiceKind;
use serde::de::DeserializeOwned;
use tracing::info;

use crate::attendance::Attendance;
use crate::check::check;
use crate::context::ServiceContext;
use crate::exit::run;
use crate::instruments::Instruments;
use crate::settings::{ProcessEnvironment, ServiceArguments, SettingsError, SettingsFile};
use crate::signal::shutdown_signal;
use crate::telemetry::telemetry;

/// A service's own table of the settings.
pub trait ServiceSettings: DeserializeOwned {
    /// Whose they are.
    const SERVICE: ServiceKind;

    /// Refuses values that fit their types and cannot be used all the same.
    fn check(&self) -> Result<(), SettingsError> {
        Ok(())
    }

    /// Reads the service's table and checks it.
    fn read(file: &SettingsFile) -> Result<Self, SettingsError> {
        let settings: Self = file.table(&Self::SERVICE.as_str().replace('-', "_"))?;
        settings.check()?;
        Ok(settings)
    }
}

/// A service that runs. Dropped, it falls silent as in a crash.
pub trait RunningService {
    /// Leaves in order: says so, refuses new work for two heartbeats, finishes what runs for at most `grace`.
    fn leave(self, grace: Duration) -> impl Future<Output = ()> + Send;
}

/// The whole life of a service's process: arguments, settings, telemetry, connection, start, signal, leaving.
/// `program` is its name and `about` what it does, as `--help` says them.
pub fn live<S, R, E, F>(
    program: &'static str,
    about: &'static str,
    start: impl FnOnce(S, ServiceContext) -> F,
) -> ExitCode
where
    S: ServiceSettings,
    R: RunningService,
    E: Error + Send + Sync + 'static,
    F: Future<Output = Result<R, E>>,
{
    let arguments = arguments(program, about);
    run(async move {
        let file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
        // Before anything is connected: who set something wrong is to hear of it at once.
        let settings = S::read(&file)?;
        if arguments.check {
            return Ok(check(&file)?);
        }
        let watching = file.table("telemetry")?;
        telemetry(&watching)?;
        let instruments = Instruments::start(&watching).await?;
        let context = ServiceContext::connect(&file, S::SERVICE, &instruments).await?;
        let attendance = Attendance::begin(&context);
        let service = start(settings, context.clone()).await?;
        attendance.started();
        info!(node = %context.node, instance = %context.instance, "ready");
        let signal = shutdown_signal().await?;
        info!(%signal, "leaving");
        attendance.leaving();
        service.leave(context.grace).await;
        drop(attendance);
        context.traces.finish().await;
        context.bus.close().await;
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    })
}

fn arguments(program: &'static str, about: &'static str) -> ServiceArguments {
    let matches = ServiceArguments::command().name(program).about(about).get_matches();
    ServiceArguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}
