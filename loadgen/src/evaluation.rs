//! One row of figures from the records of one policy.

use std::collections::BTreeSet;

use schemas::{Cut, EnergySource, Joules, Millis, PolicyName, Share, nearest_rank};
use serde::Serialize;

use crate::replay::Record;

/// The shares of answered requests by where they ran. They add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shares {
    /// Everything in the cloud.
    pub cloud: Share,
    /// Cut between the two.
    pub split: Share,
    /// Everything on the edge.
    pub edge: Share,
}

/// The mean joules of an answered request, and where the numbers come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnergyFigure {
    /// Mean over the answered requests.
    pub mean_j: Joules,
    /// Every source that contributed.
    pub sources: BTreeSet<EnergySource>,
}

/// What a policy achieved on a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The policy.
    pub policy: PolicyName,
    /// Requests sent.
    pub requests: usize,
    /// Requests answered with a result.
    pub answered: usize,
    /// Median latency of the answered ones, as the gateway measured it; `None` when none was answered.
    pub latency_p50_ms: Option<Millis>,
    /// 95th percentile, by nearest rank.
    pub latency_p95_ms: Option<Millis>,
    /// Answered within the limit / sent: an error is a missed limit.
    pub within: Share,
    /// `None` when any answered request has no joules: an unknown part is not zero.
    pub energy: Option<EnergyFigure>,
    /// Where the answered ones ran; `None` when none was answered.
    pub shares: Option<Shares>,
    /// Right labels / answered requests whose picture has a label; `None` when there is none.
    pub accuracy: Option<Share>,
}

impl Evaluation {
    /// Sums up the records of one policy. `last_cut` is the network's cut with everything on the edge.
    pub fn of(policy: PolicyName, records: &[Record], last_cut: Cut) -> Self {
        let replies: Vec<_> = records.iter().filter_map(|record| record.outcome.as_ref().ok()).collect();
        let mut latencies: Vec<Millis> = replies.iter().map(|reply| reply.latency_ms).collect();
        latencies.sort_by(|a, b| a.get().total_cmp(&b.get()));
        let within = replies.iter().filter(|reply| reply.within_limit).count();
        let ran = |wanted: fn(Cut, Cut) -> bool| {
            share(
                replies.iter().filter(|reply| wanted(reply.configuration.cut, last_cut)).count(),
                replies.len(),
            )
        };
        let shares = (!replies.is_empty()).then(|| Shares {
            cloud: ran(|cut, _| cut == Cut::ALL_CLOUD),
            split: ran(|cut, last| cut != Cut::ALL_CLOUD && cut != last),
            edge: ran(|cut, last| cut == last),
        });
        Self {
            policy,
            requests: records.len(),
            answered: replies.len(),
            latency_p50_ms: nearest_rank(&latencies, 0.5),
            latency_p95_ms: nearest_rank(&latencies, 0.95),
            within: share(within, records.len()),
            energy: energy(records),
            shares,
            accuracy: accuracy(records),
        }
    }
}

fn share(part: usize, whole: usize) -> Share {
    if whole == 0 { Share::ZERO } else { Share::saturating(part as f64 / whole as f64) }
}

fn energy(records: &[Record]) -> Option<EnergyFigure> {
    let replies = records.iter().filter_map(|record| record.outcome.as_ref().ok());
    let (mut total, mut count, mut sources) = (Joules::ZERO, 0, BTreeSet::new());
    for reply in replies {
        total += schemas::total_joules(&reply.energy)?;
        sources.extend(reply.energy.iter().map(|entry| entry.source));
        count += 1;
    }
    (count > 0).then(|| EnergyFigure { mean_j: total * (1.0 / f64::from(count)), sources })
}

fn accuracy(records: &[Record]) -> Option<Share> {
    let judged: Vec<bool> = records
        .iter()
        .filter_map(|record| {
            let reply = record.outcome.as_ref().ok()?;
            let class = record.class?;
            Some(reply.top.first().is_some_and(|best| best.index == class))
        })
        .collect();
    (!judged.is_empty()).then(|| share(judged.iter().filter(|right| **right).count(), judged.len()))
}

#[cfg(test)]
mod tests;
