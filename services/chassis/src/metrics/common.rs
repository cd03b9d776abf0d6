//! What every service has.

use std::time::Duration;

use broker::{Bus, Credits, Happening};
use schemas::{InstanceId, NodeId, ServiceKind};

use super::family::{Counters, Declaring, Gauges, Label};
use super::{Metrics, Unit};

/// The metrics that every service has, told apart by the label `service`.
#[derive(Debug, Clone)]
pub struct CommonMetrics {
    info: Gauges<4>,
    ready: Gauges<1>,
    connected: Gauges<1>,
    credits: Gauges<1>,
    capacity: Gauges<1>,
    round_trip: Gauges<1>,
    calls: Counters<2>,
    retries: Counters<2>,
    late_replies: Counters<1>,
    requests: Counters<2>,
    duplicates: Counters<1>,
    disconnections: Counters<1>,
    dropped: Counters<1>,
}

impl CommonMetrics {
    /// Declares them.
    pub fn new(metrics: &Metrics) -> Self {
        let declare = Declaring { metrics, prefix: "splinter_service" };
        let (none, service) = (Unit::None, ["service"]);
        Self {
            info: declare.gauges(
                "info",
                none,
                ["service", "instance", "node", "version"],
                "Always 1; its labels say which instance of which version runs where",
            ),
            ready: declare.gauges("ready", none, service, "1 while /readyz says ready, 0 while it does not"),
            connected: declare.gauges("broker_connected", none, service, "1 while the broker is reachable"),
            credits: declare.gauges("credits", none, service, "Requests that would be taken now"),
            capacity: declare.gauges("capacity", none, service, "Requests that are taken at most at once"),
            round_trip: declare.gauges(
                "broker_round_trip",
                Unit::Seconds,
                service,
                "Time of the last message to the broker and back, tried each second",
            ),
            calls: declare.counters(
                "calls",
                none,
                ["service", "outcome"],
                "Calls to other services: answered, refused (a typed error), unanswered, expired, failed (the broker)",
            ),
            retries: declare.counters(
                "retries",
                none,
                ["service", "outcome"],
                "Attempts of calls beyond the first: sent, or denied because the retry budget was spent",
            ),
            late_replies: declare.counters(
                "late_replies",
                none,
                service,
                "Replies that came after their call had ended",
            ),
            requests: declare.counters(
                "requests",
                none,
                ["service", "outcome"],
                "Requests over the broker: answered, failed, or refused with a NACK (overloaded, draining, expired)",
            ),
            duplicates: declare.counters(
                "duplicates",
                none,
                service,
                "Requests that came again and were not worked on again",
            ),
            disconnections: declare.counters("broker_disconnections", none, service, "Times the broker was lost"),
            dropped: declare.counters(
                "messages_dropped",
                none,
                service,
                "Times a subscription was full, so that messages were dropped",
            ),
        }
    }

    /// Says who runs.
    pub(crate) fn is(&self, service: ServiceKind, instance: &InstanceId, node: &NodeId) {
        self.info.set(
            [
                label(service),
                instance.to_string().into(),
                node.to_string().into(),
                env!("CARGO_PKG_VERSION").into(),
            ],
            1.0,
        );
    }

    /// Says how a service is now, and what its connection has counted.
    pub(crate) fn read(&self, service: ServiceKind, bus: &Bus, is_ready: bool) {
        let state = |is: bool| f64::from(u8::from(is));
        self.ready.set([label(service)], state(is_ready));
        self.connected.set([label(service)], state(bus.is_connected()));
        for what in Happening::ALL {
            self.follow(service, what, bus.count(what) as f64);
        }
    }

    /// Says what a round trip to the broker took.
    pub(crate) fn round_trip(&self, service: ServiceKind, took: Duration) {
        self.round_trip.set([label(service)], took.as_secs_f64());
    }

    fn follow(&self, service: ServiceKind, what: Happening, count: f64) {
        let (counters, outcome) = match what {
            Happening::CallAnswered => (&self.calls, "answered"),
            Happening::CallRefused => (&self.calls, "refused"),
            Happening::CallUnanswered => (&self.calls, "unanswered"),
            Happening::CallExpired => (&self.calls, "expired"),
            Happening::CallFailed => (&self.calls, "failed"),
            Happening::Retry => (&self.retries, "sent"),
            Happening::RetryDenied => (&self.retries, "denied"),
            Happening::RequestAnswered => (&self.requests, "answered"),
            Happening::RequestFailed => (&self.requests, "failed"),
            Happening::RefusedOverloaded => (&self.requests, "overloaded"),
            Happening::RefusedDraining => (&self.requests, "draining"),
            Happening::RefusedExpired => (&self.requests, "expired"),
            Happening::LateReply => return self.late_replies.follow([label(service)], count),
            Happening::Duplicate => return self.duplicates.follow([label(service)], count),
            Happening::Disconnected => return self.disconnections.follow([label(service)], count),
            Happening::MessagesDropped => return self.dropped.follow([label(service)], count),
        };
        counters.follow([label(service), outcome.into()], count);
    }

    fn count_credits(&self, service: ServiceKind, credits: &Credits) {
        self.credits.set([label(service)], f64::from(credits.free()));
        self.capacity.set([label(service)], f64::from(credits.capacity()));
    }
}

fn label(service: ServiceKind) -> Label {
    service.as_str().into()
}

impl Metrics {
    /// Says from now on how many requests a service would take, whenever somebody asks.
    pub fn follow_credits(&self, service: ServiceKind, credits: &Credits) {
        let (common, credits) = (CommonMetrics::new(self), credits.clone());
        self.read_always(move || common.count_credits(service, &credits));
    }
}
