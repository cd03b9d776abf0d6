//! Strategies on a recorded pool: how good the front is after how many measurements.
//!
//! Only what the pool holds can be evaluated, its value is the mean of its rows, and evaluating the same again is free: the
//! budget counts distinct configurations. A strategy that ends before a budget keeps what it has.

mod spread;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::Serialize;

pub use spread::Spread;

use crate::error::Error;
use crate::hypervolume::{REFERENCE, hypervolume};
use crate::objectives::{Axis, Objectives, Scale, non_dominated};
use crate::pool::Pool;
use crate::space::Candidate;
use crate::strategy::{Patience, StopRule, Strategy, StrategyName};

/// How often and how far each strategy is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Budgets, as numbers of distinct configurations.
    pub budgets: Vec<usize>,
    /// Runs of each strategy.
    pub seeds: u32,
    /// The first run's seed; the others follow.
    pub first_seed: u64,
    /// Candidates asked for at once: pairs of machines that measure side by side.
    pub batch: usize,
}

/// What all runs of a strategy came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The strategy.
    pub strategy: StrategyName,
    /// At each budget.
    pub at: Vec<AtBudget>,
    /// Evaluations until 99 % of the hypervolume of everything measured.
    pub to_99: Reached,
    /// Until 99.9 %.
    pub to_99_9: Reached,
    /// Until 99 % of that with logarithmic latency and energy.
    pub to_log_99: Reached,
    /// Where the default stop rule would have ended the runs; `None` for a strategy that knows no end, or when it would have
    /// ended none of them.
    pub stop: Option<AtStop>,
    /// Seconds that one run of the strategy took for the greatest budget, evaluations not counted.
    pub own_seconds: Spread,
}

/// What a budget buys; shares of what measuring everything would give, in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtBudget {
    /// Distinct configurations.
    pub evaluations: usize,
    /// Hypervolume.
    pub hypervolume: Spread,
    /// Hypervolume with logarithmic latency and energy.
    pub log_hypervolume: Spread,
    /// Configurations of the exact front that were found.
    pub front_found: Spread,
}

/// Where a stop rule ends the runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtStop {
    /// Runs that it ends within the greatest budget; the others are not counted below.
    pub runs: usize,
    /// Distinct configurations.
    pub evaluations: Spread,
    /// Hypervolume, in per cent of what measuring everything gives.
    pub hypervolume: Spread,
    /// Configurations of the exact front that were found, in per cent.
    pub front_found: Spread,
}

/// Evaluations after which something was reached, over the seeds; `None` where it was not within the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// In half of the runs.
    pub median: Option<usize>,
    /// In nine of ten.
    pub ninetieth: Option<usize>,
}

/// How good what was seen so far is; the same for all runs on a pool.
struct Yardstick<'p> {
    pool: &'p Pool,
    scales: [Scale; 2],
    whole: [f64; 2],
    front: BTreeSet<Candidate>,
}

/// One run: what it had after each evaluation.
#[derive(Debug, Default)]
struct Run {
    /// Linear and logarithmic hypervolume and front found, in per cent.
    after: Vec<[f64; 3]>,
    own_time: Duration,
    /// Evaluations after which the default stop rule would have ended it. The rule changes no choice, so the run with it is
    /// the beginning of the run without it.
    stopped: Option<usize>,
}

/// Runs every strategy with every seed, on all cores.
///
/// # Errors
/// A strategy that cannot search this pool's space.
pub fn compare(pool: &Pool, strategies: &[StrategyName], plan: &Plan) -> Result<Vec<Outcome>, Error> {
    let yardstick = Yardstick::of(pool);
    let jobs: Vec<(StrategyName, u64)> = strategies
        .iter()
        .flat_map(|&strategy| (0..plan.seeds).map(move |run| (strategy, plan.first_seed + u64::from(run))))
        .collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().max(1));
    let run = |worker: usize| -> Result<Vec<(usize, Run)>, Error> {
        let own = jobs.iter().enumerate().skip(worker).step_by(workers);
        own.map(|(place, &(strategy, seed))| Ok((place, yardstick.run(strategy, seed, plan)?))).collect()
    };
    let finished: Vec<Result<Vec<(usize, Run)>, Error>> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..workers).map(|worker| scope.spawn(move || run(worker))).collect();
        // A panic of a worker is ours.
        started
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut runs: Vec<(usize, Run)> = Vec::with_capacity(jobs.len());
    for worker in finished {
        runs.extend(worker?);
    }
    runs.sort_by_key(|(place, _)| *place);
    let runs: Vec<Run> = runs.into_iter().map(|(_, run)| run).collect();
    let of_strategy = runs.chunks(plan.seeds.max(1) as usize);
    Ok(strategies.iter().zip(of_strategy).map(|(&strategy, runs)| outcome(strategy, runs, plan)).collect())
}

impl<'p> Yardstick<'p> {
    fn of(pool: &'p Pool) -> Self {
        let scales = [Axis::Linear, Axis::Logarithmic].map(|axis| Scale::of(pool.objectives(), axis));
        let all: Vec<Objectives> = pool.objectives().collect();
        let all: Vec<Objectives> = non_dominated(&all).into_iter().map(|place| all[place]).collect();
        let whole = std::array::from_fn(|axis| volume(&scales[axis], &all));
        Self { pool, scales, whole, front: pool.front() }
    }

    fn run(&self, strategy: StrategyName, seed: u64, plan: &Plan) -> Result<Run, Error> {
        let began = Instant::now();
        let mut strategy = strategy.build(self.pool.measured(), self.pool.facts(), seed, None)?;
        let mut run = Run { own_time: began.elapsed(), ..Run::default() };
        let greatest = plan.budgets.iter().copied().max().unwrap_or_default();
        let (mut front, mut found) = (Vec::new(), 0);
        let mut patience = Patience::new(StopRule::default());
        while run.after.len() < greatest {
            let began = Instant::now();
            let asked = strategy.ask(plan.batch.max(1));
            run.own_time += began.elapsed();
            if asked.is_empty() {
                break;
            }
            let is_enough = strategy.expected_gain().is_some_and(|gain| patience.is_exhausted_by(gain));
            if run.stopped.is_none() && is_enough {
                run.stopped = Some(run.after.len());
            }
            for candidate in asked {
                self.evaluate(strategy.as_mut(), candidate, &mut run, &mut front, &mut found);
            }
        }
        Ok(run)
    }

    fn evaluate(
        &self,
        strategy: &mut dyn Strategy,
        candidate: Candidate,
        run: &mut Run,
        front: &mut Vec<Objectives>,
        found: &mut usize,
    ) {
        let Some(observation) = self.pool.observation(candidate) else {
            return strategy.failed(candidate);
        };
        let began = Instant::now();
        strategy.tell(candidate, observation);
        run.own_time += began.elapsed();
        add(front, observation.objectives());
        *found += usize::from(self.front.contains(&candidate));
        let share = |axis: usize| 100.0 * volume(&self.scales[axis], front) / self.whole[axis];
        run.after.push([share(0), share(1), 100.0 * *found as f64 / self.front.len() as f64]);
    }
}

/// Adds to a front what none of it dominates, and takes out what the new one does.
fn add(front: &mut Vec<Objectives>, new: Objectives) {
    if !front.iter().any(|known| known.dominates(&new)) {
        front.retain(|known| !new.dominates(known));
        front.push(new);
    }
}

fn volume(scale: &Scale, objectives: &[Objectives]) -> f64 {
    let placed: Vec<[f64; 3]> = objectives.iter().map(|&objectives| scale.place(objectives)).collect();
    hypervolume(&placed, REFERENCE)
}

fn outcome(strategy: StrategyName, runs: &[Run], plan: &Plan) -> Outcome {
    let at = |&evaluations: &usize| {
        let value = |which: usize| {
            let last = |run: &Run| {
                run.after.get(evaluations.max(1) - 1).or(run.after.last()).map_or(0.0, |after| after[which])
            };
            Spread::of(&runs.iter().map(last).collect::<Vec<_>>())
        };
        AtBudget { evaluations, hypervolume: value(0), log_hypervolume: value(1), front_found: value(2) }
    };
    let reached = |which: usize, share: f64| {
        let first =
            |run: &Run| run.after.iter().position(|after| after[which] >= share).map(|place| place + 1);
        reached(runs.iter().map(first).collect())
    };
    let stops: Vec<(usize, &Run)> =
        runs.iter().filter_map(|run| run.stopped.map(|stopped| (stopped, run))).collect();
    let own_seconds: Vec<f64> = runs.iter().map(|run| run.own_time.as_secs_f64()).collect();
    Outcome {
        strategy,
        at: plan.budgets.iter().map(at).collect(),
        to_99: reached(0, 99.0),
        to_99_9: reached(0, 99.9),
        to_log_99: reached(1, 99.0),
        stop: at_stop(&stops),
        own_seconds: Spread::of(&own_seconds),
    }
}

fn at_stop(stops: &[(usize, &Run)]) -> Option<AtStop> {
    let value = |which: usize| {
        let then = |&(stopped, run): &(usize, &Run)| run.after[stopped - 1][which];
        Spread::of(&stops.iter().map(then).collect::<Vec<_>>())
    };
    let evaluations: Vec<f64> = stops.iter().map(|&(stopped, _)| stopped as f64).collect();
    (!stops.is_empty()).then(|| AtStop {
        runs: stops.len(),
        evaluations: Spread::of(&evaluations),
        hypervolume: value(0),
        front_found: value(2),
    })
}

/// By nearest rank; a run that never reached it comes after all others.
fn reached(mut evaluations: Vec<Option<usize>>) -> Reached {
    evaluations.sort_by_key(|evaluations| evaluations.unwrap_or(usize::MAX));
    let at = |share: f64| {
        let rank = (share * evaluations.len() as f64).ceil() as usize;
        evaluations.get(rank.max(1) - 1).copied().flatten()
    };
    Reached { median: at(0.5), ninetieth: at(0.9) }
}

#[cfg(test)]
mod tests;
