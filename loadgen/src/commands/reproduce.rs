//! `loadgen reproduce`: a published evaluation, on its own data.

mod render;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use command::{OutputArguments, output};
use loadgen::reproduce::{Data, Published, Reproduction, Wishes, networks_in, reproduce};
use search::space::SpaceFile;

/// `loadgen reproduce`
#[derive(Debug, Subcommand)]
pub enum ReproduceCommand {
    /// The DynaSplit paper: its fronts, its simulation bit for bit, every published value beside ours, then Splinter on the
    /// same requests
    Dynasplit(DynasplitArguments),
}

/// `loadgen reproduce dynasplit`
#[derive(Debug, Args)]
pub struct DynasplitArguments {
    /// The folder with the paper's data: simulation_pool_NETWORK.csv, testbed_NETWORK.csv, workload_50_samples.csv and
    /// workload_10000_samples.csv; published values of other networks from reference_NETWORK.json
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Only this network [default: every network of which the folder holds a pool]
    #[arg(long)]
    network: Option<String>,
    /// The network's space of configurations [default: that of the paper for its networks, otherwise every combination of
    /// what the pool holds]
    #[arg(long, value_name = "FILE", requires = "network")]
    space: Option<PathBuf>,
    /// Draws over which Splinter is compared with the paper
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: u32,
    /// Leave out Splinter's own search with the paper's budget, which takes some seconds
    #[arg(long)]
    no_search: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    output: OutputArguments,
}

/// Re-runs the evaluation, prints it, and fails when a published value does not come out.
pub fn run(command: &ReproduceCommand) -> anyhow::Result<()> {
    let ReproduceCommand::Dynasplit(arguments) = command;
    let networks = match &arguments.network {
        Some(network) => vec![network.clone()],
        None => networks_in(&arguments.data)?,
    };
    let mut all = Vec::new();
    for network in networks {
        let space = arguments.space.as_deref().map(read_space).transpose()?;
        let data = Data::read(&arguments.data, &network, space)?;
        let published = Published::for_network(&arguments.data, &network)?;
        let wishes = Wishes { seeds: arguments.seeds, search: !arguments.no_search };
        all.push(reproduce(&data, &published, wishes)?);
    }
    output::print(arguments.output.json, &all, |all| {
        all.iter().map(render::reproduction).collect::<Vec<_>>().join("\n\n")
    })?;
    let failed = |reproduction: &&Reproduction| reproduction.failed > 0;
    let failed: Vec<String> = all
        .iter()
        .filter(failed)
        .map(|r| format!("{} of {} checks of {}", r.failed, r.compared, r.network))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{} failed: see the rows marked FAIL", failed.join(", "))
}

/// Reads a space file.
pub fn read_space(path: &Path) -> anyhow::Result<SpaceFile> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(SpaceFile::parse(&text, &path.display().to_string())?)
}
