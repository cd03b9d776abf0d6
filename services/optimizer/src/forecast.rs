//! What is expected of a configuration before it is measured, whatever strategy chose it. Pure, but it computes for up to some
//! hundred milliseconds.

use std::collections::HashMap;

use schemas::{Expectation, Joules, Millis};
use search::greybox::{Model, Prediction};
use search::{Candidate, CutFacts, Observation, Space};

/// Larger spaces are not forecast: a model of every configuration takes memory, and a strategy may hold one already.
const MOST: usize = 20_000;

/// Half the width of a 95 % interval, in standard deviations.
const HALF_INTERVAL: f64 = 1.96;

/// A model of every configuration of a space, told what was measured.
#[derive(Debug)]
pub(crate) struct Forecast {
    model: Model,
    places: HashMap<Candidate, usize>,
    is_informed: bool,
}

impl Forecast {
    /// `None` of a space that is too large.
    pub(crate) fn new(space: &Space, facts: &[CutFacts]) -> Option<Self> {
        let candidates: Vec<Candidate> = space.candidates().take(MOST + 1).collect();
        if candidates.len() > MOST {
            return None;
        }
        let places = candidates.iter().enumerate().map(|(place, &candidate)| (candidate, place)).collect();
        Some(Self { model: Model::new(space, &candidates, facts), places, is_informed: false })
    }

    pub(crate) fn tell(&mut self, candidate: Candidate, observation: &Observation) {
        if let Some(&place) = self.places.get(&candidate) {
            self.model.observe(place, observation);
            self.is_informed = true;
        }
    }

    /// Takes into account what was told since.
    pub(crate) fn update(&mut self) {
        self.model.update();
    }

    /// What a measurement is expected to show; `None` before anything was told.
    pub(crate) fn of(&self, candidate: Candidate) -> Option<Expectation> {
        let place = self.places.get(&candidate).filter(|_| self.is_informed)?;
        expectation(self.model.predict(*place))
    }
}

/// What a model believes, in quantities; `None` where it knows nothing.
pub(crate) fn expectation(prediction: Prediction) -> Option<Expectation> {
    let Prediction { log_latency, log_energy, .. } = prediction;
    let is_known = log_latency.mean != 0.0 || log_latency.variance != 0.0;
    let (low_ms, high_ms) = prediction.latency_between(HALF_INTERVAL);
    is_known.then(|| Expectation {
        latency_ms: Millis::saturating(log_latency.mean.exp()),
        low_ms,
        high_ms,
        energy_j: (log_energy.variance > 0.0).then(|| Joules::saturating(log_energy.mean.exp())),
    })
}
