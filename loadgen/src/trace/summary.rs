//! What a trace asks for, in a few figures.

use std::collections::BTreeMap;

use schemas::{Millis, ModelName, nearest_rank};
use serde::Serialize;

use super::{Loop, Tenant, Trace};

/// The limits of the requests to one network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// The network.
    pub model: ModelName,
    /// Requests to it.
    pub requests: usize,
    /// Their least limit.
    pub least_ms: Millis,
    /// Their median limit, by nearest rank.
    pub median_ms: Millis,
    /// The mean of their limits.
    pub mean_ms: Millis,
    /// Their greatest limit.
    pub greatest_ms: Millis,
}

/// What a trace asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceSummary {
    /// Requests.
    pub requests: usize,
    /// Queries; fewer than requests where some are sent together.
    pub queries: usize,
    /// How they follow each other.
    pub pacing: Loop,
    /// The time of the last one; `None` in a closed loop.
    pub duration_ms: Option<Millis>,
    /// Requests a second over that time; `None` in a closed loop and where all come at once.
    pub rate: Option<f64>,
    /// The networks, in the order of their first request.
    pub models: Vec<ModelSummary>,
    /// Requests that are refused rather than answered late.
    pub hard_limits: usize,
    /// Requests of each tenant.
    pub tenants: BTreeMap<String, usize>,
}

impl Trace {
    /// Sums the trace up.
    pub fn summary(&self) -> TraceSummary {
        let requests = self.requests();
        let queries = 1 + requests.windows(2).filter(|pair| pair[0].query != pair[1].query).count();
        let duration_ms = self.duration();
        let seconds = duration_ms.map(|duration| duration.get() / 1e3).filter(|seconds| *seconds > 0.0);
        let mut tenants: BTreeMap<String, usize> = BTreeMap::new();
        for tenant in requests.iter().filter_map(|request| request.tenant.as_deref()) {
            *tenants.entry(Tenant::to_string(tenant)).or_default() += 1;
        }
        TraceSummary {
            requests: requests.len(),
            queries,
            pacing: self.pacing(),
            duration_ms,
            rate: seconds.map(|seconds| requests.len() as f64 / seconds),
            models: self.models().iter().map(|model| self.of_model(model)).collect(),
            hard_limits: requests.iter().filter(|request| !request.qos.limit.is_soft()).count(),
            tenants,
        }
    }

    fn of_model(&self, model: &ModelName) -> ModelSummary {
        let of_model = self.requests().iter().filter(|request| *request.model == *model);
        let mut limits: Vec<Millis> = of_model.map(|request| request.qos.latency_ms).collect();
        limits.sort_by(|a, b| a.get().total_cmp(&b.get()));
        let sum: Millis = limits.iter().copied().sum();
        let at = |quantile| nearest_rank(&limits, quantile).unwrap_or(Millis::ZERO);
        ModelSummary {
            model: model.clone(),
            requests: limits.len(),
            least_ms: at(0.0),
            median_ms: at(0.5),
            mean_ms: sum * (1.0 / limits.len().max(1) as f64),
            greatest_ms: at(1.0),
        }
    }
}
