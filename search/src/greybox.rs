//! What is believed of every configuration, from what was measured of some: a model of each stage. Pure.
//!
//! A request's latency is the sum of what edge, wire and cloud take, and its energy that of edge and cloud. Each stage
//! depends on some of the knobs only: the tail's time does not know the edge's clock. So every measurement teaches about
//! all configurations that share one of its stages, and a few tens of them describe thousands.
//!
//! | stage | of what | depends on |
//! |---|---|---|
//! | edge time | its logarithm | cut, bytes, clock, edge accelerator, threads |
//! | wire time | its logarithm | bytes, codec |
//! | cloud time | its logarithm | cut, cloud accelerator |
//! | edge power | the logarithm of edge joules / latency | cut, clock, edge accelerator, threads, cloud accelerator |
//! | cloud power | the logarithm of cloud joules / cloud time | cut, cloud accelerator |
//! | error | as it is | cut, codec, edge accelerator, cloud accelerator |
//!
//! Where one run timed the layers ([`CutFacts`]), the times of edge and cloud are expected to follow them from cut to cut, and
//! only what differs from that is learned.
//!
//! Each is a Gaussian process ([`crate::gaussian`]) whose kernel is learned from the measurements. Sums of log-normal
//! values are taken as log-normal with the same mean and variance (L. Fenton, 1960). Where a measurement has no stages
//! apart, latency and energy are modelled as a whole, over all knobs.

mod features;
mod stage;

use schemas::{Joules, Millis, Share};

use crate::gaussian::Normal;
use crate::knob::Knob;
use crate::observation::{CutFacts, Observation};
use crate::space::{Candidate, Space};
use features::Feature;
use stage::Stage;

/// A model of every configuration of a space.
#[derive(Debug)]
pub struct Model {
    parts: Parts,
    whole_latency: Stage,
    whole_energy: Stage,
    error: Stage,
    /// For each candidate, whether anything runs in the cloud.
    uses_cloud: Vec<bool>,
    observed: usize,
    apart: bool,
}

#[derive(Debug)]
struct Parts {
    edge_time: Stage,
    wire_time: Stage,
    cloud_time: Stage,
    edge_power: Stage,
    cloud_power: Stage,
}

/// What is believed of one configuration; latency and energy in logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The logarithm of the latency in ms.
    pub log_latency: Normal,
    /// The logarithm of the energy in J; of no variance when no measurement has one.
    pub log_energy: Normal,
    /// The share of wrong answers.
    pub error: Normal,
}

impl Prediction {
    /// The latency: as likely to be less as to be more.
    pub fn latency(&self) -> Millis {
        Millis::saturating(self.log_latency.mean.exp())
    }

    /// The energy of a request: as likely to be less as to be more.
    pub fn energy(&self) -> Joules {
        Joules::saturating(self.log_energy.mean.exp())
    }

    /// The share of right answers that is expected.
    pub fn accuracy(&self) -> Share {
        Share::saturating(1.0 - self.error.mean)
    }

    /// Between which latencies it lies, so many standard deviations of its logarithm to either side: 1.96 for 95 %.
    pub fn latency_between(&self, deviations: f64) -> (Millis, Millis) {
        let at = |deviations| Millis::saturating(self.log_latency.at(deviations).exp());
        (at(-deviations), at(deviations))
    }

    /// As [`Prediction::latency_between`], of the energy.
    pub fn energy_between(&self, deviations: f64) -> (Joules, Joules) {
        let at = |deviations| Joules::saturating(self.log_energy.at(deviations).exp());
        (at(-deviations), at(deviations))
    }
}

impl Model {
    /// A model of the given candidates of a space; `facts` are of the cuts, in the order of the knob's values, or empty.
    pub fn new(space: &Space, candidates: &[Candidate], facts: &[CutFacts]) -> Self {
        use Feature::{Bytes, Choice, Clock, Cut, End, Threads};
        let features = |wanted: &[Feature]| features::points(space, candidates, facts, wanted);
        let edge = Choice(Knob::EdgeAccelerator);
        let cloud = Choice(Knob::CloudAccelerator);
        let codec = Choice(Knob::Codec);
        let everything = [Cut, End, Bytes, Clock, Threads, edge, cloud, codec];
        let expected =
            |time: fn(&CutFacts) -> Option<Millis>| features::expected(space, candidates, facts, time);
        let parts = Parts {
            edge_time: Stage::of_times(features(&[Cut, End, Choice(Knob::Cut), Bytes, Clock, Threads, edge]))
                .expecting(expected(|cut| cut.edge_time)),
            wire_time: Stage::of_times(features(&[Bytes, codec])),
            cloud_time: Stage::of_times(features(&[Cut, End, Choice(Knob::Cut), cloud]))
                .expecting(expected(|cut| cut.cloud_time)),
            edge_power: Stage::of_powers(features(&[Cut, End, Clock, Threads, edge, cloud])),
            cloud_power: Stage::of_powers(features(&[Cut, End, cloud])),
        };
        Self {
            parts,
            whole_latency: Stage::of_times(features(&everything)),
            whole_energy: Stage::of_times(features(&everything)),
            error: Stage::of_errors(features(&[Cut, Choice(Knob::Cut), edge, cloud, codec])),
            uses_cloud: features::uses_cloud(space, candidates, facts),
            observed: 0,
            apart: true,
        }
    }

    /// A candidate, by its place in the list the model was made with, turned out to be this.
    pub fn observe(&mut self, place: usize, observation: &Observation) {
        self.observed += 1;
        let latency = observation.latency.get();
        if let Some(accuracy) = observation.accuracy {
            self.error.observe(place, 1.0 - accuracy.get());
        }
        self.whole_latency.observe_logarithm(place, latency);
        if let Some(energy) = observation.energy {
            self.whole_energy.observe_logarithm(place, energy.get());
        }
        let Some(parts) = observation.parts else {
            self.apart = false;
            return;
        };
        self.parts.edge_time.observe_logarithm(place, parts.edge_time.get());
        self.parts.edge_power.observe_logarithm(place, parts.edge_energy.get() / latency);
        if self.uses_cloud[place] {
            self.parts.wire_time.observe_logarithm(place, parts.wire_time.get());
            self.parts.cloud_time.observe_logarithm(place, parts.cloud_time.get());
            self.parts
                .cloud_power
                .observe_logarithm(place, parts.cloud_energy.get() / parts.cloud_time.get());
        }
    }

    /// Takes everything observed since into account; learns kernels anew when there is enough to learn from.
    pub fn update(&mut self) {
        self.error.update();
        if self.apart {
            let Parts { edge_time, wire_time, cloud_time, edge_power, cloud_power } = &mut self.parts;
            for stage in [edge_time, wire_time, cloud_time, edge_power, cloud_power] {
                stage.update();
            }
        } else {
            self.whole_latency.update();
            self.whole_energy.update();
        }
    }

    /// What is believed of a candidate: the value a measurement would show, its noise counted.
    pub fn predict(&self, place: usize) -> Prediction {
        let error = self.error.at(place).unwrap_or(NOTHING);
        if !self.apart {
            return Prediction {
                log_latency: self.whole_latency.at(place).unwrap_or(NOTHING),
                log_energy: self.whole_energy.at(place).unwrap_or(NOTHING),
                error,
            };
        }
        let at = |stage: &Stage| stage.at(place);
        let in_cloud = |stage: &Stage| if self.uses_cloud[place] { stage.at(place) } else { None };
        let edge_time = at(&self.parts.edge_time);
        let cloud_time = in_cloud(&self.parts.cloud_time);
        let log_latency = log_sum([edge_time, in_cloud(&self.parts.wire_time), cloud_time]);
        let edge_energy = at(&self.parts.edge_power).map(|power| plus(power, log_latency));
        let cloud_energy =
            in_cloud(&self.parts.cloud_power).zip(cloud_time).map(|(power, time)| plus(power, time));
        Prediction { log_latency, log_energy: log_sum([edge_energy, cloud_energy, None]), error }
    }
}

const NOTHING: Normal = Normal { mean: 0.0, variance: 0.0 };

fn plus(one: Normal, other: Normal) -> Normal {
    Normal { mean: one.mean + other.mean, variance: one.variance + other.variance }
}

/// The logarithm of a sum of values whose logarithms are normal, as a normal with the same mean and variance of
/// the sum; nothing when there is no value.
fn log_sum(values: [Option<Normal>; 3]) -> Normal {
    let (mut mean, mut variance) = (0.0, 0.0);
    for value in values.into_iter().flatten() {
        // A stage of which nothing is known yet must not overflow.
        let spread = value.variance.min(20.0);
        let expected = (value.mean + 0.5 * spread).exp();
        mean += expected;
        variance += spread.exp_m1() * expected * expected;
    }
    if mean <= 0.0 {
        return NOTHING;
    }
    let variance = (variance / (mean * mean)).ln_1p();
    Normal { mean: mean.ln() - 0.5 * variance, variance }
}

#[cfg(test)]
mod tests;
