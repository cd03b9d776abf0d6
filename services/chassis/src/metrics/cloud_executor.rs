use schemas::{EnergyEntry, Fault, StageTime};

use super::family::{Counters, Declaring, Gauges, Label};
use super::{Metrics, StageMetrics, Unit};

/// The cloud executor's metrics.
#[derive(Debug, Clone)]
pub struct CloudExecutorMetrics {
    executions: Counters<2>,
    stages: StageMetrics,
    /// Work that waits for the compute thread.
    pub queue: Gauges<0>,
    /// Networks that are warm.
    pub warm: Gauges<0>,
}

impl CloudExecutorMetrics {
    /// Declares them.
    pub fn new(metrics: &Metrics) -> Self {
        let declare = Declaring { metrics, prefix: "splinter_cloud_executor" };
        let none = Unit::None;
        Self {
            executions: declare.counters(
                "executions",
                none,
                ["model", "outcome"],
                "Tails that ended: answered, or with the kind of the error",
            ),
            stages: StageMetrics::new(&declare),
            queue: declare.gauges("queue_depth", none, [], "Work that waits for the compute thread"),
            warm: declare.gauges("warm_models", none, [], "Networks that are loaded, warm and served"),
        }
    }

    /// Counts a tail that was answered.
    pub fn answered(&self, model: &Label, stages: &[StageTime], energy: &[EnergyEntry]) {
        self.executions.count([model.clone(), "answered".into()]);
        self.stages.count(model, stages, energy);
    }

    /// Counts a tail that failed. `model` is `unknown` for one that is not served.
    pub fn failed(&self, model: &Label, fault: &Fault) {
        self.executions.count([model.clone(), fault.kind.as_str().into()]);
    }
}
