//! Workloads: the latency limits of a sequence of requests, in the paper's form.

use std::path::Path;

use schemas::Millis;

use crate::error::LoadgenError;

/// Longer limits are none: eleven days.
const GREATEST_LIMIT_MS: f64 = 1e9;

/// Reads the limits of one network from a workload file (`Index,Network,Latency`, ms), in the file's order. Without a column
/// `Network` every row counts.
///
/// # Errors
/// A file that cannot be read or lacks the column `Latency`, a value that is no limit, or no row of this network.
pub fn read_workload(path: &Path, network: &str) -> Result<Vec<Millis>, LoadgenError> {
    let invalid = |line: u64, column: &str, problem: String| LoadgenError::InvalidValue {
        path: path.to_owned(),
        line,
        column: column.to_owned(),
        problem,
    };
    let file = std::fs::File::open(path)
        .map_err(|source| LoadgenError::Unreadable { path: path.to_owned(), source })?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(|error| invalid(1, "", error.to_string()))?.clone();
    let column = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    let latency = column("latency")
        .ok_or_else(|| invalid(1, "Latency", "there is no such column, which every workload needs".into()))?;
    let named = column("network");
    let mut limits = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            invalid(error.position().map_or(0, csv::Position::line), "", error.to_string())
        })?;
        if named.is_some_and(|place| record.get(place) != Some(network)) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let text = record.get(latency).unwrap_or_default();
        let limit = text.parse().ok().filter(|limit: &f64| *limit > 0.0 && *limit <= GREATEST_LIMIT_MS);
        let limit = limit.and_then(|limit| Millis::new(limit).ok());
        limits.push(limit.ok_or_else(|| {
            invalid(
                line,
                &header[latency],
                format!("{text:?} is no latency limit in ms (above 0, at most 1e9)"),
            )
        })?);
    }
    if limits.is_empty() {
        return Err(LoadgenError::NoLimits { path: path.to_owned(), network: network.to_owned() });
    }
    Ok(limits)
}
