//! `loadgen reproduce`: a published evaluation, on its own data.

mod render;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use command::{OutputArguments, output};
use loadgen::reproduce::{Data, LeftOut, Published, Reproduction, Wishes, networks_in, reproduce};
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
#[command(
    after_help = "A network needs its pool. Without its testbed file or its limits in a workload file the tables of them are left out, \
                  and the output says which and why; the paper's own limits are drawn again. The exit code is 1 when a published value \
                  does not come out, and when a table of which values were published is left out."
)]
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

/// Re-runs the evaluation, prints it, and fails when a published value does not come out or is not compared.
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
    let problems: Vec<String> = all.iter().flat_map(problems).collect();
    if problems.is_empty() {
        return Ok(());
    }
    bail!(problems.join("; "))
}

/// What of a network does not come out, and what could not be compared with the published values that there are.
fn problems(of: &Reproduction) -> Vec<String> {
    let mut problems = Vec::new();
    if of.failed > 0 {
        let Reproduction { failed, compared, network, .. } = of;
        problems.push(format!("{failed} of {compared} checks of {network} failed: see the rows marked FAIL"));
    }
    for left_out in of.left_out.iter().filter(|left_out| left_out.published) {
        let LeftOut { key, missing, .. } = left_out;
        problems.push(format!("{key} of {} was published and is not compared: {missing}", of.network));
    }
    problems
}

/// Reads a space file.
pub fn read_space(path: &Path) -> anyhow::Result<SpaceFile> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(SpaceFile::parse(&text, &path.display().to_string())?)
}
