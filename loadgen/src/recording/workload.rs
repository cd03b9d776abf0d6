//! Workloads: the latency limits of a sequence of requests.

use std::path::Path;

use schemas::Millis;

use crate::error::LoadgenError;
use crate::trace::Trace;

/// Reads the limits of one network from a trace, in the paper's form (`Index,Network,Latency`, ms) or Splinter's, in the file's
/// order.
///
/// # Errors
/// A file that cannot be read as a trace, or has no request of this network.
pub fn read_workload(path: &Path, network: &str) -> Result<Vec<Millis>, LoadgenError> {
    let trace = Trace::read(path)?;
    let own = trace.requests().iter().filter(|request| request.model.as_str() == network);
    let limits: Vec<Millis> = own.map(|request| request.qos.latency_ms).collect();
    if limits.is_empty() {
        return Err(LoadgenError::NoLimits { path: path.to_owned(), network: network.to_owned() });
    }
    Ok(limits)
}
