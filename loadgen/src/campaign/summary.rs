//! What a campaign found: the figures of each policy, and how it differs from the first one on the same requests.

use std::collections::{BTreeMap, BTreeSet};

use schemas::{ModelName, Place, PolicyName, Share};
use serde::{Deserialize, Serialize};

use crate::error::LoadgenError;
use crate::estimate::{Estimate, Feasible, Method, method};
use crate::recording::Side;
use crate::results::{Ending, Manifest, Origin, Record};

/// `summary.json`. Times in ms, energies in J, shares in per cent; intervals are 95 % confidence intervals over blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// One for each network, trace and link.
    pub cells: Vec<Cell>,
}

/// A network, a trace and a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The network.
    pub model: ModelName,
    /// The trace.
    pub trace: String,
    /// The link; `None` where it was left as it was.
    pub link: Option<String>,
    /// Blocks that the intervals are taken over.
    pub blocks: usize,
    /// How.
    pub method: Method,
    /// The policies, in the campaign's order.
    pub policies: Vec<PolicyFigures>,
}

/// A policy on one network, trace and link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyFigures {
    /// The policy.
    pub policy: PolicyName,
    /// Requests.
    pub requests: usize,
    /// Those with an answer.
    pub answered: usize,
    /// Errors by kind.
    pub failed: BTreeMap<String, usize>,
    /// Answered within the limit, % of all requests.
    pub within_percent: Estimate,
    /// Mean latency of the answered ones; `None` when none was.
    pub latency_mean: Option<Estimate>,
    /// Median.
    pub latency_p50: Option<Estimate>,
    /// 95th percentile.
    pub latency_p95: Option<Estimate>,
    /// 99th percentile.
    pub latency_p99: Option<Estimate>,
    /// Mean joules of an answered request; `None` when any has none.
    pub energy: Option<Estimate>,
    /// The same by place.
    pub energy_by_place: BTreeMap<Place, f64>,
    /// Where the joules come from.
    pub energy_origins: BTreeSet<Origin>,
    /// Right labels, or what is known of the configurations' accuracy, in % of the answers of which it is known.
    pub accuracy_percent: Option<Estimate>,
    /// Answers by side: cloud, split, edge, in %; `None` where it is not known of all.
    pub sides_percent: Option<[f64; 3]>,
    /// Against the first policy, request by request; `None` for the first itself.
    pub difference: Option<Difference>,
}

/// A policy less the first one, over the requests that both have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Pairs of requests.
    pub pairs: usize,
    /// Requests within their limit, percentage points.
    pub within_points: Estimate,
    /// Mean latency of the pairs that were both answered, ms.
    pub latency_mean: Option<Estimate>,
    /// The 95th percentiles' difference, ms.
    pub latency_p95: Option<Estimate>,
    /// Mean joules of the pairs of which both are known.
    pub energy: Option<Estimate>,
    /// The same in % of the first policy's.
    pub energy_percent: Option<Estimate>,
    /// Accuracy, percentage points.
    pub accuracy_points: Option<Estimate>,
}

/// What of a record counts.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    within: bool,
    latency: Option<f64>,
    energy: Option<f64>,
    accuracy: Option<f64>,
}

type CellKey = (ModelName, String, Option<String>);
/// Round and block.
type BlockKey = (u32, u32);
/// A block's rows by request.
type Block = BTreeMap<u64, Row>;

/// The rows of one policy in one cell, and what needs no pairs.
#[derive(Debug, Default)]
struct Rows {
    blocks: BTreeMap<BlockKey, Block>,
    failed: BTreeMap<String, usize>,
    joules: BTreeMap<Place, f64>,
    origins: BTreeSet<Origin>,
    sides: [usize; 3],
    without_side: usize,
}

impl Summary {
    /// Sums up the records of a campaign. Those that warmed up count for nothing.
    ///
    /// # Errors
    /// The first record that cannot be read.
    pub fn of(
        manifest: &Manifest,
        records: impl IntoIterator<Item = Result<Record, LoadgenError>>,
    ) -> Result<Self, LoadgenError> {
        let mut rows: BTreeMap<CellKey, BTreeMap<usize, Rows>> = BTreeMap::new();
        for record in records {
            let record = record?;
            if record.warm_up {
                continue;
            }
            let place = manifest.policies.iter().position(|policy| *policy == record.key.policy);
            let cell = (record.model.clone(), record.key.trace.clone(), record.key.link.clone());
            let policies = rows.entry(cell).or_default();
            policies.entry(place.unwrap_or(manifest.policies.len())).or_default().add(&record);
        }
        let cells = rows.into_iter().map(|(key, policies)| cell(manifest, key, &policies)).collect();
        Ok(Self { cells })
    }
}

impl Rows {
    fn add(&mut self, record: &Record) {
        if let Ending::Failed { fault, .. } = &record.outcome {
            *self.failed.entry(fault.as_str().to_owned()).or_default() += 1;
        }
        let answer = record.answer.as_ref();
        let right = |correct: bool| if correct { 1.0 } else { 0.0 };
        let row = Row {
            within: record.is_within(),
            latency: answer.map(|_| record.latency_ms.get()),
            energy: answer.and_then(|answer| answer.joules()).map(schemas::Joules::get),
            accuracy: answer.and_then(|answer| answer.correct.map(right).or(answer.accuracy.map(Share::get))),
        };
        if let Some(answer) = answer {
            for entry in &answer.energy {
                *self.joules.entry(entry.place).or_default() += entry.joules.get();
                self.origins.insert(entry.origin);
            }
            match answer.side {
                Some(Side::Cloud) => self.sides[0] += 1,
                Some(Side::Split) => self.sides[1] += 1,
                Some(Side::Edge) => self.sides[2] += 1,
                None => self.without_side += 1,
            }
        }
        let block = (record.key.round, record.key.block);
        self.blocks.entry(block).or_default().insert(record.request, row);
    }
}

fn cell(manifest: &Manifest, (model, trace, link): CellKey, policies: &BTreeMap<usize, Rows>) -> Cell {
    let first = policies.get(&0);
    let blocks = policies.values().map(|rows| rows.blocks.len()).max().unwrap_or_default();
    let figures = policies.iter().filter_map(|(place, rows)| {
        let policy = *manifest.policies.get(*place)?;
        let first = first.filter(|_| *place > 0);
        Some(figures(policy, rows, first, manifest.seed))
    });
    Cell { model, trace, link, blocks, method: method(blocks), policies: figures.collect() }
}

fn figures(policy: PolicyName, rows: &Rows, first: Option<&Rows>, seed: u64) -> PolicyFigures {
    let blocks: Vec<&Block> = rows.blocks.values().collect();
    let all = || blocks.iter().flat_map(|block| block.values());
    let (requests, answered) = (all().count(), all().filter(|row| row.latency.is_some()).count());
    let mean = |range, value: fn(&Row) -> Option<f64>| {
        Estimate::of_mean(range, &blocks, seed, |drawn| {
            mean_of(drawn.iter().flat_map(|block| block.values()).filter_map(value))
        })
    };
    let latency = |quantile: f64| {
        Estimate::of_any(&blocks, seed, |drawn| {
            let latencies = drawn.iter().flat_map(|block| block.values()).filter_map(|row| row.latency);
            quantile_of(latencies.collect(), quantile)
        })
    };
    let known = all().all(|row| row.latency.is_none() || row.energy.is_some());
    let within = mean(Feasible::PERCENT, |row| Some(if row.within { 100.0 } else { 0.0 }));
    PolicyFigures {
        policy,
        requests,
        answered,
        failed: rows.failed.clone(),
        within_percent: within.unwrap_or(Estimate { value: 0.0, low: None, high: None }),
        latency_mean: mean(Feasible::AMOUNT, |row| row.latency),
        latency_p50: latency(0.5),
        latency_p95: latency(0.95),
        latency_p99: latency(0.99),
        energy: mean(Feasible::AMOUNT, |row| row.energy).filter(|_| known),
        energy_by_place: rows
            .joules
            .iter()
            .filter(|_| known)
            .map(|(place, joules)| (*place, joules / answered.max(1) as f64))
            .collect(),
        energy_origins: rows.origins.clone(),
        accuracy_percent: mean(Feasible::PERCENT, |row| row.accuracy.map(|accuracy| accuracy * 100.0)),
        sides_percent: (answered > 0 && rows.without_side == 0)
            .then(|| rows.sides.map(|side| 100.0 * side as f64 / answered as f64)),
        difference: first.map(|first| difference(rows, first, seed)),
    }
}

/// A request under a policy and under the first one.
type Pair = (Row, Row);

fn difference(own: &Rows, first: &Rows, seed: u64) -> Difference {
    let pairs = |(key, block): (&BlockKey, &Block)| {
        let other = first.blocks.get(key)?;
        let both = block.iter().filter_map(|(request, row)| Some((*row, *other.get(request)?)));
        Some(both.collect::<Vec<Pair>>()).filter(|pairs| !pairs.is_empty())
    };
    let blocks: Vec<Vec<Pair>> = own.blocks.iter().filter_map(pairs).collect();
    let mean = |range, value: fn(&Pair) -> Option<f64>| {
        Estimate::of_mean(range, &blocks, seed, |drawn| {
            mean_of(drawn.iter().flat_map(|block| block.iter()).filter_map(value))
        })
    };
    let energy = |(own, first): &Pair| own.energy.zip(first.energy);
    let within = mean(Feasible::POINTS, |(own, first)| {
        Some(100.0 * (f64::from(own.within) - f64::from(first.within)))
    });
    Difference {
        pairs: blocks.iter().map(Vec::len).sum(),
        within_points: within.unwrap_or(Estimate { value: 0.0, low: None, high: None }),
        latency_mean: mean(Feasible::ANY, |(own, first)| {
            own.latency.zip(first.latency).map(|(own, first)| own - first)
        }),
        latency_p95: Estimate::of_any(&blocks, seed, |drawn| {
            let pairs = || drawn.iter().flat_map(|block| block.iter());
            let own = quantile_of(pairs().filter_map(|(own, _)| own.latency).collect(), 0.95)?;
            Some(own - quantile_of(pairs().filter_map(|(_, first)| first.latency).collect(), 0.95)?)
        }),
        energy: mean(Feasible::ANY, |(own, first)| {
            own.energy.zip(first.energy).map(|(own, first)| own - first)
        }),
        energy_percent: Estimate::of_mean(Feasible::PERCENT_MORE, &blocks, seed, |drawn| {
            let known = || drawn.iter().flat_map(|block| block.iter()).filter_map(energy);
            let sum: f64 = known().map(|(_, first)| first).sum();
            (sum > 0.0).then(|| 100.0 * (known().map(|(own, _)| own).sum::<f64>() / sum - 1.0))
        }),
        accuracy_points: mean(Feasible::POINTS, |(own, first)| {
            own.accuracy.zip(first.accuracy).map(|(own, first)| 100.0 * (own - first))
        }),
    }
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u64);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

/// By nearest rank.
fn quantile_of(mut values: Vec<f64>, quantile: f64) -> Option<f64> {
    let rank = ((quantile * values.len() as f64).ceil() as usize).max(1) - 1;
    if rank >= values.len() {
        return None;
    }
    let (_, value, _) = values.select_nth_unstable_by(rank, f64::total_cmp);
    Some(*value)
}

#[cfg(test)]
mod tests;
