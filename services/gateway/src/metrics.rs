//! What Prometheus reads of this gateway.
//!
//! Each gateway has a recorder of its own, so that two in one process (in `splinter up`, in tests) do not
//! add up. Labels are bounded: a model that no executor serves is `unknown`, everything else is an enum.

use metrics::{
    SharedString, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use schemas::{EnergySource, Outcome, Place, Receipt};

const REQUESTS: &str = "splinter_gateway_requests_total";
const SECONDS: &str = "splinter_gateway_request_duration_seconds";
const JOULES: &str = "splinter_gateway_energy_joules";
const SENT: &str = "splinter_gateway_sent_bytes_total";
const IN_FLIGHT: &str = "splinter_gateway_requests_in_flight";

/// The label of every model that nobody serves.
const UNKNOWN: &str = "unknown";

/// Upper bounds of the latency histogram, in seconds: from a small network on a fast edge to the greatest deadline.
const BUCKETS: [f64; 14] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

/// Whether a receipt's model is one that an executor serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelLabel {
    Known,
    Unknown,
}

/// The recorder and its text.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder();
        let handle = recorder.handle();
        with_local_recorder(&recorder, || {
            describe_counter!(REQUESTS, "Requests by model and outcome");
            describe_histogram!(SECONDS, Unit::Seconds, "Time from a request's arrival to its answer");
            describe_gauge!(JOULES, "Energy of answered requests in joules, by place and source");
            describe_counter!(SENT, Unit::Bytes, "Bytes that edges sent to the cloud for answered requests");
            describe_gauge!(IN_FLIGHT, "Requests being worked on now");
            gauge!(IN_FLIGHT).set(0.0);
        });
        Ok(Self { recorder, handle })
    }

    pub(crate) fn arrived(&self) {
        with_local_recorder(&self.recorder, || gauge!(IN_FLIGHT).increment(1.0));
    }

    /// Counts a request that has ended.
    pub(crate) fn ended(&self, receipt: &Receipt, label: ModelLabel) {
        let model: SharedString = match label {
            ModelLabel::Known => receipt.model.to_string().into(),
            ModelLabel::Unknown => UNKNOWN.into(),
        };
        with_local_recorder(&self.recorder, || {
            gauge!(IN_FLIGHT).decrement(1.0);
            counter!(REQUESTS, "model" => model.clone(), "outcome" => outcome(receipt.outcome)).increment(1);
            histogram!(SECONDS, "model" => model.clone()).record(receipt.latency_ms.get() / 1e3);
            for entry in &receipt.energy {
                let (place, source) = (place(entry.place), source(entry.source));
                // Counters of this library are whole; a gauge that only grows reads the same to Prometheus.
                gauge!(JOULES, "model" => model.clone(), "place" => place, "source" => source)
                    .increment(entry.joules.get());
            }
            counter!(SENT, "model" => model).increment(receipt.sent_bytes.0);
        });
    }

    /// Counts a request that named no possible model, so that it has no receipt.
    pub(crate) fn refused_without_model(&self, kind: schemas::FaultKind) {
        with_local_recorder(&self.recorder, || {
            counter!(REQUESTS, "model" => UNKNOWN, "outcome" => kind.as_str()).increment(1);
        });
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }

    /// Moves recorded samples into the histograms; without it they pile up until somebody reads the text.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Within => "within",
        Outcome::Late => "late",
        Outcome::Failed(kind) => kind.as_str(),
    }
}

fn place(place: Place) -> &'static str {
    match place {
        Place::Edge => "edge",
        Place::Wire => "wire",
        Place::Cloud => "cloud",
    }
}

fn source(source: EnergySource) -> &'static str {
    match source {
        EnergySource::Measured => "measured",
        EnergySource::Attributed => "attributed",
        EnergySource::Modelled => "modelled",
        EnergySource::Emulated => "emulated",
    }
}
