//! What requests took, by policy: latency, energy, and how far beyond the limit.

use plotly::Plot;
use plotly::common::Title;

use crate::report::figure::{Figure, Table, number, slug};
use crate::report::material::{Cell, PolicyRun, Request};
use crate::report::statistics::{Summary, sorted, thinned};
use crate::report::style;
use crate::report::violin::{Drawn, Violin, are_few, points};

/// What a violin is of.
struct Quantity {
    name: &'static str,
    title: &'static str,
    axis: &'static str,
    caption: &'static str,
    missing: &'static str,
    of: fn(&Request) -> Option<f64>,
}

const QUANTITIES: [Quantity; 3] = [
    Quantity {
        name: "latency",
        title: "Latency",
        axis: "latency, ms",
        caption: "From a request's arrival to its answer. Requests without an answer are not in it.",
        missing: "No request was answered.",
        of: |request| request.latency_ms,
    },
    Quantity {
        name: "energy",
        title: "Energy",
        axis: "energy of a request, J",
        caption: "All places whose joules are known.",
        missing: "Nothing measured or modelled the energy of these requests.",
        of: |request| request.energy_j(),
    },
    Quantity {
        name: "violation",
        title: "Violations of the limit",
        axis: "beyond the limit, ms",
        caption: "How far beyond its limit a request was answered. Requests within their limit, and those without an answer, are \
                  not in it.",
        missing: "Every answered request was within its limit.",
        of: |request| request.violation_ms(),
    },
];

/// A violin is drawn from so many values at most.
const MOST_VALUES: usize = 800;

/// Latency, energy and violations of a condition.
pub fn figures(cell: &Cell) -> Vec<Figure> {
    QUANTITIES.iter().map(|quantity| figure(cell, quantity)).collect()
}

fn figure(cell: &Cell, quantity: &Quantity) -> Figure {
    let name = slug(&format!("{} {}", quantity.name, cell.name));
    let mut plot = Plot::new();
    let mut table = Table::new([
        "policy",
        "requests",
        "in the plot",
        "mean",
        "least",
        "25 %",
        "median",
        "75 %",
        "95 %",
        "99 %",
        "greatest",
    ]);
    let mut drawn = Drawn::default();
    for run in &cell.runs {
        let values = sorted(run.requests.iter().filter_map(quantity.of));
        table.rows.push(row(run, &values));
        // Plotly joins traces of one name: the counts are in it.
        let label = format!("{}<br>n={}", run.policy, values.len());
        let style = style::of_policy(run.policy);
        if values.is_empty() {
            continue;
        } else if are_few(&values) {
            drawn.points = true;
            plot.add_trace(points(&label, values, style));
        } else {
            drawn.shapes = true;
            plot.add_trace(Violin::new(label, thinned(&values, MOST_VALUES), style));
        }
    }
    if plot.data().is_empty() {
        return Figure { table, ..Figure::missing(name, quantity.title, quantity.missing) };
    }
    let y_axis = style::axis(quantity.axis).range_mode(plotly::layout::RangeMode::ToZero);
    plot.set_layout(
        style::layout().show_legend(false).y_axis(y_axis).x_axis(style::axis("").title(Title::new())),
    );
    let shapes = "Each violin is as wide as any other; inside, the box holds the middle half, and the dashed line is the mean.";
    let caption = format!("{} {}{}", quantity.caption, cell.origins_said(), drawn.said(shapes));
    Figure::plotted(name, quantity.title, caption, 430, plot, table)
}

fn row(run: &PolicyRun, values: &[f64]) -> Vec<String> {
    let counts = [run.policy.to_string(), run.requests.len().to_string(), values.len().to_string()];
    let figures = Summary::of(values).map_or([None; 8], |summary| {
        let Summary { mean, least, first_quartile, median, third_quartile, p95, p99, greatest, .. } = summary;
        [mean, least, first_quartile, median, third_quartile, p95, p99, greatest].map(Some)
    });
    counts.into_iter().chain(figures.map(|figure| figure.map(number).unwrap_or_default())).collect()
}
