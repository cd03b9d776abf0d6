//! A front over latency and energy, as a page and on the terminal.

use plotly::common::{DashType, ErrorData, ErrorType, Line, Marker, MarkerSymbol, Mode, Title};
use plotly::layout::{Axis, AxisType, HoverMode, Legend, Margin};
use plotly::{Layout, Plot, Scatter};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::Marker as Dot;
use ratatui::widgets::{Axis as Side, Chart, Dataset, GraphType, Widget};
use schemas::{Cut, Front, Measurement};

use crate::page::Page;
use crate::render;

/// Where a configuration runs the network: its name, its colour (Okabe and Ito, which colour-blind people tell apart), its mark
/// in the page, and on the terminal.
const PLACES: [(&str, &str, MarkerSymbol, &str); 3] = [
    ("all in the cloud", "#0072b2", MarkerSymbol::Square, "C"),
    ("split", "#e69f00", MarkerSymbol::Circle, "s"),
    ("all on the edge", "#009e73", MarkerSymbol::Diamond, "E"),
];

/// Columns and lines of the drawing on the terminal.
const SIZE: (u16, u16) = (78, 22);

fn place(front: &Front, one: &Measurement) -> usize {
    match one.configuration.cut {
        Cut::ALL_CLOUD => 0,
        cut if cut == front.last_cut => 2,
        _ => 1,
    }
}

/// The joules of a request; of an unknown energy none, so that the points lie on one line.
fn energy(one: &Measurement) -> f64 {
    one.joules().map_or(0.0, |joules| joules.get())
}

/// The page: both axes logarithmic, intervals as bars, what is tied hollow, what is suspect crossed out.
pub fn page(front: &Front) -> Page {
    let mut plot = Plot::new();
    for (number, (name, colour, symbol, _)) in PLACES.into_iter().enumerate() {
        let here = |points: &[Measurement]| -> Vec<Measurement> {
            points.iter().filter(|one| place(front, one) == number).cloned().collect()
        };
        let kinds = [
            (here(&front.points), name.to_owned(), colour, symbol.clone()),
            (here(&front.tied), format!("{name}, tied"), "rgba(120,120,120,0.6)", symbol),
            (here(&front.suspects), format!("{name}, suspect"), "#d55e00", MarkerSymbol::X),
        ];
        for (points, name, colour, symbol) in kinds {
            if !points.is_empty() {
                plot.add_trace(trace(&points, &name, colour, symbol));
            }
        }
    }
    plot.add_trace(staircase(front));
    plot.set_layout(layout());
    let emulated = front.emulates.as_ref().map_or(String::new(), |device| format!(" (emulating a {device})"));
    Page {
        title: format!("Front of {} on {}{emulated} and {}", front.model, front.edge, front.cloud),
        about: format!(
            "Revision {}: {} points of {} measured configurations, {} tied. To the left is faster, below is thriftier; the bars \
             are 95 % confidence intervals of the latency.",
            front.revision,
            front.points.len(),
            front.measured,
            front.tied.len()
        ),
        plot,
    }
}

fn trace(
    points: &[Measurement],
    name: &str,
    colour: &'static str,
    symbol: MarkerSymbol,
) -> Box<Scatter<f64, f64>> {
    let latency = |one: &Measurement| one.judged_ms().get();
    let above =
        |one: &Measurement| one.uncertainty.map_or(0.0, |known| (known.high_ms - known.estimate_ms).get());
    let below =
        |one: &Measurement| one.uncertainty.map_or(0.0, |known| (known.estimate_ms - known.low_ms).get());
    let bars = ErrorData::new(ErrorType::Data)
        .array(points.iter().map(above).collect())
        .array_minus(points.iter().map(below).collect());
    Scatter::new(points.iter().map(latency).collect(), points.iter().map(energy).collect())
        .name(name)
        .mode(Mode::Markers)
        .marker(Marker::new().symbol(symbol).size(9).color(colour))
        .error_x(bars)
        .text_array(points.iter().map(said).collect())
        .hover_template("%{text}")
}

fn said(one: &Measurement) -> String {
    let accuracy = one.accuracy.map_or(String::new(), |accuracy| {
        format!("<br>{:.1} % right of {} pictures", accuracy.share.get() * 100.0, accuracy.pictures)
    });
    format!(
        "{}, after {}<br>{:.1} ms, {}{accuracy}<br>{} samples",
        one.configuration,
        one.cut_name,
        one.judged_ms().get(),
        render::joules(&one.energy),
        one.samples
    )
}

/// The least energy within each latency.
fn staircase(front: &Front) -> Box<Scatter<f64, f64>> {
    let mut points: Vec<(f64, f64)> =
        front.points.iter().map(|one| (one.judged_ms().get(), energy(one))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut least = f64::INFINITY;
    let steps: Vec<(f64, f64)> = points
        .into_iter()
        .map(|(latency, energy)| {
            least = least.min(energy);
            (latency, least)
        })
        .collect();
    Scatter::new(steps.iter().map(|step| step.0).collect(), steps.iter().map(|step| step.1).collect())
        .name("least energy within a latency")
        .mode(Mode::Lines)
        .line(
            Line::new().color("#000000").dash(DashType::Dot).width(1.0).shape(plotly::common::LineShape::Hv),
        )
        .hover_info(plotly::common::HoverInfo::Skip)
}

fn layout() -> Layout {
    let axis = |title: &str| Axis::new().title(Title::with_text(title)).type_(AxisType::Log);
    Layout::new()
        .x_axis(axis("latency, ms"))
        .y_axis(axis("energy of a request, J"))
        .hover_mode(HoverMode::Closest)
        .legend(Legend::new().orientation(plotly::common::Orientation::Horizontal).y(-0.14))
        .margin(Margin::new().left(60).right(15).top(25).bottom(45))
        .auto_size(true)
}

/// The same for a terminal, with a letter a point.
pub fn text(front: &Front) -> String {
    let of = |one: &Measurement| (one.judged_ms().get().max(1e-3).log10(), energy(one).max(1e-6).log10());
    let all: Vec<(f64, f64)> = front.points.iter().map(of).collect();
    let bounds = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = 0.05 * (high - low).max(0.1);
        [low - margin, high + margin]
    };
    let (x, y) = (bounds(all.iter().map(|at| at.0).collect()), bounds(all.iter().map(|at| at.1).collect()));
    let data: Vec<Vec<(f64, f64)>> = (0..PLACES.len())
        .map(|number| front.points.iter().filter(|one| place(front, one) == number).map(of).collect())
        .collect();
    let marks: Vec<char> = PLACES.iter().filter_map(|(_, _, _, mark)| mark.chars().next()).collect();
    let sets = data.iter().zip(&marks).map(|(data, mark)| {
        Dataset::default().marker(Dot::Custom(*mark)).graph_type(GraphType::Scatter).data(data)
    });
    let labels = |[low, high]: [f64; 2], unit: &str| -> Vec<String> {
        [low, f64::midpoint(low, high), high]
            .iter()
            .map(|at| format!("{:.3} {unit}", 10_f64.powf(*at)))
            .collect()
    };
    let chart = Chart::new(sets.collect())
        .legend_position(None)
        .x_axis(Side::default().bounds(x).labels(labels(x, "ms")))
        .y_axis(Side::default().bounds(y).labels(labels(y, "J")));
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut buffer = Buffer::empty(area);
    chart.render(area, &mut buffer);
    let line = |row: u16| -> String {
        let cells: String = (0..SIZE.0).map(|column| buffer[(column, row)].symbol()).collect();
        cells.trim_end().to_owned()
    };
    let drawing: Vec<String> = (0..SIZE.1).map(line).collect();
    let legend: Vec<String> = PLACES.iter().map(|(name, _, _, mark)| format!("{mark} {name}")).collect();
    format!(
        "Front of {} on {} and {}, revision {}: latency to the right, joules upwards, both logarithmic\n{}\n{}",
        front.model,
        front.edge,
        front.cloud,
        front.revision,
        drawing.join("\n"),
        legend.join("   ")
    )
}
