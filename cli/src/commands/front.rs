//! `splinter front`: what the optimizer published.

use anyhow::bail;
use schemas::{Front, ModelName};

use crate::arguments::{BrokerArguments, FrontCommand};
use crate::{connection, output, render};

/// Runs one of the front commands.
pub async fn run(command: FrontCommand) -> anyhow::Result<()> {
    match command {
        FrontCommand::Show { model, broker, output } => {
            let fronts = fronts_of(&model, &broker).await?;
            if fronts.is_empty() {
                bail!(
                    "{model} has no front yet: measure one with `splinter optimize --model {model} --images DIR`"
                );
            }
            output::print(output.json, &fronts, |fronts| {
                fronts.iter().map(render::front).collect::<Vec<_>>().join("\n\n")
            })
        }
    }
}

async fn fronts_of(model: &ModelName, broker: &BrokerArguments) -> anyhow::Result<Vec<Front>> {
    let bus = connection::connect(broker, "splinter-front").await?;
    let fronts = bus.watch_fronts().await?;
    let found = fronts.for_model(model).iter().map(|front| Front::clone(front)).collect();
    bus.close().await;
    Ok(found)
}
