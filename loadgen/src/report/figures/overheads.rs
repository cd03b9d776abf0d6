//! What deciding and setting the hardware cost.

use plotly::box_plot::{BoxMean, BoxPoints};
use plotly::layout::RangeMode;
use plotly::{BoxPlot, Plot};

use crate::report::figure::{Figure, Table, number, slug};
use crate::report::material::{Cell, Request};
use crate::report::statistics::{Summary, sorted, thinned};
use crate::report::style;
use crate::report::violin::{Drawn, are_few, points};

/// A cost beside the work itself.
struct Overhead {
    name: &'static str,
    title: &'static str,
    caption: &'static str,
    missing: &'static str,
    of: fn(&Request) -> Option<f64>,
}

const OVERHEADS: [Overhead; 3] = [
    Overhead {
        name: "plan",
        title: "Overhead: the decision",
        caption: "The scheduler's decision, with the way there and back.",
        missing: "Nothing says what decisions took: recorded and simulated runs have no way to a scheduler.",
        of: |request| request.plan_ms,
    },
    Overhead {
        name: "change",
        title: "Overhead: setting the hardware",
        caption: "Setting the clock or the accelerator, where they were not set so already.",
        missing: "No request had the hardware changed, or nothing says what it took.",
        of: |request| request.change_ms,
    },
    Overhead {
        name: "rest",
        title: "Overhead: on the way",
        caption: "The part of the latency that no stage explains: messages between the services.",
        missing: "Nothing says more of these requests than their stages.",
        of: |request| request.unexplained_ms,
    },
];

const MOST_VALUES: usize = 800;

/// The three of a condition.
pub fn figures(cell: &Cell) -> Vec<Figure> {
    OVERHEADS.iter().map(|overhead| figure(cell, overhead)).collect()
}

fn figure(cell: &Cell, overhead: &Overhead) -> Figure {
    let name = slug(&format!("overhead {} {}", overhead.name, cell.name));
    let mut plot = Plot::new();
    let mut table = Table::new(["policy", "requests", "mean, ms", "median, ms", "95 %, ms", "greatest, ms"]);
    let mut how = Drawn::default();
    for run in &cell.runs {
        let values = sorted(run.requests.iter().filter_map(overhead.of));
        let Some(summary) = Summary::of(&values) else { continue };
        let Summary { count, mean, median, p95, greatest, .. } = summary;
        let figures = [mean, median, p95, greatest].map(number);
        table.rows.push([run.policy.to_string(), count.to_string()].into_iter().chain(figures).collect());
        let (label, style) = (format!("{}<br>n={count}", run.policy), style::of_policy(run.policy));
        if are_few(&values) {
            how.points = true;
            plot.add_trace(points(&label, values, style));
            continue;
        }
        how.shapes = true;
        let drawn = BoxPlot::new(thinned(&values, MOST_VALUES))
            .name(label)
            .marker(style.marker().size(4))
            .line(style.line().dash(plotly::common::DashType::Solid).width(1.5))
            .box_mean(BoxMean::True)
            .box_points(BoxPoints::Outliers);
        plot.add_trace(drawn);
    }
    if plot.data().is_empty() {
        return Figure::missing(name, overhead.title, overhead.missing);
    }
    let y_axis = style::axis("ms").range_mode(RangeMode::ToZero);
    plot.set_layout(style::layout().show_legend(false).x_axis(style::axis("")).y_axis(y_axis));
    let shapes = "The box holds the middle half, the dashed line is the mean.";
    let caption = format!("{} {}", overhead.caption, how.said(shapes));
    Figure::plotted(name, overhead.title, caption, 340, plot, table)
}
