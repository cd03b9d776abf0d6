use schemas::{Fault, Front, ModelName, OptimizeProgress, OptimizeTask};

use super::family::{Counters, Declaring, Gauges};
use super::{Metrics, Unit};

/// The optimizer's metrics.
#[derive(Debug, Clone)]
pub struct OptimizerMetrics {
    campaigns: Counters<3>,
    measuring: Gauges<1>,
    progress: Gauges<1>,
    configurations: Gauges<2>,
    /// Receipts taken in.
    pub receipts: Counters<0>,
    drifted: Gauges<3>,
    judged: Gauges<3>,
}

impl OptimizerMetrics {
    /// Declares them.
    pub fn new(metrics: &Metrics) -> Self {
        let declare = Declaring { metrics, prefix: "splinter_optimizer" };
        let (none, front) = (Unit::None, ["model", "edge", "cloud"]);
        Self {
            campaigns: declare.counters(
                "campaigns",
                none,
                ["model", "task", "outcome"],
                "Requests to measure or refresh that ended: done, or with the kind of the error",
            ),
            measuring: declare.gauges("measuring", none, ["model"], "1 for the network that is measured now"),
            progress: declare.gauges(
                "progress",
                Unit::Ratio,
                ["model"],
                "Share of the configurations to measure that is measured, of what is measured now",
            ),
            configurations: declare.gauges(
                "campaign_configurations",
                none,
                ["model", "state"],
                "Configurations of what is measured now: done, and total to measure",
            ),
            receipts: declare.counters("receipts", none, [], "Receipts of live requests taken in"),
            drifted: declare.gauges(
                "drifted_configurations",
                none,
                front,
                "Configurations of the front that live requests show to have drifted",
            ),
            judged: declare.gauges(
                "judged_receipts",
                none,
                front,
                "Receipts of late that the front is judged by",
            ),
        }
    }

    /// A campaign begins.
    pub fn begins(&self, model: &ModelName) {
        self.ended();
        self.measuring.set([model.to_string().into()], 1.0);
        self.progress.set([model.to_string().into()], 0.0);
    }

    /// A configuration is measured.
    pub fn measured(&self, progress: &OptimizeProgress) {
        let share = f64::from(progress.done) / f64::from(progress.total.max(1));
        self.progress.set([progress.model.to_string().into()], share.min(1.0));
        let states = [("done", progress.done), ("total", progress.total)];
        for (state, count) in states {
            self.configurations.set([progress.model.to_string().into(), state.into()], f64::from(count));
        }
    }

    /// The campaign has ended, however; nothing is measured now.
    pub fn ended(&self) {
        self.measuring.clear();
        self.progress.clear();
        self.configurations.clear();
    }

    /// Counts what came of a request.
    pub fn answered(&self, model: &ModelName, task: OptimizeTask, fault: Option<&Fault>) {
        let task = match task {
            OptimizeTask::Measure => "measure",
            OptimizeTask::MeasureAfresh => "measure_afresh",
            OptimizeTask::Refresh => "refresh",
            _ => "other",
        };
        let outcome = fault.map_or("done", |fault| fault.kind.as_str());
        self.campaigns.count([model.to_string().into(), task.into(), outcome.into()]);
    }

    /// Says how many configurations of each front have drifted, by how many receipts; of no other fronts.
    pub fn drift<'a>(&self, fronts: impl Iterator<Item = (&'a Front, usize, usize)>) {
        self.drifted.clear();
        self.judged.clear();
        for (front, drifted, receipts) in fronts {
            let labels = || {
                [&front.model.to_string(), &front.edge.to_string(), &front.cloud.to_string()]
                    .map(|text| text.clone().into())
            };
            self.drifted.set(labels(), drifted as f64);
            self.judged.set(labels(), receipts as f64);
        }
    }
}
