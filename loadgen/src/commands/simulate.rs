//! `loadgen simulate`: the scheduler's core in virtual time.

mod pool;
mod render;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use command::{OutputArguments, output};
use loadgen::LoadgenError;
use loadgen::simulate::system::{self, Scenario};

/// `loadgen simulate`
#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// Requests in sequence, each with the outcome of a recorded run of the configuration that the policy chose
    Pool(pool::PoolArguments),
    /// Many edges and clouds in virtual time, with queues, links, batches and failures, as a scenario declares them
    System(SystemArguments),
    /// Print a scenario to begin with
    Example,
}

/// `loadgen simulate system`
#[derive(Debug, Args)]
pub struct SystemArguments {
    /// The scenario, a TOML file; `loadgen simulate example` prints one
    scenario: PathBuf,
    /// Requests of each run, instead of the scenario's
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    requests: Option<u64>,
    /// Runs of each policy, instead of the scenario's
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: Option<u32>,
    /// Seed of the first run, instead of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Runs side by side [default: the machine's cores]. The results do not depend on it
    #[arg(long)]
    threads: Option<usize>,
    #[command(flatten)]
    #[allow(missing_docs)]
    output: OutputArguments,
}

const EXAMPLE: &str = include_str!("simulate/example.toml");

/// Simulates and prints.
pub fn run(command: &SimulateCommand) -> anyhow::Result<()> {
    match command {
        SimulateCommand::Pool(arguments) => pool::run(arguments),
        SimulateCommand::System(arguments) => run_system(arguments),
        SimulateCommand::Example => output::print(false, &EXAMPLE, |text| text.trim_end().to_owned()),
    }
}

fn run_system(arguments: &SystemArguments) -> anyhow::Result<()> {
    let mut scenario = Scenario::read(&arguments.scenario).map_err(unusable)?;
    scenario.requests = arguments.requests.unwrap_or(scenario.requests);
    scenario.runs = arguments.runs.unwrap_or(scenario.runs);
    scenario.seed = arguments.seed.unwrap_or(scenario.seed);
    let profile = system::profile(&scenario)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let all = scenario.requests * u64::from(scenario.runs) * scenario.policies.len() as u64;
    let bar = output::progress(all, "simulating");
    let threads = arguments.threads.unwrap_or(cores);
    let report = system::simulate(&scenario, &profile, threads, &|arrived| bar.set_position(arrived))?;
    bar.finish_and_clear();
    output::print(arguments.output.json, &report, render::system)
}

/// A scenario that says what cannot be is a bad configuration, and the exit code says so.
fn unusable(error: LoadgenError) -> anyhow::Error {
    match error {
        LoadgenError::Scenario { .. } => {
            chassis::SettingsError::Unusable { setting: "SCENARIO", problem: error.to_string() }.into()
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_scenario() {
        let scenario = Scenario::parse(EXAMPLE).unwrap();
        assert_eq!((scenario.size().edges, scenario.size().clouds), (100, 10));
    }
}
