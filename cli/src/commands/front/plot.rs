//! A front over latency and energy, as a page and on the terminal.

use plotly::common::{DashType, ErrorData, ErrorType, Line, Marker, MarkerSymbol, Mode, Title};
use plotly::layout::{Axis, AxisType, HoverMode, Legend, Margin};
use plotly::{Layout, Plot, Scatter};
use schemas::{Cut, Front, Measurement};

use crate::page::Page;
use crate::render;

/// Where a configuration runs the network: its name, its colour (Okabe and Ito, which colour-blind people tell apart), its mark
/// in the page, and on the terminal.
const PLACES: [(&str, &str, MarkerSymbol, char); 3] = [
    ("all in the cloud", "#0072b2", MarkerSymbol::Square, 'C'),
    ("split", "#e69f00", MarkerSymbol::Circle, 's'),
    ("all on the edge", "#009e73", MarkerSymbol::Diamond, 'E'),
];

/// Columns and lines of the drawing on the terminal, without the axes' numbers.
const SIZE: (usize, usize) = (64, 20);

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

/// The same for a terminal, with a letter a point. Of points in one place the last is seen.
pub fn text(front: &Front) -> String {
    let of = |one: &Measurement| [one.judged_ms().get().max(1e-3).log10(), energy(one).max(1e-6).log10()];
    let points: Vec<([f64; 2], char)> =
        front.points.iter().map(|one| (of(one), PLACES[place(front, one)].3)).collect();
    let [across, upwards] = [0, 1].map(|axis| bounds(points.iter().map(|(at, _)| at[axis])));
    let (columns, rows) = SIZE;
    let mut cells = vec![vec![' '; columns]; rows];
    for (at, mark) in &points {
        let row = rows - 1 - cell(at[1], upwards, rows);
        cells[row][cell(at[0], across, columns)] = *mark;
    }
    let number = |log: f64| format!("{:.3}", 10_f64.powf(log));
    let [low, high] = upwards;
    let labels = [(0, high), (rows / 2, f64::midpoint(low, high)), (rows - 1, low)];
    let lines = cells.into_iter().enumerate().map(|(row, line)| {
        let label = labels.iter().find(|(at, _)| *at == row).map(|(_, log)| format!("{} J ┤", number(*log)));
        let line: String = line.into_iter().collect();
        format!("{:>14}{}", label.as_deref().unwrap_or("│"), line.trim_end())
    });
    let drawing: Vec<String> = lines.collect();
    let [low, high] = across;
    let below =
        format!("{:>14}{:<28}{:<28}{} ms", "", number(low), number(f64::midpoint(low, high)), number(high));
    let legend: Vec<String> = PLACES.iter().map(|(name, _, _, mark)| format!("{mark} {name}")).collect();
    format!(
        "Front of {} on {} and {}, revision {}: latency to the right, joules upwards, both logarithmic\n{}\n{:>14}{}\n{below}\n{}",
        front.model,
        front.edge,
        front.cloud,
        front.revision,
        drawing.join("\n"),
        "└",
        "─".repeat(columns),
        legend.join("   ")
    )
}

/// From where to where an axis goes, a little beyond its values.
fn bounds(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let margin = 0.05 * (high - low).max(0.1);
    [low - margin, high + margin]
}

/// The cell of an axis that a value falls into.
fn cell(value: f64, [low, high]: [f64; 2], cells: usize) -> usize {
    ((value - low) / (high - low) * cells as f64).clamp(0.0, (cells - 1) as f64) as usize
}
