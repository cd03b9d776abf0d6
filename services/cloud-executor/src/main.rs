//! Runs the layers after the cut, in the cloud.

use std::error::Error;
use std::process::ExitCode;

use chassis::{ProcessEnvironment, ServiceArguments, ServiceContext, SettingsFile};
use clap::Parser;
use schemas::ServiceKind;
use tracing::info;

fn main() -> ExitCode {
    let arguments = ServiceArguments::parse();
    chassis::run(execute_tails(arguments))
}

async fn execute_tails(arguments: ServiceArguments) -> Result<(), Box<dyn Error + Send + Sync>> {
    let file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
    let settings = file.table("cloud_executor")?;
    chassis::telemetry(&file.table("telemetry")?)?;
    let context = ServiceContext::connect(&file, ServiceKind::CloudExecutor).await?;
    let executor = cloud_executor::start(settings, context.clone()).await?;
    info!(node = %context.node, instance = %context.instance, "ready");
    let signal = chassis::shutdown_signal().await?;
    info!(%signal, "leaving");
    executor.leave(context.grace).await;
    context.bus.close().await;
    Ok(())
}
