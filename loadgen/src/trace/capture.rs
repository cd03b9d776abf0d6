//! Traces of what a running system was asked.

use std::sync::Arc;

use schemas::{Millis, ModelName, Qos, Receipt, UnixMillis};

use super::{Trace, TraceRequest};
use crate::error::LoadgenError;

/// Requests as their receipts told of them. Receipts come when requests end; a trace has them by when they arrived.
#[derive(Debug, Clone, Default)]
pub struct Capture {
    requests: Vec<(UnixMillis, Arc<ModelName>, Qos)>,
    models: Vec<Arc<ModelName>>,
    without_limit: usize,
}

impl Capture {
    /// Requests of one capture at most: some hundred megabytes.
    pub const MOST: usize = 1_000_000;

    /// Takes note of a request. One that was refused before its limit was known is only counted, and so is what comes beyond
    /// [`Capture::MOST`].
    pub fn add(&mut self, receipt: &Receipt) {
        let Some(qos) = receipt.qos.filter(|_| self.requests.len() < Self::MOST) else {
            self.without_limit += 1;
            return;
        };
        let known = self.models.iter().find(|model| ***model == receipt.model).cloned();
        let model = known.unwrap_or_else(|| {
            let model = Arc::new(receipt.model.clone());
            self.models.push(model.clone());
            model
        });
        self.requests.push((receipt.at, model, qos));
    }

    /// Requests that were noted.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Requests that were only counted.
    pub fn without_limit(&self) -> usize {
        self.without_limit
    }

    /// The trace: times are counted from the first arrival, by the gateways' clocks, to the millisecond.
    ///
    /// # Errors
    /// There is no request.
    pub fn trace(mut self) -> Result<Trace, LoadgenError> {
        self.requests.sort_by_key(|(at, ..)| *at);
        let begin = self.requests.first().map_or(UnixMillis(0), |(at, ..)| *at);
        let request = |(query, (at, model, qos)): (u64, (UnixMillis, Arc<ModelName>, Qos))| TraceRequest {
            at: Some(Millis::from(at.remaining_at(begin))),
            query,
            model,
            tenant: None,
            qos,
        };
        Trace::new((0..).zip(self.requests).map(request).collect())
    }
}
