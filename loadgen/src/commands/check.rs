//! `loadgen check`: what is wrong with a recorded pool.

mod render;

use std::path::PathBuf;

use clap::Args;
use command::{OutputArguments, output};
use loadgen::check::check;
use loadgen::recording::{network_of, read_workload};

use super::reproduce::read_space;

/// `loadgen check`
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The pool: a CSV file with one row a measured run
    pool: PathBuf,
    /// The network [default: what stands between simulation_pool_ and .csv]
    #[arg(long)]
    network: Option<String>,
    /// The network's space of configurations [default: that of the paper for its networks, otherwise every combination of
    /// what the pool holds]
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,
    /// The requests by which the impact is judged: a workload or trace in the paper's form [default: 10 000, drawn as in
    /// the paper]
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// List every legal configuration that was never run
    #[arg(long)]
    missing: bool,
    /// Fail (exit code 1) when a row contradicts physics, its space or itself
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    output: OutputArguments,
}

/// Checks and prints what was found.
pub fn run(arguments: &CheckArguments) -> anyhow::Result<()> {
    let named = arguments.network.as_deref().or_else(|| network_of(&arguments.pool));
    let network = named.unwrap_or("network").to_owned();
    let space = arguments.space.as_deref().map(read_space).transpose()?;
    let limits = arguments.workload.as_deref().map(|path| read_workload(path, &network)).transpose()?;
    let report = check(&arguments.pool, &network, space, limits)?;
    output::print(arguments.output.json, &report, |report| render::report(report, arguments.missing))?;
    let contradictions = report.findings.iter().filter(|finding| finding.kind.is_contradiction()).count();
    if arguments.strict && contradictions > 0 {
        anyhow::bail!("{contradictions} rows of {} cannot be true", arguments.pool.display());
    }
    Ok(())
}
