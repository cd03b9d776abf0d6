//! System mode: discrete events in virtual time.
//!
//! A [`Scenario`] declares edges, clouds, links, arrivals and failures; a [`Profile`] says what each configuration takes, from recorded
//! runs or a measured front. Every policy meets the same arrivals, limits, links and failures, several seeds over.
//!
//! A run depends on its scenario, policy and seed alone: runs are spread over threads whole, and their results put in order. Its memory
//! is that of the requests in flight, which the edges' queues bound, and of fixed histograms.

mod cloud;
mod edge;
mod engine;
mod machine;
mod profile;
mod scenario;
mod script;
mod tally;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use schemas::PolicyName;
use serde::Serialize;

pub use profile::Profile;
pub use scenario::{CloudGroup, EdgeGroup, Failures, Network, PresenceSettings, Scenario, Size};
pub use script::{SimulatedAnswer, SimulatedEnd, SimulatedRequest};
pub use tally::RunFigures;

use crate::error::LoadgenError;
use crate::estimate::{Estimate, Feasible};
use crate::recording::Recording;
use crate::trace::TraceRequest;
use engine::Engine;
use script::Script;

/// What a policy achieved over all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyFigures {
    /// The policy.
    pub policy: PolicyName,
    /// Requests within their limit, % of all that arrived.
    pub within_percent: Estimate,
    /// Requests turned away, %.
    pub turned_away_percent: Estimate,
    /// Requests lost with their edge, %.
    pub lost_percent: Estimate,
    /// Answers that the edge finished at home because no cloud executor answered, % of answers.
    pub at_home_percent: Estimate,
    /// Median latency, ms.
    pub latency_p50: Estimate,
    /// 95th percentile, ms.
    pub latency_p95: Estimate,
    /// 99th percentile, ms.
    pub latency_p99: Estimate,
    /// Joules of an answered request on the edge.
    pub edge_energy: Estimate,
    /// In the cloud.
    pub cloud_energy: Estimate,
    /// Both.
    pub energy: Estimate,
    /// Answers by side: cloud, split, edge, %.
    pub sides_percent: [Estimate; 3],
    /// How busy cloud executors were, %.
    pub cloud_busy_percent: Estimate,
    /// Mean tails of a batch.
    pub batch: Estimate,
    /// Against the first policy, run by run: requests within their limit, percentage points.
    pub within_more: Estimate,
    /// Against the first policy, run by run: energy, %.
    pub energy_more_percent: Estimate,
}

/// A scenario's outcome.
#[derive(Debug, Clone, Serialize)]
pub struct SystemReport {
    /// The network.
    pub network: String,
    /// How big the scenario is.
    pub size: Size,
    /// The policies, in the order of the scenario.
    pub policies: Vec<PolicyFigures>,
    /// Every run.
    pub runs: Vec<RunFigures>,
    /// How fast it went; the only part that differs between two simulations of the same scenario.
    pub pace: Pace,
}

/// The simulation's own speed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pace {
    /// Events of all runs.
    pub events: u64,
    /// Wall-clock seconds.
    pub wall_seconds: f64,
    /// Threads that ran side by side.
    pub threads: usize,
    /// Events a second of one thread's time.
    pub events_a_second_a_thread: f64,
}

/// The material that a scenario names.
///
/// # Errors
/// A file that cannot be read or used.
pub fn profile(scenario: &Scenario) -> Result<Profile, LoadgenError> {
    let Network { name, pool, front } = &scenario.network;
    match (pool, front) {
        (Some(pool), _) => Profile::of_recording(&Recording::read(pool, name, None)?),
        (None, Some(front)) => Profile::read_front(front),
        (None, None) => Err(LoadgenError::Scenario {
            path: std::path::PathBuf::new(),
            problem: "network needs a pool or a front".to_owned().into(),
        }),
    }
}

/// Runs every policy with every seed on `threads` threads. `progress` hears how many of all requests have arrived.
///
/// # Errors
/// A scenario whose machines cannot be named.
pub fn simulate(
    scenario: &Scenario,
    profile: &Profile,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<SystemReport, LoadgenError> {
    let began = Instant::now();
    let seeds = (0..scenario.runs).map(|run| scenario.seed.wrapping_add(u64::from(run)));
    let jobs: Vec<(PolicyName, u64)> =
        scenario.policies.iter().flat_map(|&policy| seeds.clone().map(move |seed| (policy, seed))).collect();
    let threads = threads.clamp(1, jobs.len().max(1));
    let (runs, busy) = run_all(scenario, profile, &jobs, threads, progress)?;
    let events: u64 = runs.iter().map(|run| run.events).sum();
    let pace = Pace {
        events,
        wall_seconds: began.elapsed().as_secs_f64(),
        threads,
        events_a_second_a_thread: events as f64 / busy.as_secs_f64().max(1e-9),
    };
    let by_policy: Vec<&[RunFigures]> = runs.chunks(scenario.runs.max(1) as usize).collect();
    let policies = by_policy.iter().map(|own| figures(own, by_policy[0])).collect();
    Ok(SystemReport { network: scenario.network.name.clone(), size: scenario.size(), policies, runs, pace })
}

/// Runs the requests of a trace under one policy, and tells what became of each, in the order in which they ended. The scenario has one
/// edge; its arrivals and limits mean nothing, except that a closed loop has arrivals in a closed loop.
///
/// # Errors
/// A scenario whose machines cannot be named.
pub fn replay(
    scenario: &Scenario,
    profile: &Profile,
    policy: PolicyName,
    seed: u64,
    requests: &[TraceRequest],
    hear: &mut dyn FnMut(SimulatedRequest),
) -> Result<RunFigures, LoadgenError> {
    let script = Script::new(requests, hear);
    Ok(Engine::scripted(scenario, profile, policy, seed, script)?.run(seed, &|_| {}))
}

/// The runs in the order of the jobs, and the time that all threads together took.
fn run_all(
    scenario: &Scenario,
    profile: &Profile,
    jobs: &[(PolicyName, u64)],
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Vec<RunFigures>, Duration), LoadgenError> {
    let next = AtomicUsize::new(0);
    let arrived: Vec<std::sync::atomic::AtomicU64> = jobs.iter().map(|_| Default::default()).collect();
    let tell = |job: usize, requests: u64| {
        arrived[job].store(requests, Ordering::Relaxed);
        progress(arrived.iter().map(|arrived| arrived.load(Ordering::Relaxed)).sum());
    };
    let work = || -> Result<(Vec<(usize, RunFigures)>, Duration), LoadgenError> {
        let (mut done, began) = (Vec::new(), Instant::now());
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            let Some(&(policy, seed)) = jobs.get(job) else { break };
            let engine = Engine::new(scenario, profile, policy, seed)?;
            done.push((job, engine.run(seed, &|requests| tell(job, requests))));
        }
        Ok((done, began.elapsed()))
    };
    let ended: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        // A panic of a worker is ours.
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        started.into_iter().map(join).collect()
    });
    let (mut runs, mut busy) = (Vec::with_capacity(jobs.len()), Duration::ZERO);
    for ended in ended {
        let (done, took) = ended?;
        runs.extend(done);
        busy += took;
    }
    runs.sort_by_key(|(job, _)| *job);
    Ok((runs.into_iter().map(|(_, run)| run).collect(), busy))
}

fn figures(own: &[RunFigures], first: &[RunFigures]) -> PolicyFigures {
    let percent = |value: fn(&RunFigures) -> f64| Estimate::over(Feasible::PERCENT, own, value);
    let amount = |value: fn(&RunFigures) -> f64| Estimate::over(Feasible::AMOUNT, own, value);
    let energy = |run: &RunFigures| run.edge_energy + run.cloud_energy;
    let energy_more = |own: &RunFigures, first: &RunFigures| 100.0 * (energy(own) / energy(first) - 1.0);
    PolicyFigures {
        policy: own[0].policy,
        within_percent: percent(|run| run.within_percent),
        turned_away_percent: percent(|run| run.turned_away_percent),
        lost_percent: percent(|run| run.lost_percent),
        at_home_percent: percent(|run| run.at_home_percent),
        latency_p50: amount(|run| run.latency_p50),
        latency_p95: amount(|run| run.latency_p95),
        latency_p99: amount(|run| run.latency_p99),
        edge_energy: amount(|run| run.edge_energy),
        cloud_energy: amount(|run| run.cloud_energy),
        energy: amount(energy),
        sides_percent: std::array::from_fn(|side| {
            Estimate::over(Feasible::PERCENT, own, |run| run.sides_percent[side])
        }),
        cloud_busy_percent: percent(|run| run.cloud_busy_percent),
        batch: amount(|run| run.batch),
        within_more: Estimate::against(Feasible::POINTS, own, first, |own, first| {
            own.within_percent - first.within_percent
        }),
        energy_more_percent: Estimate::against(Feasible::PERCENT_MORE, own, first, energy_more),
    }
}

#[cfg(test)]
mod tests;
