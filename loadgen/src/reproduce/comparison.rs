//! Splinter's fronts and policies on the paper's pool and workload, against the paper's own.
//!
//! All entrants meet the same requests and, where they choose the same configuration, the same recorded runs; each is run with
//! several seeds, and compared with the paper's seed by seed.

use schemas::{Millis, PolicyName};
use search::Observation;
use search::pool::facts;
use search::strategy::StrategyName;
use serde::Serialize;

use super::{Study, Wishes};
use crate::error::LoadgenError;
use crate::estimate::{Estimate, Feasible};
use crate::recording::{Choice, PooledSpread, RecordedFront, Recording, Values};
use crate::simulate::draw::Draw;
use crate::simulate::figures::Figures;
use crate::simulate::pool::{RecordedRuns, simulate};

/// The comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Requests of each run.
    pub requests: usize,
    /// Runs of each entrant, with seeds from 1.
    pub seeds: u32,
    /// The entrants, the paper's first.
    pub entrants: Vec<Entrant>,
}

/// A front with a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entrant {
    /// The front, in words.
    pub front: String,
    /// Its points.
    pub points: usize,
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
    /// How many more requests are missed than by the paper's.
    pub missed_more: Estimate,
    /// How much more energy than the paper's, %.
    pub energy_more_percent: Estimate,
}

/// Compares on one workload.
///
/// # Errors
/// A recording without energy, or a space that is too large to be searched.
pub fn compare(
    recording: &Recording,
    study: &Study,
    limits: &[Millis],
    wishes: Wishes,
) -> Result<Comparison, LoadgenError> {
    let runs = RecordedRuns::of(recording)?;
    let budget = study.searched.len();
    let own = RecordedFront::of_means(recording, study.anchors);
    let mut entered = vec![
        (
            format!("DynaSplit's: single runs of {budget} trials"),
            study.budget_front.clone(),
            PolicyName::Dynasplit,
        ),
        (
            "its points at their means".to_owned(),
            study.budget_front_at_means(recording),
            PolicyName::Dynasplit,
        ),
    ];
    if wishes.search {
        let searched = searched(recording, study, budget)?;
        let name = format!("Splinter's search: means of {} configurations", searched.1);
        entered.push((name.clone(), searched.0.clone(), PolicyName::Dynasplit));
        entered.push((name, searched.0, PolicyName::Adaptive));
    }
    let name = format!("Splinter's: means of all {}", recording.configurations().len());
    for policy in [PolicyName::Dynasplit, PolicyName::Adaptive, PolicyName::Oracle] {
        entered.push((name.clone(), own.clone(), policy));
    }
    let (mut entrants, mut paper): (Vec<Entrant>, Vec<Figures>) = (Vec::new(), Vec::new());
    for (name, front, policy) in entered {
        let figures = figures_of(&runs, &front, policy, limits, wishes.seeds)?;
        if paper.is_empty() {
            paper.clone_from(&figures);
        }
        entrants.push(entrant(name, &front, policy, &figures, &paper));
    }
    Ok(Comparison { requests: limits.len(), seeds: wishes.seeds, entrants })
}

/// What Splinter's default search finds with so many measurements on the recording, and how many it made. A measurement is the
/// mean of a configuration's runs; what was never run cannot be measured.
fn searched(
    recording: &Recording,
    study: &Study,
    budget: usize,
) -> Result<(RecordedFront, usize), LoadgenError> {
    let measured = recording.configurations().iter().map(|recorded| recorded.candidate).collect();
    let space = recording.space().clone().restricted(measured)?;
    let facts = facts(&space, recording.rows());
    let mut strategy = StrategyName::default().build(&space, &facts, SEARCH_SEED, None)?;
    let spread = PooledSpread::of(recording);
    let mut choices: Vec<Choice> = Vec::new();
    while choices.len() < budget {
        let asked = strategy.ask(1);
        let Some(&candidate) = asked.first() else { break };
        let Some(configuration) = recording.find(candidate) else {
            strategy.failed(candidate);
            continue;
        };
        let values = Values::of_runs(recording, configuration);
        strategy.tell(candidate, &observation(&values));
        choices.push(Choice { configuration, values: spread.applied(values, recording.side(configuration)) });
    }
    Ok((RecordedFront::non_dominated_of(recording, &choices, study.anchors), choices.len()))
}

const SEARCH_SEED: u64 = 1;

fn observation(values: &Values) -> Observation {
    let Values { latency, energy, accuracy, parts, .. } = *values;
    Observation { latency: latency.mean_ms, energy, accuracy, parts }
}

fn figures_of(
    runs: &RecordedRuns,
    front: &RecordedFront,
    policy: PolicyName,
    limits: &[Millis],
    seeds: u32,
) -> Result<Vec<Figures>, LoadgenError> {
    let mut all = Vec::new();
    for seed in 1..=u64::from(seeds.max(1)) {
        let outcomes = simulate(runs, front, &[policy], limits, &mut Draw::Paired { seed })?;
        all.extend(outcomes.first().and_then(|outcomes| Figures::of(outcomes)));
    }
    Ok(all)
}

fn entrant(
    front: String,
    made: &RecordedFront,
    policy: PolicyName,
    own: &[Figures],
    paper: &[Figures],
) -> Entrant {
    let over = |range, value: fn(&Figures) -> f64| Estimate::over(range, own, value);
    let against = |range, value: fn(&Figures, &Figures) -> f64| Estimate::against(range, own, paper, value);
    let requests = own.first().map_or(0.0, |figures| figures.requests as f64);
    Entrant {
        front,
        points: made.points().len(),
        policy,
        missed: over(Feasible::between(0.0, requests), |figures| figures.violations as f64),
        met_percent: over(Feasible::PERCENT, |figures| figures.met_percent),
        energy: over(Feasible::AMOUNT, |figures| figures.energy_mean),
        latency: over(Feasible::AMOUNT, |figures| figures.latency_mean),
        missed_more: against(Feasible::between(-requests, requests), |own, paper| {
            own.violations as f64 - paper.violations as f64
        }),
        energy_more_percent: against(Feasible::PERCENT_MORE, |own, paper| {
            100.0 * (own.energy_mean / paper.energy_mean - 1.0)
        }),
    }
}
