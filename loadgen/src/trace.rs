//! Traces of requests: which network is asked, when, and within what limit.
//!
//! - [`arrivals`], [`limits`]: the processes that times and limits are drawn from.
//! - [`recipe`]: a whole trace from a seed, with mixes of networks and tenants.
//! - [`paper`]: the DynaSplit paper's workloads, to the last bit.
//! - [`capture`]: of what a running system was asked.
//! - [`summary`]: what a trace asks for, in a few figures.
//!
//! `docs/traces.md` says how a trace is written.

pub mod arrivals;
pub mod capture;
mod file;
pub mod limits;
mod numpy;
pub mod paper;
pub mod recipe;
mod specification;
pub mod summary;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemas::{InvalidId, Millis, ModelName, Qos};
use serde::{Deserialize, Serialize};

pub use file::TraceFormat;
pub(crate) use file::check_version;

use crate::error::LoadgenError;

/// The longest limit and the latest time of a trace, in milliseconds: a year. What is greater is in another unit.
pub(crate) const GREATEST_MS: f64 = 365.0 * 24.0 * 3_600.0 * 1_000.0;

/// Who sends a request, in mixes of tenants: 1 to 64 of the characters `A-Za-z0-9_-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tenant(String);

impl FromStr for Tenant {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // A tenant is one token, as a network's name is.
        ModelName::new(text).map(|token| Self(token.into()))
    }
}

impl TryFrom<String> for Tenant {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One request of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceRequest {
    /// When it is due, counted from the trace's begin. `None` in a closed loop: as soon as the query before has ended.
    pub at: Option<Millis>,
    /// The query it belongs to: requests of one query are sent together.
    pub query: u64,
    /// The network it asks.
    pub model: Arc<ModelName>,
    /// Who sends it.
    pub tenant: Option<Arc<Tenant>>,
    /// What it asks for.
    pub qos: Qos,
}

/// How the requests of a trace follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// At times of their own, however slow the answers are.
    Open,
    /// Each query when the one before has ended.
    Closed,
}

/// At least one request. In an open loop times never fall; queries never fall, and requests of one query have one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    requests: Vec<TraceRequest>,
}

impl Trace {
    /// Takes requests in their order; refuses what is no trace, naming the request by its place (from 1).
    pub fn new(requests: Vec<TraceRequest>) -> Result<Self, LoadgenError> {
        if requests.is_empty() {
            return Err(LoadgenError::InvalidTrace("it has no request".into()));
        }
        for (position, pair) in requests.windows(2).enumerate() {
            let [earlier, later] = pair else { continue };
            follows(earlier, later).map_err(|problem| {
                LoadgenError::InvalidTrace(format!("request {}: {problem}", position + 2))
            })?;
        }
        Ok(Self { requests })
    }

    /// The requests, in their order.
    pub fn requests(&self) -> &[TraceRequest] {
        &self.requests
    }

    /// How the requests follow each other.
    pub fn pacing(&self) -> Loop {
        if self.requests.iter().all(|request| request.at.is_some()) { Loop::Open } else { Loop::Closed }
    }

    /// The time of the last request; `None` in a closed loop.
    pub fn duration(&self) -> Option<Millis> {
        self.requests.last().and_then(|request| request.at)
    }

    /// The networks it asks, in the order of their first request.
    pub fn models(&self) -> Vec<Arc<ModelName>> {
        let mut models: Vec<Arc<ModelName>> = Vec::new();
        for request in &self.requests {
            if !models.contains(&request.model) {
                models.push(request.model.clone());
            }
        }
        models
    }

    /// The same trace with all requests to one network.
    pub fn to_model(mut self, model: &ModelName) -> Self {
        let model = Arc::new(model.clone());
        for request in &mut self.requests {
            request.model = model.clone();
        }
        self
    }

    /// Its first requests, so many at most.
    pub fn first(&self, greatest: usize) -> Self {
        Self { requests: self.requests.iter().take(greatest).cloned().collect() }
    }

    /// The same requests one after the other, each when the one before has ended.
    pub fn in_turn(mut self) -> Self {
        for (position, request) in self.requests.iter_mut().enumerate() {
            request.at = None;
            request.query = position as u64;
        }
        self
    }

    /// The same requests, evenly over a span of time.
    pub fn over(mut self, span: Millis) -> Self {
        let pause = span * (1.0 / self.requests.len().max(1) as f64);
        for (position, request) in self.requests.iter_mut().enumerate() {
            request.at = Some(pause * position as f64);
            request.query = position as u64;
        }
        self
    }

    /// The same trace, so many times as fast; a closed loop stays as it is. `factor` is above 0.
    pub fn faster(mut self, factor: f64) -> Self {
        for request in &mut self.requests {
            request.at = request.at.map(|at| at * (1.0 / factor));
        }
        self
    }
}

/// Why a request cannot follow another one.
pub(crate) fn follows(earlier: &TraceRequest, later: &TraceRequest) -> Result<(), String> {
    match (earlier.at, later.at) {
        (Some(before), Some(after)) if after < before => {
            return Err(format!("{after} comes before the {before} of the request before it: sort by time"));
        }
        (Some(_), None) | (None, Some(_)) => {
            return Err("either all requests have a time or none has one".into());
        }
        (before, after) if later.query == earlier.query && before != after => {
            return Err(format!("it is of query {} as the one before, and has another time", later.query));
        }
        _ => {}
    }
    if later.query < earlier.query {
        return Err(format!("query {} comes after query {}: sort by query", later.query, earlier.query));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
