//! The workloads of the DynaSplit paper (reference §7): one random stream for all its networks, in their order.

use std::sync::Arc;

use schemas::{Millis, ModelName, Qos};

use super::limits::Extremes;
use super::numpy::NumpyRandom;
use super::{Trace, TraceRequest};
use crate::error::LoadgenError;

/// The seed that the paper takes everywhere.
pub const SEED: u64 = 123_456_789;

/// A network of the paper and the least and greatest latency seen in its trials, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperNetwork {
    /// Its name.
    pub name: &'static str,
    /// The least limit of each of its workloads.
    pub least_ms: f64,
    /// The greatest limit of each of its workloads.
    pub greatest_ms: f64,
}

/// The networks in the order that their limits are drawn in.
pub const NETWORKS: [PaperNetwork; 4] = [
    PaperNetwork { name: "vgg16", least_ms: 90.6, greatest_ms: 5026.8 },
    PaperNetwork { name: "resnet50", least_ms: 66.8, greatest_ms: 1669.3 },
    PaperNetwork { name: "mobilenetv2", least_ms: 10.8, greatest_ms: 391.0 },
    PaperNetwork { name: "vit", least_ms: 118.8, greatest_ms: 10287.6 },
];

/// The paper's workload of so many requests a network, for the networks that `wanted` names (all of [`NETWORKS`] when it
/// is empty). Leaving one out changes nothing of the others.
pub fn workload(seed: u64, requests_each: usize, wanted: &[&str]) -> Result<Trace, LoadgenError> {
    let mut random = NumpyRandom::new(seed);
    let mut requests = Vec::new();
    for network in NETWORKS {
        // Drawn even when it is not wanted: the stream is one for all.
        let drawn: Vec<f64> = (0..requests_each).map(|_| random.standard_exponential()).collect();
        if wanted.is_empty() || wanted.contains(&network.name) {
            requests.extend(of_network(network, &drawn)?);
        }
    }
    for (query, request) in (0..).zip(&mut requests) {
        request.query = query;
    }
    Trace::new(requests)
}

fn of_network(network: PaperNetwork, drawn: &[f64]) -> Result<Vec<TraceRequest>, LoadgenError> {
    let name = ModelName::new(network.name);
    let model = Arc::new(name.map_err(|error| LoadgenError::InvalidTrace(error.to_string()))?);
    let extremes = drawn.iter().fold(Extremes::NONE, |extremes, drawn| extremes.with(*drawn));
    let (least, greatest) = (Millis::saturating(network.least_ms), Millis::saturating(network.greatest_ms));
    let request = |drawn: &f64| TraceRequest {
        at: None,
        query: 0,
        model: model.clone(),
        tenant: None,
        qos: Qos::within(Millis::saturating(extremes.map(*drawn, least, greatest))),
    };
    Ok(drawn.iter().map(request).collect())
}

#[cfg(test)]
mod tests;
