//! `splinter.v1.metrics.<service>.<instance>`, each second: the numbers that Prometheus reads, for those who listen on the
//! broker.

use serde::{Deserialize, Serialize};

use crate::units::UnixMillis;

/// What one instance says of itself each second; the subject says whose it is.
///
/// A scheduler's is a [`SchedulerReport`](crate::SchedulerReport), which has these fields beside its own: it can be read
/// as either.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricsSnapshot {
    /// Its metrics as they are now, without the buckets of histograms; at most 1,000.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// When it said so.
    pub at: UnixMillis,
}

/// One number of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The metric with its labels, as Prometheus writes it: `splinter_gateway_requests_total{model="m",outcome="within"}`.
    pub series: String,
    /// Its value, in the unit that its name ends with.
    pub value: f64,
}
