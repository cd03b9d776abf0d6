//! Chooses, for every request, where to cut the network and how fast the edge runs.

use std::error::Error;
use std::process::ExitCode;

use chassis::{ProcessEnvironment, ServiceArguments, ServiceContext, SettingsFile};
use clap::Parser;
use scheduler::Settings;
use schemas::ServiceKind;
use tracing::info;

fn main() -> ExitCode {
    chassis::run(schedule(ServiceArguments::parse()))
}

async fn schedule(arguments: ServiceArguments) -> Result<(), Box<dyn Error + Send + Sync>> {
    let file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
    let settings: Settings = file.table("scheduler")?;
    chassis::telemetry(&file.table("telemetry")?)?;
    let context = ServiceContext::connect(&file, ServiceKind::Scheduler).await?;
    let (node, bus, grace) = (context.node.clone(), context.bus.clone(), context.grace);
    let scheduler = scheduler::start(settings, context).await?;
    info!(%node, "ready");
    let signal = chassis::shutdown_signal().await?;
    info!(%signal, "leaving");
    scheduler.leave(grace).await;
    bus.close().await;
    Ok(())
}
