//! Simulations as text.

use loadgen::simulate::system::{PolicyFigures, SystemReport};

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

/// A column's heading, and what it shows of a policy.
type Column = (&'static str, fn(&PolicyFigures) -> String);

/// The columns of system mode, after the policy.
const COLUMNS: [Column; 16] = [
    ("within %", |of| interval(of.within_percent, 2)),
    ("p50 ms", |of| interval(of.latency_p50, 1)),
    ("p95 ms", |of| interval(of.latency_p95, 1)),
    ("p99 ms", |of| interval(of.latency_p99, 1)),
    ("J edge", |of| interval(of.edge_energy, 3)),
    ("J cloud", |of| interval(of.cloud_energy, 2)),
    ("cloud %", |of| interval(of.sides_percent[0], 1)),
    ("split %", |of| interval(of.sides_percent[1], 1)),
    ("edge %", |of| interval(of.sides_percent[2], 1)),
    ("at home %", |of| interval(of.at_home_percent, 2)),
    ("turned away %", |of| interval(of.turned_away_percent, 2)),
    ("lost %", |of| interval(of.lost_percent, 2)),
    ("clouds busy %", |of| interval(of.cloud_busy_percent, 1)),
    ("batch", |of| interval(of.batch, 2)),
    ("within, against the first", |of| difference(of.within_more, 2)),
    ("energy %", |of| difference(of.energy_more_percent, 1)),
];

/// System mode.
pub fn system(report: &SystemReport) -> String {
    let headers: Vec<&str> = ["policy"].into_iter().chain(COLUMNS.map(|(heading, _)| heading)).collect();
    let mut rows = table(&headers, 1);
    for of in &report.policies {
        let cells = COLUMNS.iter().map(|(_, cell)| cell(of));
        rows.add_row([of.policy.to_string()].into_iter().chain(cells));
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
