//! The offline phase: measures configurations over the live pipeline and publishes the front.

use std::error::Error;
use std::process::ExitCode;

use chassis::{ProcessEnvironment, ServiceArguments, ServiceContext, SettingsFile};
use clap::Parser;
use schemas::ServiceKind;
use tracing::info;

fn main() -> ExitCode {
    let arguments = ServiceArguments::parse();
    chassis::run(measure(arguments))
}

async fn measure(arguments: ServiceArguments) -> Result<(), Box<dyn Error + Send + Sync>> {
    let file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
    let settings: optimizer::Settings = file.table("optimizer")?;
    settings.check()?;
    chassis::telemetry(&file.table("telemetry")?)?;
    let context = ServiceContext::connect(&file, ServiceKind::Optimizer).await?;
    let optimizer = optimizer::start(settings, context.clone()).await?;
    info!(node = %context.node, "ready");
    let signal = chassis::shutdown_signal().await?;
    info!(%signal, "leaving");
    optimizer.leave(context.grace).await;
    context.bus.close().await;
    Ok(())
}
