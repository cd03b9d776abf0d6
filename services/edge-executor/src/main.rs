//! Runs the layers before the cut on the edge, and finishes at home when the cloud does not answer.

use std::error::Error;
use std::process::ExitCode;

use chassis::{ProcessEnvironment, ServiceArguments, ServiceContext, SettingsFile};
use clap::Parser;
use schemas::ServiceKind;
use tracing::info;

fn main() -> ExitCode {
    let arguments = ServiceArguments::parse();
    chassis::run(execute_heads(arguments))
}

async fn execute_heads(arguments: ServiceArguments) -> Result<(), Box<dyn Error + Send + Sync>> {
    let file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
    let settings = file.table("edge_executor")?;
    chassis::telemetry(&file.table("telemetry")?)?;
    let context = ServiceContext::connect(&file, ServiceKind::EdgeExecutor).await?;
    let executor = edge_executor::start(settings, context.clone()).await?;
    info!(node = %context.node, instance = %context.instance, "ready");
    let signal = chassis::shutdown_signal().await?;
    info!(%signal, "leaving");
    executor.leave(context.grace).await;
    context.bus.close().await;
    Ok(())
}
