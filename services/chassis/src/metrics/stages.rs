use schemas::{EnergyEntry, StageTime};

use super::Unit;
use super::family::{Counters, Declaring, Histograms, Span};

/// Where time and joules go.
#[derive(Debug, Clone)]
pub struct StageMetrics {
    times: Histograms<3>,
    joules: Counters<3>,
}

impl StageMetrics {
    pub(super) fn new(declare: &Declaring<'_>) -> Self {
        Self {
            times: declare.times(
                "stage_duration",
                Span::Stage,
                ["model", "stage", "place"],
                "Time of each stage of a request, by where it ran",
            ),
            joules: declare.counters(
                "energy",
                Unit::Joules,
                ["model", "place", "source"],
                "Joules of requests by where they were spent and how they are known; unknown joules are not counted",
            ),
        }
    }

    /// Counts what one request took.
    pub fn count(&self, model: &super::Label, stages: &[StageTime], energy: &[EnergyEntry]) {
        for stage in stages {
            let labels = [model.clone(), stage.stage.as_str().into(), stage.place.as_str().into()];
            self.times.observe(labels, stage.time_ms.get() / 1e3);
        }
        for entry in energy {
            let labels = [model.clone(), entry.place.as_str().into(), entry.source.as_str().into()];
            self.joules.add(labels, entry.joules.get());
        }
    }
}
