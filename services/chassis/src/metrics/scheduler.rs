use std::time::Duration;

use schemas::{EdgeOutlook, Fault, Front, ModelName, Place, Plan, Presence, ServiceKind, UnixMillis};

use super::family::{Counters, Declaring, Gauges, Histograms, Label, Span};
use super::{Metrics, Unit};

/// The scheduler's metrics.
#[derive(Debug, Clone)]
pub struct SchedulerMetrics {
    decisions: Counters<3>,
    refusals: Counters<1>,
    duration: Histograms<0>,
    revision: Gauges<3>,
    age: Gauges<3>,
    points: Gauges<3>,
    round_trip: Gauges<2>,
    throughput: Gauges<2>,
    clock: Gauges<2>,
    executors: Gauges<1>,
    /// Plans whose receipt has not come.
    pub open_plans: Gauges<0>,
}

/// Whose front it is: network, edge machine, cloud machine.
pub type FrontLabels = [Label; 3];

impl SchedulerMetrics {
    /// Declares them.
    pub fn new(metrics: &Metrics) -> Self {
        let declare = Declaring { metrics, prefix: "splinter_scheduler" };
        let (none, front, edge) = (Unit::None, ["model", "edge", "cloud"], ["edge", "model"]);
        Self {
            decisions: declare.counters(
                "decisions",
                none,
                ["model", "policy", "reason"],
                "Plans made, by the policy that decided and why",
            ),
            refusals: declare.counters("refusals", none, ["kind"], "Requests for a plan that were refused"),
            duration: declare.times("decision_duration", Span::Brief, [], "Time of one decision"),
            revision: declare.gauges("front_revision", none, front, "Revision of the front that is decided by"),
            age: declare.gauges("front_age", Unit::Seconds, front, "Time since the front was measured"),
            points: declare.gauges("front_points", none, front, "Configurations on the front"),
            round_trip: declare.gauges(
                "link_round_trip",
                Unit::Seconds,
                edge,
                "What a message to the cloud and back is taken to need besides its bytes",
            ),
            throughput: declare.gauges(
                "link_throughput",
                Unit::BytesPerSecond,
                edge,
                "The link's throughput as it is taken to be; absent where bytes take no time that could be told",
            ),
            clock: declare.gauges("edge_clock", Unit::Hertz, edge, "The clock that the edge is set to"),
            executors: declare.gauges(
                "executors",
                none,
                ["place"],
                "Executors that are there, as this site sees them: in the cloud 0 while the link to it is cut",
            ),
            open_plans: declare.gauges("open_plans", none, [], "Plans whose receipt has not come"),
        }
    }

    /// Counts one question and what came of it.
    pub fn decided(&self, model: &ModelName, plan: Result<&Plan, &Fault>, took: Duration) {
        self.duration.observe([], took.as_secs_f64());
        match plan {
            Ok(plan) => {
                let (policy, reason) = (plan.policy.as_str(), plan.reason.as_str());
                self.decisions.count([model.to_string().into(), policy.into(), reason.into()]);
            }
            Err(fault) => self.refusals.count([fault.kind.as_str().into()]),
        }
    }

    /// Says which fronts there are now, and no others.
    pub fn fronts<'a>(&self, fronts: impl Iterator<Item = &'a Front>, now: UnixMillis) {
        [&self.revision, &self.age, &self.points].into_iter().for_each(Gauges::clear);
        for front in fronts {
            let labels: FrontLabels = [
                front.model.to_string().into(),
                front.edge.to_string().into(),
                front.cloud.to_string().into(),
            ];
            let age = now.0.saturating_sub(front.ended_at.0) as f64 / 1e3;
            self.revision.set(labels.clone(), front.revision as f64);
            self.age.set(labels.clone(), age);
            self.points.set(labels, front.points.len() as f64);
        }
    }

    /// Says how many executors are there now.
    pub fn present(&self, presences: &[Presence]) {
        for (place, kind) in
            [(Place::Edge, ServiceKind::EdgeExecutor), (Place::Cloud, ServiceKind::CloudExecutor)]
        {
            let there = presences.iter().filter(|presence| presence.service == kind).count();
            self.executors.set([place.as_str().into()], there as f64);
        }
    }

    /// Says what is taken to be true of each edge now, and of no others.
    pub fn outlooks(&self, edges: &[EdgeOutlook]) {
        [&self.round_trip, &self.throughput, &self.clock].into_iter().for_each(Gauges::clear);
        for edge in edges {
            let labels = || [edge.edge.to_string().into(), edge.model.to_string().into()];
            self.round_trip.set(labels(), edge.link_base_ms.get() / 1e3);
            if let Some(megabits) = edge.link_mbit {
                self.throughput.set(labels(), megabits * 1e6 / 8.0);
            }
            if let Some(clock) = edge.clock_khz {
                self.clock.set(labels(), clock.0 as f64 * 1e3);
            }
        }
    }
}
