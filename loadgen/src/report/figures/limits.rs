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
/// Bars of a histogram at most.
const MOST_BINS: usize = 50;
/// A curve may rise above the highest bar by so much. That of the exponential distribution does so by less.
const MOST_OVER_BARS: f64 = 1.25;

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
    let mut highest = Highest::default();
    for (place, (asked, limits)) in asked(cells).iter().enumerate() {
        let Some(summary) = Summary::of(limits) else { continue };
        let fit = Weibull::fit(limits);
        table.rows.push(row(asked, &summary, fit));
        let style = style::of(place + 2);
        let bins = Bins::of(limits, &summary);
        highest.bar = highest.bar.max(bins.highest);
        plot.add_trace(bars(asked, limits, &bins, style));
        if let Some(fit) = fit {
            let densities = densities(&summary, &fit);
            highest.curve = densities.iter().map(|(_, density)| *density).fold(highest.curve, f64::max);
            plot.add_trace(curve(asked, densities, &fit, style));
        }
    }
    if plot.data().is_empty() {
        return Figure::missing(name.to_owned(), title, "There is no request.");
    }
    let density = style::axis("density, 1/ms").range(vec![0.0, highest.top()]);
    let limit = style::axis("latency limit, ms");
    plot.set_layout(style::layout().bar_mode(BarMode::Overlay).x_axis(limit).y_axis(density));
    let caption = format!(
        "The density of the latency limits, with the Weibull distribution that begins at the least of them and is most likely.{}",
        highest.said()
    );
    Figure::plotted(name.to_owned(), title, caption, 400, plot, table)
}

/// The greatest densities of all bars and of all curves.
#[derive(Default)]
struct Highest {
    bar: f64,
    curve: f64,
}

impl Highest {
    /// The end of the axis: as high as the bars need, and the curves as far as the bars are not flattened for them.
    fn top(&self) -> f64 {
        (self.curve.max(self.bar) * 1.05).min(self.bar * MOST_OVER_BARS)
    }

    /// What the caption says of a curve that goes beyond the axis.
    fn said(&self) -> &'static str {
        if self.curve > self.top() {
            " With a shape below 1 it has no greatest value where it begins: there it goes beyond the plot."
        } else {
            ""
        }
    }
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

fn bars(asked: &str, limits: &[f64], bins: &Bins, style: &Style) -> Box<Histogram<f64>> {
    Histogram::new(thinned(limits, MOST_VALUES))
        .name(asked)
        .hist_norm(HistNorm::ProbabilityDensity)
        .x_bins(bins.drawn())
        .opacity(0.55)
        .marker(style.bar())
        .legend_group(asked)
}

/// The bars of a histogram.
struct Bins {
    start: f64,
    size: f64,
    count: usize,
    /// The greatest density.
    highest: f64,
}

impl Bins {
    /// As many as the root of the number of values, up to [`MOST_BINS`]; one where all values are the same.
    fn of(sorted: &[f64], summary: &Summary) -> Self {
        let range = summary.greatest - summary.least;
        let count = ((sorted.len() as f64).sqrt().ceil() as usize).clamp(1, MOST_BINS);
        let (start, size, count) = match range > 0.0 {
            // A little wider, so that the greatest value is in the last one.
            true => (summary.least, range * (1.0 + 1e-6) / count as f64, count),
            false => (summary.least - 0.5, 1.0, 1),
        };
        let mut values = vec![0_usize; count];
        for value in sorted {
            let bin = ((value - start) / size) as usize;
            values[bin.min(count - 1)] += 1;
        }
        let most = values.into_iter().max().unwrap_or_default();
        Self { start, size, count, highest: most as f64 / sorted.len() as f64 / size }
    }

    fn drawn(&self) -> plotly::histogram::Bins {
        plotly::histogram::Bins::new(self.start, self.start + self.size * self.count as f64, self.size)
    }
}

/// A fitted distribution's density over the values.
fn densities(summary: &Summary, fit: &Weibull) -> Vec<(f64, f64)> {
    let range = summary.greatest - summary.least;
    let value = |step: u32| summary.least + range * (f64::from(step) + 0.5) / f64::from(STEPS);
    (0..STEPS).map(value).map(|value| (value, fit.density(value))).collect()
}

fn curve(asked: &str, densities: Vec<(f64, f64)>, fit: &Weibull, style: &Style) -> Box<Scatter<f64, f64>> {
    let (values, densities) = densities.into_iter().unzip();
    Scatter::new(values, densities)
        .name(format!("{asked}: Weibull, shape {:.2}", fit.shape))
        .mode(Mode::Lines)
        .line(style.line())
        .legend_group(asked)
}
