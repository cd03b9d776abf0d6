//! `loadgen simulate pool`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use command::{OutputArguments, output};
use loadgen::recording::{RecordedFront, Recording, network_of, read_workload};
use loadgen::reproduce::PAPER_SEED;
use loadgen::simulate::Figures;
use loadgen::simulate::draw::Draw;
use loadgen::simulate::pool::{RecordedRuns, simulate};
use loadgen::{Estimate, Feasible};
use schemas::PolicyName;
use serde::Serialize;

use super::render;
use crate::commands::reproduce::read_space;

/// Which recorded run a request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Outcomes {
    /// One that seed and request decide: policies that choose the same get the same
    Paired,
    /// As the paper's simulation draws it (NumPy's MT19937 and shuffle)
    Numpy,
    /// The mean of all runs
    Mean,
}

/// `loadgen simulate pool`
#[derive(Debug, Args)]
pub struct PoolArguments {
    /// The pool: a CSV file with one row a measured run
    pool: PathBuf,
    /// The requests: those to the network in a trace, or in a workload of the paper (Index,Network,Latency)
    #[arg(long, value_name = "FILE")]
    workload: PathBuf,
    /// The network [default: what stands between simulation_pool_ and .csv]
    #[arg(long)]
    network: Option<String>,
    /// The network's space of configurations [default: that of the paper for its networks, otherwise every combination of
    /// what the pool holds]
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,
    /// The policies [default: all]
    #[arg(long, value_delimiter = ',')]
    policy: Vec<PolicyName>,
    /// Which recorded run a request gets
    #[arg(long, value_enum, default_value_t = Outcomes::Paired)]
    outcomes: Outcomes,
    /// Runs, with seeds from --seed on
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// Seed of the first run
    #[arg(long, default_value_t = PAPER_SEED)]
    seed: u32,
    #[command(flatten)]
    #[allow(missing_docs)]
    output: OutputArguments,
}

/// What every policy achieved.
#[derive(Debug, Serialize)]
pub struct PoolReport {
    /// The file.
    pub pool: String,
    /// The network.
    pub network: String,
    /// Requests of each run.
    pub requests: usize,
    /// Points of the front of the means of every configuration.
    pub front: usize,
    /// The policies.
    pub policies: Vec<PolicyRuns>,
}

/// One policy over all runs.
#[derive(Debug, Serialize)]
pub struct PolicyRuns {
    /// The policy.
    pub policy: PolicyName,
    /// Requests beyond their limit.
    pub missed: Estimate,
    /// Requests within their limit, %.
    pub met_percent: Estimate,
    /// Mean energy of a request, J.
    pub energy: Estimate,
    /// Mean latency, ms.
    pub latency: Estimate,
    /// Requests by side: cloud, split, edge, %.
    pub sides_percent: [Estimate; 3],
    /// Every run.
    pub runs: Vec<Figures>,
}

/// Simulates and prints.
pub fn run(arguments: &PoolArguments) -> anyhow::Result<()> {
    let named = arguments.network.as_deref().or_else(|| network_of(&arguments.pool));
    let network = named.unwrap_or("network").to_owned();
    let space = arguments.space.as_deref().map(read_space).transpose()?;
    let recording = Recording::read(&arguments.pool, &network, space)?;
    let limits = read_workload(&arguments.workload, &network)?;
    let front = RecordedFront::of_means(&recording, (recording.all_cloud()?, recording.all_edge()?));
    let runs = RecordedRuns::of(&recording)?;
    let policies = policies(arguments);
    let mut figures: Vec<Vec<Figures>> = policies.iter().map(|_| Vec::new()).collect();
    for run in 0..arguments.runs {
        let seed = arguments.seed.wrapping_add(run);
        let mut draw = match arguments.outcomes {
            Outcomes::Paired => Draw::Paired { seed: u64::from(seed) },
            Outcomes::Numpy => Draw::numpy(seed),
            Outcomes::Mean => Draw::Mean,
        };
        let outcomes = simulate(&runs, &front, &policies, &limits, &mut draw)?;
        for (own, outcomes) in figures.iter_mut().zip(&outcomes) {
            own.extend(Figures::of(outcomes));
        }
        if arguments.outcomes == Outcomes::Mean {
            // Every further run would be the same.
            break;
        }
    }
    let report = PoolReport {
        pool: arguments.pool.display().to_string(),
        network,
        requests: limits.len(),
        front: front.points().len(),
        policies: policies.iter().zip(figures).map(|(&policy, runs)| of_policy(policy, runs)).collect(),
    };
    output::print(arguments.output.json, &report, render::pool)
}

/// In the paper's order its random numbers fall as in the paper.
fn policies(arguments: &PoolArguments) -> Vec<PolicyName> {
    match (arguments.policy.as_slice(), arguments.outcomes) {
        ([], Outcomes::Numpy) => loadgen::simulate::pool::PAPER_ORDER.to_vec(),
        ([], _) => PolicyName::SIMULATED.to_vec(),
        (named, _) => named.to_vec(),
    }
}

fn of_policy(policy: PolicyName, runs: Vec<Figures>) -> PolicyRuns {
    let over = |range, value: fn(&Figures) -> f64| Estimate::over(range, &runs, value);
    let requests = runs.first().map_or(0.0, |figures| figures.requests as f64);
    PolicyRuns {
        policy,
        missed: over(Feasible::between(0.0, requests), |figures| figures.violations as f64),
        met_percent: over(Feasible::PERCENT, |figures| figures.met_percent),
        energy: over(Feasible::AMOUNT, |figures| figures.energy_mean),
        latency: over(Feasible::AMOUNT, |figures| figures.latency_mean),
        sides_percent: std::array::from_fn(|side| {
            Estimate::over(Feasible::PERCENT, &runs, |figures| figures.sides_percent()[side])
        }),
        runs,
    }
}
