//! `loadgen evaluate`: a campaign.

mod render;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use command::{BrokerArguments, OutputArguments, connection, output};
use loadgen::LoadgenError;
use loadgen::campaign::{Campaign, Destination, Progress, live, simulated};
use loadgen::results::Driven;

use super::{made_by, stopping};

/// What a campaign drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum On {
    /// A running system, over NATS
    Live,
    /// The scheduler's own core in virtual time
    Simulator,
}

impl From<On> for Driven {
    fn from(on: On) -> Self {
        match on {
            On::Live => Self::Live,
            On::Simulator => Self::Simulator,
        }
    }
}

/// `loadgen evaluate`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  loadgen evaluate --example > campaign.toml
  loadgen evaluate campaign.toml -o results/ --on simulator
  loadgen evaluate campaign.toml -o results/
  loadgen evaluate campaign.toml -o results/ --resume
  loadgen evaluate results/inputs/campaign.toml -o again/      the same campaign once more

Every trace is cut into blocks, and each block is sent under every policy in turn, in an order drawn from the seed, so that whatever drifts \
hits all alike. Differences are taken request by request against the first policy; 95 % confidence intervals are taken over blocks.")]
pub struct EvaluateArguments {
    /// The campaign, a TOML file
    #[arg(required_unless_present = "example")]
    campaign: Option<PathBuf>,
    /// Print a campaign to begin with
    #[arg(long, exclusive = true)]
    example: bool,
    /// The folder that is made for the results
    #[arg(short = 'o', long, value_name = "DIR", required_unless_present = "example")]
    results: Option<PathBuf>,
    /// What to drive
    #[arg(long, value_enum, default_value_t = On::Live)]
    on: On,
    /// Go on with a results folder that was cut off
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    output: OutputArguments,
}

const EXAMPLE: &str = include_str!("evaluate/example.toml");

/// Runs a campaign to its end and prints what it found.
pub async fn run(arguments: EvaluateArguments) -> anyhow::Result<()> {
    let (Some(file), Some(folder)) = (&arguments.campaign, &arguments.results) else {
        return output::print(false, &EXAMPLE, |text| text.trim_end().to_owned());
    };
    let campaign = Campaign::read(file, arguments.on.into()).map_err(unusable)?;
    let to = Destination { folder: folder.clone(), command: made_by(), resume: arguments.resume };
    let bar = output::progress(0, "evaluating");
    let shown = bar.clone();
    let progress: Progress = Arc::new(move |ended, all| {
        shown.set_length(all);
        shown.set_position(ended);
    });
    let (manifest, summary) = match arguments.on {
        On::Live => {
            let bus = connection::connect(&arguments.broker, "loadgen-evaluate").await?;
            live::evaluate(bus, campaign, &to, &stopping(), progress).await?
        }
        On::Simulator => {
            tokio::task::spawn_blocking(move || simulated::evaluate(campaign, &to, &progress)).await??
        }
    };
    bar.finish_and_clear();
    output::print(arguments.output.json, &summary, |summary| render::summary(summary, &manifest, folder))
}

/// A campaign that says what cannot be done is a bad configuration, and the exit code says so.
fn unusable(error: LoadgenError) -> anyhow::Error {
    match error {
        LoadgenError::Campaign { .. } => {
            chassis::SettingsError::Unusable { setting: "CAMPAIGN", problem: error.to_string() }.into()
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_campaign() {
        let campaign = Campaign::parse(EXAMPLE).unwrap();
        campaign.check(Driven::Live).unwrap();
        campaign.check(Driven::Simulator).unwrap();
    }
}
