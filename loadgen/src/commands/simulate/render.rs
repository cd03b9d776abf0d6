//! Simulations as text.

use loadgen::simulate::system::SystemReport;

use super::pool::PoolReport;
use crate::commands::table::{difference, interval, table};

/// Pool mode.
pub fn pool(report: &PoolReport) -> String {
    let headers = ["policy", "missed", "met %", "mean J", "mean ms", "cloud %", "split %", "edge %"];
    let mut rows = table(&headers, 1);
    for of in &report.policies {
        let mut cells = vec![
            of.policy.to_string(),
            interval(of.missed, 1),
            interval(of.met_percent, 2),
            interval(of.energy, 2),
            interval(of.latency, 1),
        ];
        cells.extend(of.sides_percent.map(|side| interval(side, 2)));
        rows.add_row(cells);
    }
    let runs = report.policies.first().map_or(0, |policy| policy.runs.len());
    format!(
        "{rows}\n\n{} requests of {}, {runs} runs, front of {} points. Outcomes are recorded runs.",
        report.requests, report.network, report.front
    )
}

/// System mode.
pub fn system(report: &SystemReport) -> String {
    let headers = [
        "policy",
        "within %",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "J edge",
        "J cloud",
        "cloud %",
        "split %",
        "edge %",
        "at home %",
        "turned away %",
        "lost %",
        "clouds busy %",
        "batch",
        "within, against the first",
        "energy %",
    ];
    let mut rows = table(&headers, 1);
    for of in &report.policies {
        let [cloud, split, edge] = of.sides_percent;
        rows.add_row([
            of.policy.to_string(),
            interval(of.within_percent, 2),
            interval(of.latency_p50, 1),
            interval(of.latency_p95, 1),
            interval(of.latency_p99, 1),
            interval(of.edge_energy, 3),
            interval(of.cloud_energy, 2),
            interval(cloud, 1),
            interval(split, 1),
            interval(edge, 1),
            interval(of.at_home_percent, 2),
            interval(of.turned_away_percent, 2),
            interval(of.lost_percent, 2),
            interval(of.cloud_busy_percent, 1),
            interval(of.batch, 2),
            difference(of.within_more, 2),
            difference(of.energy_more_percent, 1),
        ]);
    }
    let size = report.size;
    let pace = report.pace;
    format!(
        "{rows}\n\n{} requests of {} in each of {} runs a policy; {} edges, {} clouds. Energy and batch times are modelled from what \
         was recorded.\n{} events in {:.1} s on {} threads: {:.2} million a second a thread.",
        size.requests,
        report.network,
        size.runs,
        size.edges,
        size.clouds,
        pace.events,
        pace.wall_seconds,
        pace.threads,
        pace.events_a_second_a_thread / 1e6,
    )
}
