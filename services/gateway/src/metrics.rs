//! What is counted of requests. The metrics are declared in [`chassis::metrics`], as those of every service.
//!
//! Labels are bounded: a model that no executor serves is `unknown`, everything else is an enum.

use chassis::metrics::{GatewayMetrics, Label};
use schemas::{FaultKind, Receipt};

/// The label of every model that nobody serves.
const UNKNOWN: &str = "unknown";

/// Whether a receipt's model is one that an executor serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelLabel {
    Known,
    Unknown,
}

/// The gateway's metrics, and the process's they are read with.
pub(crate) struct Metrics {
    counted: GatewayMetrics,
    process: chassis::Metrics,
}

impl Metrics {
    pub(crate) fn new(process: &chassis::Metrics) -> Self {
        Self { counted: GatewayMetrics::new(process), process: process.clone() }
    }

    pub(crate) fn arrived(&self) {
        self.counted.in_flight.change([], 1.0);
    }

    /// Counts a request that has ended.
    pub(crate) fn ended(&self, receipt: &Receipt, label: ModelLabel) {
        let counted = &self.counted;
        let model: Label = match label {
            ModelLabel::Known => receipt.model.to_string().into(),
            ModelLabel::Unknown => UNKNOWN.into(),
        };
        counted.in_flight.change([], -1.0);
        counted.requests.count([model.clone(), receipt.outcome.as_str().into()]);
        counted.duration.observe([model.clone()], receipt.latency_ms.get() / 1e3);
        counted.stages.count(&model, &receipt.stages, &receipt.energy);
        counted.sent.add([model], receipt.sent_bytes.0 as f64);
        if let Some((policy, reason)) = receipt.policy.zip(receipt.reason) {
            counted.plans.count([policy.as_str().into(), reason.as_str().into()]);
        }
        if let Some(fallback) = receipt.fallback {
            counted.fallbacks.count([fallback.as_str().into()]);
        }
    }

    /// Counts a request that named no possible model, so that it has no receipt.
    pub(crate) fn refused_without_model(&self, kind: FaultKind) {
        self.counted.requests.count([UNKNOWN.into(), kind.as_str().into()]);
    }

    /// Counts a receipt that was given up.
    pub(crate) fn receipt_lost(&self) {
        self.counted.receipts_lost.count([]);
    }

    /// The text that Prometheus reads: of the whole process.
    pub(crate) fn render(&self) -> String {
        self.process.render()
    }
}
