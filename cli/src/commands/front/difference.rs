//! What became of a front from one revision to another. Pure.

use schemas::{Configuration, Front, Joules, Measurement, Millis};
use serde::Serialize;

/// One configuration in two fronts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The configuration.
    pub configuration: Configuration,
    /// Latency before and after, of the quantile that it is judged by.
    pub latency_ms: [Millis; 2],
    /// Joules before and after; `None` where they are not known.
    pub energy_j: Option<[Joules; 2]>,
    /// Whether the latencies' confidence intervals lie apart.
    pub is_beyond_noise: bool,
}

/// What differs between two fronts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The earlier revision.
    pub from: u64,
    /// The later one.
    pub to: u64,
    /// Points of the later one alone.
    pub came: Vec<Measurement>,
    /// Points of the earlier one alone.
    pub went: Vec<Measurement>,
    /// Points of both.
    pub stayed: Vec<Change>,
}

impl Difference {
    /// From an earlier front to a later one.
    pub fn between(before: &Front, after: &Front) -> Self {
        let find = |front: &Front, configuration: &Configuration| {
            front.points.iter().find(|point| point.configuration == *configuration).cloned()
        };
        let alone = |front: &Front, other: &Front| -> Vec<Measurement> {
            let is_alone = |point: &&Measurement| find(other, &point.configuration).is_none();
            front.points.iter().filter(is_alone).cloned().collect()
        };
        let stayed = after
            .points
            .iter()
            .filter_map(|now| Some(change(&find(before, &now.configuration)?, now)))
            .collect();
        Self {
            from: before.revision,
            to: after.revision,
            came: alone(after, before),
            went: alone(before, after),
            stayed,
        }
    }
}

fn change(before: &Measurement, after: &Measurement) -> Change {
    let apart = before
        .uncertainty
        .zip(after.uncertainty)
        .is_some_and(|(before, after)| before.high_ms < after.low_ms || after.high_ms < before.low_ms);
    Change {
        configuration: after.configuration,
        latency_ms: [before.judged_ms(), after.judged_ms()],
        energy_j: before.joules().zip(after.joules()).map(|(before, after)| [before, after]),
        is_beyond_noise: apart,
    }
}
