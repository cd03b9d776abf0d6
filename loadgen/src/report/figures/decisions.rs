//! What the policies decided: where requests ran, and how they ended.

use plotly::common::TextPosition;
use plotly::layout::BarMode;
use plotly::{Bar, Plot};

use crate::recording::Side;
use crate::report::figure::{Figure, Table, number, slug};
use crate::report::material::Cell;
use crate::report::style;

const SIDES: [(Side, &str); 3] =
    [(Side::Cloud, "all in the cloud"), (Side::Split, "split"), (Side::Edge, "all on the edge")];

/// Where requests ran, by policy.
pub fn sides(cell: &Cell) -> Figure {
    let name = slug(&format!("decisions {}", cell.name));
    let title = "Decisions";
    let mut plot = Plot::new();
    let mut table =
        Table::new(["policy", "requests", "all in the cloud", "split", "all on the edge", "nowhere"]);
    for run in &cell.runs {
        let counts =
            SIDES.map(|(side, _)| run.requests.iter().filter(|request| request.side == Some(side)).count());
        let ran: usize = counts.iter().sum();
        let nowhere = run.requests.len() - ran;
        let row = [run.requests.len()].into_iter().chain(counts).chain([nowhere]);
        table
            .rows
            .push([run.policy.to_string()].into_iter().chain(row.map(|count| count.to_string())).collect());
        if ran > 0 {
            let bar = Bar::new(SIDES.map(|(_, side)| side).to_vec(), counts.to_vec())
                .name(run.policy.as_str())
                .marker(style::of_policy(run.policy).bar())
                .text_array(counts.map(|count| count.to_string()).to_vec())
                .text_position(TextPosition::Outside)
                .hover_template("%{y} requests %{x}");
            plot.add_trace(bar);
        }
    }
    if plot.data().is_empty() {
        return Figure {
            table,
            ..Figure::missing(name, title, "It is not known where any of these requests ran.")
        };
    }
    let layout =
        style::layout().bar_mode(BarMode::Group).x_axis(style::axis("")).y_axis(style::axis("requests"));
    plot.set_layout(layout);
    let caption =
        "Where the configurations that ran have the network run; numbers above the bars are requests.";
    Figure::plotted(name, title, caption, 420, plot, table)
}

/// How requests ended, by policy.
pub fn endings(cell: &Cell) -> Figure {
    let name = slug(&format!("outcomes {}", cell.name));
    let title = "Outcomes";
    let kinds = ["within the limit", "late", "no answer"];
    let shares: Vec<[f64; 3]> = cell
        .runs
        .iter()
        .map(|run| {
            let all = run.requests.len().max(1) as f64;
            let late = run.requests.iter().filter(|request| request.violation_ms().is_some()).count() as f64;
            let lost = run.requests.iter().filter(|request| request.latency_ms.is_none()).count() as f64;
            [all - late - lost, late, lost].map(|count| 100.0 * count / all)
        })
        .collect();
    let mut table = Table::new(["policy", "requests", "within, %", "late, %", "no answer, %"]);
    for (run, shares) in cell.runs.iter().zip(&shares) {
        let counts = [run.policy.to_string(), run.requests.len().to_string()];
        table.rows.push(counts.into_iter().chain(shares.map(number)).collect());
    }
    if cell.runs.iter().all(|run| run.requests.is_empty()) {
        return Figure::missing(name, title, "There is no request.");
    }
    let mut plot = Plot::new();
    let policies: Vec<String> = cell.runs.iter().map(|run| run.policy.to_string()).collect();
    // Green, orange and black, each with its pattern.
    for ((place, kind), colour) in kinds.iter().enumerate().zip([3, 5, 6]) {
        let bar = Bar::new(policies.clone(), shares.iter().map(|shares| shares[place]).collect())
            .name(*kind)
            .marker(style::of(colour).bar())
            .hover_template("%{x}: %{y:.2f} %");
        plot.add_trace(bar);
    }
    let y_axis = style::axis("share of requests, %").range(vec![0.0, 100.0]);
    plot.set_layout(style::layout().bar_mode(BarMode::Stack).x_axis(style::axis("")).y_axis(y_axis));
    Figure::plotted(name, title, "How requests ended, as shares of all that arrived.", 380, plot, table)
}
