use schemas::Fallback;

use super::family::{Counters, Declaring, Gauges, Histograms, Span};
use super::{Metrics, StageMetrics, Unit};

/// The gateway's metrics.
#[derive(Debug, Clone)]
pub struct GatewayMetrics {
    /// Requests that ended: model, outcome.
    pub requests: Counters<2>,
    /// Their time: model.
    pub duration: Histograms<1>,
    /// Requests being worked on.
    pub in_flight: Gauges<0>,
    /// Where time and joules went.
    pub stages: StageMetrics,
    /// Bytes sent to the cloud: model.
    pub sent: Counters<1>,
    /// Plans that requests ran by: policy, reason.
    pub plans: Counters<2>,
    /// Requests that ran otherwise than planned: kind.
    pub fallbacks: Counters<1>,
    /// Receipts given up.
    pub receipts_lost: Counters<0>,
}

impl GatewayMetrics {
    /// Declares them.
    pub fn new(metrics: &Metrics) -> Self {
        let declare = Declaring { metrics, prefix: "splinter_gateway" };
        let none = Unit::None;
        let new = Self {
            requests: declare.counters(
                "requests",
                none,
                ["model", "outcome"],
                "Requests that ended: within their latency limit, late, or with the kind of the error; a model that nobody \
                 serves is \"unknown\"",
            ),
            duration: declare.times(
                "request_duration",
                Span::Whole,
                ["model"],
                "Time from a request's arrival to its answer",
            ),
            in_flight: declare.gauges("requests_in_flight", none, [], "Requests being worked on now"),
            stages: StageMetrics::new(&declare),
            sent: declare.counters(
                "sent",
                Unit::Bytes,
                ["model"],
                "Bytes that edges sent to the cloud for answered requests",
            ),
            plans: declare.counters(
                "plans",
                none,
                ["policy", "reason"],
                "Plans that requests ran by, by the policy that decided and why; \"scheduler_gone\" are the gateway's own",
            ),
            fallbacks: declare.counters(
                "fallbacks",
                none,
                ["kind"],
                "Answered requests that did not run as planned",
            ),
            receipts_lost: declare.counters(
                "receipts_lost",
                none,
                [],
                "Receipts given up because the broker did not take them",
            ),
        };
        new.in_flight.set([], 0.0);
        new.receipts_lost.add([], 0.0);
        for kind in [Fallback::FinishedAtHome, Fallback::HardwareAsItWas] {
            new.fallbacks.add([kind.as_str().into()], 0.0);
        }
        new
    }
}
