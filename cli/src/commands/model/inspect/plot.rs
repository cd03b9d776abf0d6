//! Bytes and multiply-accumulates over the cuts.

use plotly::common::{DashType, Line, LineShape, Marker, MarkerSymbol, Mode, Title};
use plotly::layout::{Axis, AxisType, HoverMode, Legend, Margin};
use plotly::{Layout, Plot, Scatter};
use schemas::{CutDescription, ElementFormat, ModelDescription};

use crate::page::Page;
use crate::render;

/// Colours that colour-blind people tell apart (Okabe and Ito); each line has a dash and marks of its own besides.
const LINES: [(ElementFormat, &str, &str, DashType, MarkerSymbol); 3] = [
    (ElementFormat::F32, "f32", "#0072b2", DashType::Solid, MarkerSymbol::Circle),
    (ElementFormat::F16, "f16", "#e69f00", DashType::Dash, MarkerSymbol::Square),
    (ElementFormat::I8, "i8", "#009e73", DashType::Dot, MarkerSymbol::Diamond),
];

/// Bytes on a logarithmic axis above, the share of the work that the head has done below.
pub fn page(description: &ModelDescription) -> Page {
    let mut plot = Plot::new();
    let numbers: Vec<u16> = description.cuts.iter().map(|cut| cut.cut.0).collect();
    for (elements, name, colour, dash, symbol) in LINES {
        // Nothing crosses the last cut, which a logarithmic axis cannot show.
        let crossing = description.cuts.iter().filter(|cut| cut.bytes.0 > 0);
        let bytes = crossing.map(|cut| cut.bytes_in(elements).map_or(0, |bytes| bytes.0)).collect();
        let line = Scatter::new(numbers.clone(), bytes)
            .name(format!("bytes as {name}"))
            .mode(Mode::LinesMarkers)
            .marker(Marker::new().symbol(symbol).size(5).color(colour))
            .line(Line::new().color(colour).dash(dash).width(1.5))
            .text_array(description.cuts.iter().map(said).collect())
            .hover_template("%{text}<br>%{y:.4s}B");
        plot.add_trace(line);
    }
    let whole = description.cuts.first().map_or(1, |cut| cut.macs_after.max(1));
    let shares = description.cuts.iter().map(|cut| 100.0 * cut.macs_before as f64 / whole as f64).collect();
    let work = Scatter::new(numbers, shares)
        .name("MACs in the head, %")
        .mode(Mode::Lines)
        .line(Line::new().color("#000000").shape(LineShape::Hv).width(2.0))
        .text_array(description.cuts.iter().map(said).collect())
        .hover_template("%{text}<br>%{y:.1f} % of the work before")
        .y_axis("y2");
    plot.add_trace(work);
    plot.set_layout(layout());
    Page {
        title: format!("Where {} can be cut", description.name),
        about: format!(
            "{} cuts, input {}, {:.1} million multiply-accumulates. Above, what crosses each cut for one picture, before \
             compression; below, how much of the work lies before it.",
            description.cuts.len(),
            render::shape(&description.input.shape),
            whole as f64 / 1e6
        ),
        plot,
    }
}

fn said(cut: &CutDescription) -> String {
    let tensors: Vec<String> = cut
        .frontier
        .iter()
        .map(|tensor| format!("{} {}", tensor.name, render::shape(&tensor.shape)))
        .collect();
    format!("cut {} after {}<br>{}", cut.cut, cut.name, tensors.join("<br>"))
}

fn layout() -> Layout {
    let bytes = Axis::new().title(Title::with_text("bytes")).type_(AxisType::Log).domain(&[0.36, 1.0]);
    let work = Axis::new().title(Title::with_text("work before, %")).domain(&[0.0, 0.28]).range(vec![0, 102]);
    Layout::new()
        .x_axis(Axis::new().title(Title::with_text("cut")).anchor("y2"))
        .y_axis(bytes)
        .y_axis2(work)
        .hover_mode(HoverMode::Closest)
        .legend(Legend::new().orientation(plotly::common::Orientation::Horizontal).y(-0.14))
        .margin(Margin::new().left(60).right(15).top(25).bottom(45))
        .auto_size(true)
}
