//! A run as time passes: the link, the cut, latency against limit, joules.

use plotly::common::{Line, LineShape, Marker, MarkerSymbol, Mode};
use plotly::layout::ItemSizing;
use plotly::{Layout, Plot, Scatter};

use crate::report::figure::{Figure, Table, known, number, slug};
use crate::report::material::{Cell, Request, Timeline};
use crate::report::style;

/// More requests than this are thinned at equal steps.
const MOST_REQUESTS: usize = 2000;

/// The places of joules, as requests have them.
const PLACES: [&str; 3] = ["edge", "wire", "cloud"];

/// The timeline of a condition.
pub fn figure(cell: &Cell) -> Figure {
    let name = slug(&format!("timeline {}", cell.name));
    let Some(timeline) = &cell.timeline else {
        return Figure::missing(name, "Timeline", "There is no run of policy adaptive.");
    };
    let title = format!("Timeline of policy {}", timeline.policy);
    let step = timeline.requests.len().div_ceil(MOST_REQUESTS).max(1);
    let shown: Vec<&Request> = timeline.requests.iter().step_by(step).collect();
    if shown.is_empty() {
        return Figure::missing(name, title, "The run has no request.");
    }
    let mut plot = Plot::new();
    link(&mut plot, timeline);
    cuts(&mut plot, &shown);
    latencies(&mut plot, &shown);
    joules(&mut plot, &shown);
    plot.set_layout(layout(!timeline.link.is_empty()));
    let thinned = if step > 1 { format!(" One request in {step} is shown.") } else { String::new() };
    let link = if timeline.link.is_empty() {
        "The link was left as it was, so only the cut, latencies and joules are to be seen."
    } else {
        "From above: what the link could carry, the cut that ran, latency against the limit, and the joules of each request."
    };
    let caption = format!("{link}{thinned} {}", cell.origins_said());
    Figure::plotted(name, title, caption, 860, plot, table(timeline, &shown))
}

fn link(plot: &mut Plot, timeline: &Timeline) {
    if timeline.link.is_empty() {
        return;
    }
    let end = timeline.requests.last().map_or(0.0, |last| last.at_s);
    // The last state lasts to the end.
    let states = timeline.link.iter().copied().filter(|(at, _)| *at <= end);
    let states: Vec<(f64, f64)> = states.chain(timeline.link.last().map(|(_, mbit)| (end, *mbit))).collect();
    let line = Scatter::new(
        states.iter().map(|state| state.0).collect(),
        states.iter().map(|state| state.1).collect(),
    )
    .name("link")
    .mode(Mode::Lines)
    .line(Line::new().shape(LineShape::Hv).color("#000000").width(1.5))
    .y_axis("y")
    .hover_template("%{x:.1f} s: %{y:.3g} Mbit/s");
    plot.add_trace(line);
}

fn marks(
    name: &str,
    points: Vec<(f64, f64)>,
    marker: Marker,
    axis: &str,
    unit: &str,
) -> Box<Scatter<f64, f64>> {
    Scatter::new(points.iter().map(|point| point.0).collect(), points.iter().map(|point| point.1).collect())
        .name(name)
        .mode(Mode::Markers)
        .marker(marker)
        .y_axis(axis)
        .hover_template(format!("%{{x:.1f}} s: %{{y:.4g}} {unit}"))
}

fn cuts(plot: &mut Plot, shown: &[&Request]) {
    let points =
        shown.iter().filter_map(|request| request.cut.map(|cut| (request.at_s, f64::from(cut)))).collect();
    let marker = Marker::new().color("#0072b2").symbol(MarkerSymbol::Square).size(4);
    plot.add_trace(marks("cut", points, marker, "y2", ""));
}

fn latencies(plot: &mut Plot, shown: &[&Request]) {
    let limits = shown.iter().map(|request| (request.at_s, request.limit_ms)).collect();
    let dash = Marker::new().color("#999999").symbol(MarkerSymbol::TriangleDownOpen).size(5);
    plot.add_trace(marks("limit", limits, dash, "y3", "ms"));
    let answered = |late: bool| {
        let here = shown.iter().filter(move |request| request.violation_ms().is_some() == late);
        here.filter_map(|request| request.latency_ms.map(|latency| (request.at_s, latency)))
            .collect::<Vec<_>>()
    };
    let within = Marker::new().color("#009e73").symbol(MarkerSymbol::Circle).size(4);
    plot.add_trace(marks("latency, within its limit", answered(false), within, "y3", "ms"));
    let late = answered(true);
    if !late.is_empty() {
        let marker = Marker::new().color("#d55e00").symbol(MarkerSymbol::X).size(7);
        plot.add_trace(marks("latency, late", late, marker, "y3", "ms"));
    }
}

fn joules(plot: &mut Plot, shown: &[&Request]) {
    for (place, name) in PLACES.into_iter().enumerate() {
        let points: Vec<(f64, f64)> = shown
            .iter()
            .filter_map(|request| request.joules[place].map(|joules| (request.at_s, joules)))
            .collect();
        if points.iter().any(|(_, joules)| *joules > 0.0) {
            let marker = style::of_place(name).marker().size(4);
            plot.add_trace(marks(&format!("joules, {name}"), points, marker, "y4", "J"));
        }
    }
}

fn layout(has_link: bool) -> Layout {
    let domains = if has_link {
        [[0.86, 1.0], [0.64, 0.82], [0.30, 0.60], [0.0, 0.26]]
    } else {
        [[0.99, 1.0], [0.76, 1.0], [0.38, 0.72], [0.0, 0.34]]
    };
    let [link, cut, latency, joules] = domains;
    style::layout()
        .show_legend(true)
        // The marks of a plot of thousands are too small to tell what they stand for.
        .legend(style::legend().item_sizing(ItemSizing::Constant))
        .x_axis(style::axis("s since the run began").anchor("y4"))
        .y_axis(style::logarithmic("Mbit/s").domain(&link).visible(has_link))
        .y_axis2(style::axis("cut").domain(&cut))
        .y_axis3(style::logarithmic("ms").domain(&latency))
        .y_axis4(style::axis("J").domain(&joules).range_mode(plotly::layout::RangeMode::ToZero))
}

fn table(timeline: &Timeline, shown: &[&Request]) -> Table {
    let mut table = Table::new([
        "at, s",
        "link, Mbit/s",
        "cut",
        "limit, ms",
        "latency, ms",
        "edge, J",
        "wire, J",
        "cloud, J",
    ]);
    let link_at =
        |at: f64| timeline.link.iter().take_while(|(begin, _)| *begin <= at).last().map(|(_, mbit)| *mbit);
    table.rows = shown
        .iter()
        .map(|request| {
            let joules = request.joules.map(known);
            let cut = request.cut.map_or(String::new(), |cut| cut.to_string());
            let figures = [
                number(request.at_s),
                known(link_at(request.at_s)),
                cut,
                number(request.limit_ms),
                known(request.latency_ms),
            ];
            figures.into_iter().chain(joules).collect()
        })
        .collect();
    table
}
