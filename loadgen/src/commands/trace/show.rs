//! `loadgen trace show`

use std::path::Path;

use command::{OutputArguments, output};
use loadgen::trace::summary::TraceSummary;
use loadgen::{LinkTrace, LoadgenError, Trace};
use schemas::{Bandwidth, Millis};
use serde::Serialize;

/// What a file holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Shown {
    Requests(TraceSummary),
    Link(LinkSummary),
}

#[derive(Debug, Serialize)]
struct LinkSummary {
    states: usize,
    last_change_ms: Millis,
    least_bandwidth_mbit: Bandwidth,
    greatest_bandwidth_mbit: Bandwidth,
    least_rtt_ms: Millis,
    greatest_rtt_ms: Millis,
}

/// Reads a trace of either kind and prints what it asks for.
pub fn run(file: &Path, output: OutputArguments) -> anyhow::Result<()> {
    let shown = match Trace::read(file) {
        Ok(trace) => Shown::Requests(trace.summary()),
        // Columns that no trace of requests has may be those of a link.
        Err(error @ (LoadgenError::InvalidValue { .. } | LoadgenError::MissingColumn { .. })) => {
            match LinkTrace::read(file) {
                Ok(link) => Shown::Link(summary(&link)),
                Err(of_link) => return Err(if is_link(file) { of_link } else { error }.into()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    output::print(output.json, &shown, text)
}

/// Whether the header looks like that of a link trace.
fn is_link(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let header = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    header.contains("bandwidth") || header.contains("rtt")
}

fn summary(link: &LinkTrace) -> LinkSummary {
    let bandwidth = || link.states().iter().map(|(_, state)| state.bandwidth_mbit.get());
    let rtt = || link.states().iter().map(|(_, state)| state.rtt_ms.get());
    LinkSummary {
        states: link.states().len(),
        last_change_ms: link.last_change(),
        least_bandwidth_mbit: Bandwidth::saturating(bandwidth().fold(f64::INFINITY, f64::min)),
        greatest_bandwidth_mbit: Bandwidth::saturating(bandwidth().fold(0.0, f64::max)),
        least_rtt_ms: Millis::saturating(rtt().fold(f64::INFINITY, f64::min)),
        greatest_rtt_ms: Millis::saturating(rtt().fold(0.0, f64::max)),
    }
}

fn text(shown: &Shown) -> String {
    match shown {
        Shown::Link(link) => format!(
            "{} states of a link, the last from {:.1} s on: {} to {}, round trips of {} to {}",
            link.states,
            link.last_change_ms.get() / 1e3,
            link.least_bandwidth_mbit,
            link.greatest_bandwidth_mbit,
            link.least_rtt_ms,
            link.greatest_rtt_ms,
        ),
        Shown::Requests(trace) => requests(trace),
    }
}

fn requests(trace: &TraceSummary) -> String {
    let pacing = match (trace.duration_ms, trace.rate) {
        (Some(duration), Some(rate)) => {
            format!("open loop over {:.1} s, {rate:.2} requests a second", duration.get() / 1e3)
        }
        (Some(_), None) => "open loop, all at once".to_owned(),
        _ => "closed loop, each when the one before has ended".to_owned(),
    };
    let queries = match trace.queries == trace.requests {
        true => String::new(),
        false => format!(" in {} queries", trace.queries),
    };
    let mut lines = vec![format!("{} requests{queries}, {pacing}", trace.requests)];
    for model in &trace.models {
        lines.push(format!(
            "{}: {} requests, limits {:.1} to {:.1}, median {:.1}, mean {:.1}",
            model.model, model.requests, model.least_ms, model.greatest_ms, model.median_ms, model.mean_ms
        ));
    }
    if trace.hard_limits > 0 {
        lines.push(format!("hard limits: {} requests", trace.hard_limits));
    }
    lines.extend(
        trace.tenants.iter().map(|(tenant, requests)| format!("tenant {tenant}: {requests} requests")),
    );
    lines.join("\n")
}
