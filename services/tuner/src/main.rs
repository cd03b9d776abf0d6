//! Reads and sets what the hardware offers, real or emulated, and reads its energy.

use std::error::Error;
use std::process::ExitCode;

use chassis::{ProcessEnvironment, ServiceArguments, ServiceContext, SettingsFile};
use clap::Parser;
use schemas::ServiceKind;
use tracing::info;
use tuner::Settings;

fn main() -> ExitCode {
    chassis::run(tune(ServiceArguments::parse()))
}

async fn tune(arguments: ServiceArguments) -> Result<(), Box<dyn Error + Send + Sync>> {
    let file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
    let settings: Settings = file.table("tuner")?;
    settings.check()?;
    chassis::telemetry(&file.table("telemetry")?)?;
    let context = ServiceContext::connect(&file, ServiceKind::Tuner).await?;
    let (node, bus, grace) = (context.node.clone(), context.bus.clone(), context.grace);
    let tuner = tuner::start(settings, context).await?;
    info!(%node, "ready");
    let signal = chassis::shutdown_signal().await?;
    info!(%signal, "leaving");
    tuner.leave(grace).await;
    bus.close().await;
    Ok(())
}
