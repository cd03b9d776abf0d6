//! Splinter's fronts and policies on the paper's pool and workload, against the paper's own.
//!
//! All entrants meet the same requests and, where they choose the same configuration, the same recorded runs; each is run with
//! several seeds, and compared with the paper's seed by seed.

use schemas::{Millis, PolicyName};
use serde::Serialize;

use super::Study;
use crate::error::LoadgenError;
use crate::recording::{RecordedFront, Recording};
use crate::simulate::draw::Draw;
use crate::simulate::figures::Figures;
use crate::simulate::interval::Interval;
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
    pub missed: Interval,
    /// Requests within their limit, %.
    pub met_percent: Interval,
    /// Mean energy of a request, J.
    pub energy: Interval,
    /// Mean latency, ms.
    pub latency: Interval,
    /// How many more requests are missed than by the paper's.
    pub missed_more: Interval,
    /// How much more energy than the paper's, %.
    pub energy_more_percent: Interval,
}

/// Compares on one workload.
///
/// # Errors
/// A recording without energy.
pub fn compare(
    recording: &Recording,
    study: &Study,
    limits: &[Millis],
    seeds: u32,
) -> Result<Comparison, LoadgenError> {
    let runs = RecordedRuns::of(recording)?;
    let budget = study.searched.len();
    let own = RecordedFront::of_means(recording, study.anchors);
    let fronts = [
        (format!("DynaSplit's, single runs of {budget} trials"), study.budget_front.clone()),
        ("the same points at their means".to_owned(), study.budget_front_at_means(recording)),
        ("Splinter's, means of every configuration".to_owned(), own),
    ];
    let mut entrants: Vec<Entrant> = Vec::new();
    let mut paper: Vec<Figures> = Vec::new();
    for (name, front) in fronts {
        let figures = figures_of(&runs, &front, PolicyName::Dynasplit, limits, seeds)?;
        if paper.is_empty() {
            paper.clone_from(&figures);
        }
        entrants.push(entrant(name, &front, PolicyName::Dynasplit, &figures, &paper));
    }
    Ok(Comparison { requests: limits.len(), seeds, entrants })
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
    let over = |value: &dyn Fn(&Figures) -> f64| Interval::of(&own.iter().map(value).collect::<Vec<_>>());
    let against = |value: &dyn Fn(&Figures, &Figures) -> f64| {
        Interval::of(&own.iter().zip(paper).map(|(own, paper)| value(own, paper)).collect::<Vec<_>>())
    };
    Entrant {
        front,
        points: made.points().len(),
        policy,
        missed: over(&|figures| figures.violations as f64),
        met_percent: over(&|figures| figures.met_percent),
        energy: over(&|figures| figures.energy_mean),
        latency: over(&|figures| figures.latency_mean),
        missed_more: against(&|own, paper| own.violations as f64 - paper.violations as f64),
        energy_more_percent: against(&|own, paper| 100.0 * (own.energy_mean / paper.energy_mean - 1.0)),
    }
}
