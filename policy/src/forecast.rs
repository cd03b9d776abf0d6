//! What a configuration would take and cost now, stage by stage.
//!
//! ```text
//! mean     = (head × edge pace × clock + wire + tail × cloud pace + rest) × correction + overhead + change + waiting
//! wire     = as measured + (base − the front's base) + bytes × (slope − the front's slope)
//! quantile = mean + deviations × √(max(measured spread², (relative error × mean)²) + uncertainty of the link)
//! joules   = edge power × (computing + waiting for the cloud) + wire + tail's joules × cloud pace
//! ```

use schemas::{Joules, KiloHertz, Millis};

use crate::adaptive::PlaceWeights;
use crate::candidate::{Candidate, Parts};
use crate::learning::{Factor, Spread};
use crate::link::LinkDelta;
use crate::state::State;

/// Everything that is the same for all configurations of one decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outlook {
    now_ms: f64,
    forget_ms: f64,
    edge_pace: f64,
    edge_wait_ms: f64,
    cloud_pace: f64,
    /// From now until the cloud executor is free.
    cloud_free_in_ms: f64,
    cloud_queue_ms: f64,
    link: LinkDelta,
    /// The way back, and of the way there what is not bytes.
    half_base_ms: f64,
    overhead_ms: f64,
    spread: Spread,
    clock: Option<KiloHertz>,
    can_set: bool,
    change_ms: f64,
    /// How many times the energy of a change counts: more just after the last one.
    change_weight: f64,
    edge_energy: f64,
    cloud_energy: f64,
    weights: PlaceWeights,
}

/// One configuration's future.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forecast {
    pub mean_ms: f64,
    pub quantile_ms: f64,
    pub edge_ms: f64,
    /// The way there.
    pub uplink_ms: f64,
    pub cloud_ms: f64,
    pub change_ms: f64,
    pub changes_clock: bool,
    pub edge_j: f64,
    pub cloud_j: f64,
    /// All places, the change of the hardware included; `None` where it is not known.
    pub energy_j: Option<f64>,
    /// What a decision compares: the weighted energy; infinite where it is not known.
    pub cost: f64,
    /// The part of the cost that is for changing the hardware.
    pub change_cost: f64,
}

impl Forecast {
    pub(crate) fn latency(&self) -> Millis {
        Millis::saturating(self.quantile_ms)
    }

    pub(crate) fn energy(&self) -> Option<Joules> {
        self.energy_j.map(Joules::saturating)
    }
}

impl Outlook {
    /// As things are now, with the tail on this one of the cloud executors.
    pub(crate) fn new(state: &State, cloud: Option<usize>, now_ms: f64) -> Self {
        let cloud = cloud.and_then(|cloud| state.clouds.get(cloud));
        Self {
            edge_wait_ms: (state.edge_free_at_ms - now_ms).max(0.0),
            cloud_free_in_ms: cloud.map_or(0.0, |cloud| (cloud.free_at_ms - now_ms).max(0.0)),
            cloud_queue_ms: cloud.map_or(0.0, |cloud| cloud.queue.ms),
            ..Self::idle(
                state,
                cloud.map_or(1.0, |cloud| cloud.pace.at(now_ms, state.settings.forget_ms())),
                now_ms,
            )
        }
    }

    /// As it is for a request that nobody is before, and that finds the hardware as it wants it: what receipts are
    /// compared with.
    pub(crate) fn without_waiting(state: &State, cloud: Option<usize>, now_ms: f64) -> Self {
        let cloud = cloud.and_then(|cloud| state.clouds.get(cloud));
        let pace = cloud.map_or(1.0, |cloud| cloud.pace.at(now_ms, state.settings.forget_ms()));
        Self { clock: None, can_set: false, ..Self::idle(state, pace, now_ms) }
    }

    fn idle(state: &State, cloud_pace: f64, now_ms: f64) -> Self {
        let forget_ms = state.settings.forget_ms();
        let hardware = &state.hardware;
        let link = state.link.delta(now_ms, forget_ms);
        Self {
            now_ms,
            forget_ms,
            edge_pace: state.edge_pace.at(now_ms, forget_ms),
            edge_wait_ms: 0.0,
            cloud_pace,
            cloud_free_in_ms: 0.0,
            cloud_queue_ms: 0.0,
            half_base_ms: state.link.base().get() / 2.0,
            link,
            overhead_ms: state.overhead.ms,
            spread: state.spread,
            clock: hardware.clock,
            can_set: now_ms >= hardware.unsettable_until_ms,
            change_ms: hardware.change.ms,
            change_weight: state.settings.change_weight(hardware.changed_at_ms, now_ms),
            edge_energy: state.edge_energy.at(now_ms, forget_ms),
            cloud_energy: state.cloud_energy.at(now_ms, forget_ms),
            weights: state.settings.weights,
        }
    }

    /// Joules as they would be without what receipts corrected.
    pub(crate) fn with_plain_energy(self) -> Self {
        Self { edge_energy: 1.0, cloud_energy: 1.0, ..self }
    }

    /// One configuration's future, with what receipts said of it.
    pub(crate) fn forecast(&self, candidate: &Candidate, correction: &Factor) -> Forecast {
        let parts = &candidate.parts;
        let (changes_clock, clock_factor) = self.clock(candidate);
        let own = correction.at(self.now_ms, self.forget_ms);
        let edge_ms = parts.edge_ms * self.edge_pace * clock_factor * own;
        let (wire_ms, cloud_ms, variance) = if parts.uses_cloud {
            let wire = parts.wire_ms + self.link.base_ms + parts.bytes * self.link.ms_a_byte;
            (wire.max(0.0) * own, parts.cloud_ms * self.cloud_pace * own, self.link.variance(parts.bytes))
        } else {
            (0.0, 0.0, 0.0)
        };
        let change_ms = if changes_clock { self.change_ms } else { 0.0 };
        let ready_ms = self.edge_wait_ms + change_ms + edge_ms;
        let uplink_ms = (wire_ms - self.half_base_ms).max(wire_ms / 2.0);
        let cloud_wait_ms = if parts.uses_cloud {
            (self.cloud_free_in_ms - ready_ms - uplink_ms).max(self.cloud_queue_ms)
        } else {
            0.0
        };
        let own_ms = edge_ms + wire_ms + cloud_ms + parts.other_ms * own + self.overhead_ms;
        let mean_ms = own_ms + change_ms + self.edge_wait_ms + cloud_wait_ms;
        let spread = (parts.deviation_ms * parts.deviation_ms)
            .max(self.spread.relative_variance * own_ms * own_ms)
            + variance;
        let quantile_ms = mean_ms + self.spread.deviations * spread.sqrt();
        let waiting_ms = wire_ms + cloud_ms + cloud_wait_ms;
        let joules = self.joules(parts, edge_ms, waiting_ms);
        let change_j = if changes_clock { joules.edge_watts * change_ms * 1e-3 } else { 0.0 };
        let known = candidate.energy_j.is_some();
        let weights = self.weights;
        let change_cost = weights.edge * change_j * self.change_weight;
        let cost = weights.edge * joules.edge + weights.wire * parts.wire_j + weights.cloud * joules.cloud;
        Forecast {
            mean_ms,
            quantile_ms,
            edge_ms,
            uplink_ms,
            cloud_ms,
            change_ms,
            changes_clock,
            edge_j: joules.edge,
            cloud_j: joules.cloud,
            energy_j: known.then_some(joules.edge + parts.wire_j + joules.cloud + change_j),
            cost: if known { cost + change_cost } else { f64::INFINITY },
            change_cost: if known { change_cost } else { 0.0 },
        }
    }

    /// Whether the clock would be changed, and how much longer the edge computes because it cannot be.
    fn clock(&self, candidate: &Candidate) -> (bool, f64) {
        match (candidate.configuration.edge_frequency_khz, self.clock) {
            (Some(wanted), Some(set)) if wanted == set => (false, 1.0),
            (Some(_), _) if self.can_set => (true, 1.0),
            (Some(wanted), Some(set)) if set.0 > 0 => (false, wanted.0 as f64 / set.0 as f64),
            _ => (false, 1.0),
        }
    }

    fn joules(&self, parts: &Parts, edge_ms: f64, waiting_ms: f64) -> EnergyForecast {
        let measured_ms = parts.edge_ms + parts.wire_ms + parts.cloud_ms;
        let (edge, edge_watts) = if measured_ms > 0.0 {
            let watts = parts.edge_j * self.edge_energy / measured_ms * 1e3;
            (watts * (edge_ms + waiting_ms) * 1e-3, watts)
        } else {
            (parts.edge_j * self.edge_energy, 0.0)
        };
        EnergyForecast { edge, edge_watts, cloud: parts.cloud_j * self.cloud_pace * self.cloud_energy }
    }

    /// The latency and the cost that a configuration would have if link and cloud were as when the front was measured.
    pub(crate) fn as_measured(&self, candidate: &Candidate) -> (f64, f64) {
        let parts = &candidate.parts;
        let mean = parts.edge_ms * self.edge_pace + parts.wire_ms + parts.cloud_ms + parts.other_ms;
        let latency = mean + self.overhead_ms + self.spread.deviations * parts.deviation_ms;
        let weights = self.weights;
        let cost = weights.edge * parts.edge_j * self.edge_energy
            + weights.wire * parts.wire_j
            + weights.cloud * parts.cloud_j * self.cloud_energy;
        (latency + self.edge_wait_ms, if candidate.energy_j.is_some() { cost } else { f64::INFINITY })
    }

    /// How long until the work that is queued now is done.
    pub(crate) fn drained_in_ms(&self) -> f64 {
        self.edge_wait_ms.max(self.cloud_free_in_ms).max(self.cloud_queue_ms)
    }
}

struct EnergyForecast {
    edge: f64,
    edge_watts: f64,
    cloud: f64,
}
