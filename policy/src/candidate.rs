//! One measured configuration, as decisions look at it.

use std::cmp::Ordering;

use schemas::{
    Configuration, Cut, Joules, LatencySummary, Measurement, Millis, Place, PlanReason, Share, Stage,
    joules_at,
};

use crate::decision::{Decision, Point};

/// The 95th percentile of a normal distribution lies so many standard deviations above its mean.
pub(crate) const P95_DEVIATIONS: f64 = 1.644_853_6;

/// What is known of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub point: Point,
    pub configuration: Configuration,
    pub latency_ms: Millis,
    pub energy_j: Option<Joules>,
    pub accuracy: Option<Share>,
    pub parts: Parts,
}

/// What latency and energy are made of, in milliseconds and joules, as measured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts {
    /// Whether something runs in the cloud.
    pub uses_cloud: bool,
    /// Computing on the edge.
    pub edge_ms: f64,
    /// On the wire, both ways.
    pub wire_ms: f64,
    /// Computing in the cloud.
    pub cloud_ms: f64,
    /// The rest of the mean latency: messages, waiting while it was measured; and all of it where no stages are known.
    pub other_ms: f64,
    /// Sent to the cloud.
    pub bytes: f64,
    /// Spread of the latency as one standard deviation; from the 95th percentile where that says more.
    pub deviation_ms: f64,
    pub edge_j: f64,
    pub wire_j: f64,
    pub cloud_j: f64,
}

impl Candidate {
    pub(crate) fn new(point: Point, measurement: &Measurement, last_cut: Cut) -> Self {
        Self {
            point,
            configuration: measurement.configuration,
            latency_ms: measurement.latency.mean_ms,
            energy_j: measurement.joules(),
            accuracy: measurement.accuracy.map(|accuracy| accuracy.share),
            parts: Parts::of(measurement, last_cut),
        }
    }

    /// The decision for this one by what the front says of it.
    pub(crate) fn decision(&self, reason: PlanReason) -> Decision {
        Decision {
            point: self.point,
            configuration: self.configuration,
            cloud: None,
            latency_ms: self.latency_ms,
            energy_j: self.energy_j,
            reason,
        }
    }

    /// The paper's order (by energy, then accuracy), extended to unknown values as [`crate::front`] says.
    pub(crate) fn in_order(&self, other: &Self) -> Ordering {
        let by_energy = match (self.energy_j, other.energy_j) {
            (Some(own), Some(others)) => own.get().total_cmp(&others.get()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.latency_ms.get().total_cmp(&other.latency_ms.get()),
        };
        // An unknown accuracy counts as less than none right.
        let accuracy = |point: &Self| point.accuracy.map_or(-1.0, Share::get);
        by_energy.then_with(|| accuracy(other).total_cmp(&accuracy(self)))
    }
}

impl Parts {
    fn of(measurement: &Measurement, last_cut: Cut) -> Self {
        let mean_ms = measurement.latency.mean_ms.get();
        let time = |place: Place, counts: fn(Stage) -> bool| -> f64 {
            let stages = measurement.stages.iter();
            let counted = stages.filter(|stage| stage.place == place && counts(stage.stage));
            counted.map(|stage| stage.time_ms.get()).sum()
        };
        let edge_ms = time(Place::Edge, is_computing);
        let cloud_ms = time(Place::Cloud, is_computing);
        let wire_ms = time(Place::Wire, |stage| stage == Stage::Transfer);
        let joules = |place| joules_at(&measurement.energy, place).map_or(0.0, Joules::get);
        Self {
            uses_cloud: measurement.configuration.cut < last_cut,
            edge_ms,
            wire_ms,
            cloud_ms,
            other_ms: (mean_ms - edge_ms - cloud_ms - wire_ms).max(0.0),
            bytes: measurement.sent_bytes.0 as f64,
            deviation_ms: deviation_ms(&measurement.latency),
            edge_j: joules(Place::Edge),
            wire_j: joules(Place::Wire),
            cloud_j: joules(Place::Cloud),
        }
    }

    /// What the edge draws power for: its own computing, and waiting for the answer.
    pub(crate) fn measured_ms(&self) -> f64 {
        self.edge_ms + self.wire_ms + self.cloud_ms
    }
}

/// Whether a stage is work of a processor: neither waiting, nor setting, nor travelling.
pub(crate) fn is_computing(stage: Stage) -> bool {
    !matches!(stage, Stage::Plan | Stage::HardwareChange | Stage::Queue | Stage::Transfer)
}

fn deviation_ms(latency: &LatencySummary) -> f64 {
    let by_quantile = (latency.p95_ms.get() - latency.mean_ms.get()) / P95_DEVIATIONS;
    latency.deviation_ms.get().max(by_quantile)
}
