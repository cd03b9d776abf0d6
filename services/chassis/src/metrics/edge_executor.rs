use schemas::{EnergyEntry, Fallback, Fault, Place, StageTime};

use super::family::{Counters, Declaring, Gauges, Label};
use super::{Metrics, StageMetrics, Unit};

/// The edge executor's metrics.
#[derive(Debug, Clone)]
pub struct EdgeExecutorMetrics {
    executions: Counters<2>,
    stages: StageMetrics,
    fallbacks: Counters<1>,
    sent: Counters<1>,
    /// Changes of the hardware: `changed`, `failed`.
    pub hardware_changes: Counters<1>,
    /// Tails asked of the cloud: `answered`, `failed`.
    pub cloud_calls: Counters<1>,
    /// Work that waits for the compute thread.
    pub queue: Gauges<0>,
    /// Networks that are warm.
    pub warm: Gauges<0>,
}

impl EdgeExecutorMetrics {
    /// Declares them.
    pub fn new(metrics: &Metrics) -> Self {
        let declare = Declaring { metrics, prefix: "splinter_edge_executor" };
        let none = Unit::None;
        let new = Self {
            executions: declare.counters(
                "executions",
                none,
                ["model", "outcome"],
                "Executions that ended: answered, or with the kind of the error",
            ),
            stages: StageMetrics::new(&declare),
            fallbacks: declare.counters("fallbacks", none, ["kind"], "Executions that did not run as planned"),
            sent: declare.counters("sent", Unit::Bytes, ["model"], "Bytes of frontiers and inputs sent to the cloud"),
            hardware_changes: declare.counters(
                "hardware_changes",
                none,
                ["outcome"],
                "Changes of the clock that executions needed: changed, or failed and run with the clock as it was",
            ),
            cloud_calls: declare.counters(
                "cloud_calls",
                none,
                ["outcome"],
                "Tails asked of the cloud: answered, or failed and finished at home",
            ),
            queue: declare.gauges(
                "queue_depth",
                none,
                [],
                "Work that waits for the compute thread",
            ),
            warm: declare.gauges("warm_models", none, [], "Networks that are loaded, warm and served"),
        };
        // So that the first one is a rise.
        for outcome in ["changed", "failed"] {
            new.hardware_changes.add([outcome.into()], 0.0);
        }
        for outcome in ["answered", "failed"] {
            new.cloud_calls.add([outcome.into()], 0.0);
        }
        for kind in [Fallback::FinishedAtHome, Fallback::HardwareAsItWas] {
            new.fallbacks.add([kind.as_str().into()], 0.0);
        }
        new
    }

    /// Counts an execution that was answered; only the edge's own stages and joules, as the cloud counts its.
    pub fn answered(&self, model: &Label, stages: &[StageTime], energy: &[EnergyEntry], sent_bytes: u64) {
        self.executions.count([model.clone(), "answered".into()]);
        let stages: Vec<StageTime> =
            stages.iter().filter(|stage| stage.place != Place::Cloud).copied().collect();
        let energy: Vec<EnergyEntry> =
            energy.iter().filter(|entry| entry.place != Place::Cloud).copied().collect();
        self.stages.count(model, &stages, &energy);
        self.sent.add([model.clone()], sent_bytes as f64);
    }

    /// Counts an execution that failed. `model` is `unknown` for one that is not served.
    pub fn failed(&self, model: &Label, fault: &Fault) {
        self.executions.count([model.clone(), fault.kind.as_str().into()]);
    }

    /// Counts that it did not run as planned.
    pub fn fell_back(&self, fallback: Fallback) {
        self.fallbacks.count([fallback.as_str().into()]);
    }
}
