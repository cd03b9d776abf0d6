//! A campaign's findings as text.

use std::path::Path;

use loadgen::campaign::summary::{Cell, PolicyFigures, Summary};
use loadgen::estimate::{Estimate, Method};
use loadgen::results::Manifest;

use crate::commands::{origins, table};

const HEADERS: [&str; 11] = [
    "policy",
    "within %",
    "p50 ms",
    "p95 ms",
    "J",
    "accuracy %",
    "cloud/split/edge %",
    "failed",
    "within, points more",
    "mean ms more",
    "J, % more",
];

/// One table for each network, trace and link.
pub fn summary(summary: &Summary, manifest: &Manifest, folder: &Path) -> String {
    let mut parts: Vec<String> = summary.cells.iter().map(cell).collect();
    let first = manifest.policies.first().map_or_else(String::new, ToString::to_string);
    parts.push(format!(
        "\"More\" is against {first}, request by request. [low high] are 95 % confidence intervals; * leaves zero out.\n\
         Results in {}",
        folder.display()
    ));
    parts.join("\n\n")
}

fn cell(cell: &Cell) -> String {
    let mut rows = table::table(&HEADERS, 1);
    for of in &cell.policies {
        rows.add_row(row(of));
    }
    let link = cell.link.as_ref().map_or_else(String::new, |link| format!(", link {link}"));
    let requests = cell.policies.first().map_or(0, |of| of.requests);
    let intervals = match cell.method {
        Method::Bootstrap => "intervals by drawing blocks anew",
        Method::Student => "intervals by Student's t over blocks",
        Method::None => "one block: no intervals",
    };
    let sources: std::collections::BTreeSet<_> =
        cell.policies.iter().flat_map(|of| of.energy_origins.iter().copied()).collect();
    let energy = match sources.is_empty() {
        true => "energy not known".to_owned(),
        false => format!("energy {}", origins(&sources)),
    };
    format!(
        "{}, trace {}{link}: {requests} requests a policy in {} blocks ({intervals}), {energy}\n{rows}",
        cell.model, cell.trace, cell.blocks
    )
}

fn row(of: &PolicyFigures) -> Vec<String> {
    let difference = of.difference.as_ref();
    let failed: usize = of.failed.values().sum();
    vec![
        of.policy.to_string(),
        estimate(Some(of.within_percent), 1),
        estimate(of.latency_p50, 1),
        estimate(of.latency_p95, 1),
        estimate(of.energy, 3),
        estimate(of.accuracy_percent, 1),
        of.sides_percent.map_or_else(
            || "unknown".into(),
            |[cloud, split, edge]| format!("{cloud:.0}/{split:.0}/{edge:.0}"),
        ),
        failed.to_string(),
        more(difference.map(|difference| difference.within_points), 1),
        more(difference.and_then(|difference| difference.latency_mean), 1),
        more(difference.and_then(|difference| difference.energy_percent), 1),
    ]
}

fn estimate(estimate: Option<Estimate>, digits: usize) -> String {
    match estimate {
        None => "unknown".into(),
        Some(Estimate { value, low: Some(low), high: Some(high) }) => {
            format!("{value:.digits$} [{low:.digits$} {high:.digits$}]")
        }
        Some(Estimate { value, .. }) => format!("{value:.digits$}"),
    }
}

fn more(difference: Option<Estimate>, digits: usize) -> String {
    match difference {
        None => String::new(),
        Some(difference) => {
            let Estimate { value, low, high } = difference;
            let mark = if difference.is_apart_from_zero() { "*" } else { "" };
            match low.zip(high) {
                Some((low, high)) => format!("{value:+.digits$} [{low:+.digits$} {high:+.digits$}]{mark}"),
                None => format!("{value:+.digits$}"),
            }
        }
    }
}
