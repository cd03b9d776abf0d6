//! What requests asked for: the densities of their limits.

use plotly::common::Mode;
use plotly::histogram::HistNorm;
use plotly::layout::BarMode;
use plotly::{Histogram, Plot, Scatter};

use crate::report::figure::{Figure, Table, known, number};
use crate::report::material::Cell;
use crate::report::statistics::{Summary, Weibull, sorted, thinned};
use crate::report::style::{self, Style};

const MOST_VALUES: usize = 2000;
/// Points of a curve.
const STEPS: u32 = 200;

/// Histograms of the limits of each trace with the Weibull distribution that fits them best, as the paper draws them.
pub fn figure(cells: &[Cell]) -> Figure {
    let (name, title) = ("limits", "What requests ask for");
    let mut plot = Plot::new();
    let mut table = Table::new([
        "network and trace",
        "requests",
        "mean, ms",
        "median, ms",
        "least, ms",
        "greatest, ms",
        "Weibull: begin, ms",
        "shape",
        "scale, ms",
    ]);
    for (place, (asked, limits)) in asked(cells).iter().enumerate() {
        let Some(summary) = Summary::of(limits) else { continue };
        let fit = Weibull::fit(limits);
        table.rows.push(row(asked, &summary, fit));
        let style = style::of(place + 2);
        let bars = Histogram::new(thinned(limits, MOST_VALUES))
            .name(asked.as_str())
            .hist_norm(HistNorm::ProbabilityDensity)
            .opacity(0.55)
            .marker(style.bar())
            .legend_group(asked.as_str());
        plot.add_trace(bars);
        if let Some(fit) = fit {
            plot.add_trace(curve(asked, &summary, &fit, style));
        }
    }
    if plot.data().is_empty() {
        return Figure::missing(name.to_owned(), title, "There is no request.");
    }
    plot.set_layout(
        style::layout()
            .bar_mode(BarMode::Overlay)
            .x_axis(style::axis("latency limit, ms"))
            .y_axis(style::axis("density, 1/ms")),
    );
    let caption = "The density of the latency limits, with the Weibull distribution that begins at the least of them and is most likely.";
    Figure::plotted(name.to_owned(), title, caption, 400, plot, table)
}

/// The limits of each network and trace, ascending.
fn asked(cells: &[Cell]) -> Vec<(String, Vec<f64>)> {
    let mut seen: Vec<(String, Vec<f64>)> = Vec::new();
    for cell in cells {
        // Every policy got the same requests.
        let Some(run) = cell.runs.iter().max_by_key(|run| run.requests.len()) else { continue };
        let limits = sorted(run.requests.iter().map(|request| request.limit_ms));
        let asked = format!("{}, {}", cell.model, cell.trace);
        if !limits.is_empty() && !seen.iter().any(|(known, _)| *known == asked) {
            seen.push((asked, limits));
        }
    }
    seen
}

fn row(asked: &str, summary: &Summary, fit: Option<Weibull>) -> Vec<String> {
    let figures = [summary.mean, summary.median, summary.least, summary.greatest].map(number);
    let fitted = fit.map_or([None; 3], |fit| [fit.begin, fit.shape, fit.scale].map(Some)).map(known);
    [asked.to_owned(), summary.count.to_string()].into_iter().chain(figures).chain(fitted).collect()
}

/// A fitted distribution's density over the values.
fn curve(asked: &str, summary: &Summary, fit: &Weibull, style: &Style) -> Box<Scatter<f64, f64>> {
    let range = summary.greatest - summary.least;
    let values: Vec<f64> =
        (0..STEPS).map(|step| summary.least + range * (f64::from(step) + 0.5) / f64::from(STEPS)).collect();
    let densities = values.iter().map(|value| fit.density(*value)).collect();
    Scatter::new(values, densities)
        .name(format!("{asked}: Weibull, shape {:.2}", fit.shape))
        .mode(Mode::Lines)
        .line(style.line())
        .legend_group(asked)
}
