//! The way in: checks, admits, holds the deadline, answers, writes receipts.

use std::error::Error;
use std::process::ExitCode;

use chassis::{ProcessEnvironment, ServiceArguments, ServiceContext, SettingsFile};
use clap::Parser;
use schemas::ServiceKind;
use tracing::info;

fn main() -> ExitCode {
    let arguments = ServiceArguments::parse();
    chassis::run(receive(arguments))
}

async fn receive(arguments: ServiceArguments) -> Result<(), Box<dyn Error + Send + Sync>> {
    let file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
    let settings: gateway::Settings = file.table("gateway")?;
    settings.check()?;
    chassis::telemetry(&file.table("telemetry")?)?;
    let context = ServiceContext::connect(&file, ServiceKind::Gateway).await?;
    let gateway = gateway::start(settings, context.clone()).await?;
    info!(node = %context.node, http = %gateway.http_address(), "ready");
    let signal = chassis::shutdown_signal().await?;
    info!(%signal, "leaving");
    gateway.leave(context.grace).await;
    context.bus.close().await;
    Ok(())
}
