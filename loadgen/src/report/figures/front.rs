//! The front in latency, energy and accuracy, with what policies chose.

use plotly::common::{Marker, MarkerSymbol, Mode, Visible};
use plotly::{Layout, Plot, Scatter};
use schemas::PolicyName;

use crate::report::figure::{Figure, Table, known, number, slug};
use crate::report::material::{Measured, Network};
use crate::report::style;

/// A coordinate of a configuration.
type Coordinate = fn(&Measured) -> Option<f64>;

/// One look at the front: two of its three coordinates and the axes that they are drawn on.
struct Look {
    x: Coordinate,
    y: Coordinate,
    axes: (&'static str, &'static str),
}

const LATENCY: Coordinate = |one| Some(one.latency_ms);
const ENERGY: Coordinate = |one| one.energy_j;
const ACCURACY: Coordinate = |one| one.accuracy.map(|share| 100.0 * share);

const LOOKS: [Look; 3] = [
    Look { x: LATENCY, y: ENERGY, axes: ("x", "y") },
    Look { x: LATENCY, y: ACCURACY, axes: ("x", "y2") },
    Look { x: ENERGY, y: ACCURACY, axes: ("x2", "y3") },
];

/// Of a network; the looks with accuracy are left out where none was measured.
pub fn figure(network: &Network) -> Figure {
    let name = slug(&format!("front {}", network.name));
    let title = format!("The front, {}", network.name);
    if network.measured.iter().all(|one| one.energy_j.is_none()) {
        return Figure::missing(name, title, "No configuration with a known energy was measured.");
    }
    let has_accuracy = network.measured.iter().any(|one| one.accuracy.is_some());
    let looks = if has_accuracy { &LOOKS[..] } else { &LOOKS[..1] };
    let mut plot = Plot::new();
    for (place, look) in looks.iter().enumerate() {
        for trace in traces(network, look, place == 0) {
            plot.add_trace(trace);
        }
    }
    plot.set_layout(if has_accuracy { with_accuracy() } else { without_accuracy() });
    let accuracy =
        if has_accuracy { "; below, the accuracy over each of them" } else { "; no accuracy was measured" };
    let caption = format!(
        "Every measured configuration, those of the front filled: to the left is faster, below is thriftier{accuracy}. Rings are what a policy \
         chose, the wider the more often; those of the baselines appear when their name is chosen below."
    );
    let height = if has_accuracy { 900 } else { 460 };
    Figure::plotted(name, title, caption, height, plot, table(network))
}

#[expect(clippy::vec_box, reason = "plotly makes its traces boxed and takes them so")]
fn traces(network: &Network, look: &Look, in_legend: bool) -> Vec<Box<Scatter<f64, f64>>> {
    let side = |one: &Measured| match one.cut {
        0 => 0,
        cut if cut == network.last_cut => 2,
        _ => 1,
    };
    let kinds = [
        ("all in the cloud", 2, MarkerSymbol::Square),
        ("split", 5, MarkerSymbol::Circle),
        ("all on the edge", 3, MarkerSymbol::Diamond),
    ];
    let mut traces = Vec::new();
    let others: Vec<&Measured> = network.measured.iter().filter(|one| !one.on_front).collect();
    let grey = Marker::new().color("#999999").symbol(MarkerSymbol::CircleOpen).size(5);
    traces.extend(points(&others, look, "not of the front", grey, in_legend));
    for (place, (name, colour, symbol)) in kinds.into_iter().enumerate() {
        let here: Vec<&Measured> =
            network.measured.iter().filter(|one| one.on_front && side(one) == place).collect();
        let marker = Marker::new().color(style::of(colour).colour).symbol(symbol).size(9);
        traces.extend(points(&here, look, name, marker, in_legend));
    }
    for policy in PolicyName::SIMULATED {
        let chosen: Vec<(&Measured, u64)> = network
            .measured
            .iter()
            .filter_map(|one| one.chosen.iter().find(|(by, _)| *by == policy).map(|(_, count)| (one, *count)))
            .collect();
        let all: u64 = chosen.iter().map(|(_, count)| count).sum();
        let size = |count: &u64| 11 + (26.0 * (*count as f64 / all.max(1) as f64).sqrt()) as usize;
        let sizes = chosen.iter().map(|(_, count)| size(count)).collect();
        let marker = Marker::new()
            .size_array(sizes)
            .symbol(MarkerSymbol::CircleOpen)
            .color(style::of_policy(policy).colour)
            .line(plotly::common::Line::new().width(2.0));
        let chosen: Vec<&Measured> = chosen.into_iter().map(|(one, _)| one).collect();
        let trace = points(&chosen, look, &format!("chosen by {policy}"), marker, in_legend);
        let shown = if policy == PolicyName::Adaptive { Visible::True } else { Visible::LegendOnly };
        traces.extend(trace.map(|trace| trace.visible(shown)));
    }
    traces
}

/// None when there is no such point.
fn points(
    measured: &[&Measured],
    look: &Look,
    name: &str,
    marker: Marker,
    in_legend: bool,
) -> Option<Box<Scatter<f64, f64>>> {
    let at: Vec<(f64, f64, String)> =
        measured.iter().filter_map(|one| Some(((look.x)(one)?, (look.y)(one)?, said(one)))).collect();
    if at.is_empty() {
        return None;
    }
    let trace =
        Scatter::new(at.iter().map(|point| point.0).collect(), at.iter().map(|point| point.1).collect())
            .name(name)
            .legend_group(name)
            .show_legend(in_legend)
            .mode(Mode::Markers)
            .marker(marker)
            .x_axis(look.axes.0)
            .y_axis(look.axes.1)
            .text_array(at.into_iter().map(|point| point.2).collect())
            .hover_template("%{text}");
    Some(trace)
}

fn said(one: &Measured) -> String {
    let energy = one.energy_j.map_or(String::new(), |energy| format!(", {} J", number(energy)));
    let accuracy = one.accuracy.map_or(String::new(), |share| format!(", {:.2} % right", 100.0 * share));
    let chosen: String =
        one.chosen.iter().map(|(policy, count)| format!("<br>{policy}: {count} requests")).collect();
    format!(
        "{}<br>{} ms{energy}{accuracy}<br>{} samples{chosen}",
        one.configuration,
        number(one.latency_ms),
        one.samples
    )
}

fn without_accuracy() -> Layout {
    style::layout()
        .show_legend(true)
        .x_axis(style::logarithmic("mean latency, ms"))
        .y_axis(style::logarithmic("energy, J"))
}

fn with_accuracy() -> Layout {
    style::layout()
        .show_legend(true)
        .x_axis(style::logarithmic("mean latency, ms").anchor("y2"))
        .y_axis(style::logarithmic("energy, J").domain(&[0.66, 1.0]))
        .y_axis2(style::axis("right, %").domain(&[0.40, 0.63]))
        .x_axis2(style::logarithmic("energy, J").anchor("y3"))
        .y_axis3(style::axis("right, %").domain(&[0.0, 0.27]).anchor("x2"))
}

fn table(network: &Network) -> Table {
    let policies: Vec<PolicyName> = PolicyName::SIMULATED
        .into_iter()
        .filter(|policy| network.measured.iter().any(|one| one.chosen.iter().any(|(by, _)| by == policy)))
        .collect();
    let mut table = Table::new([
        "configuration",
        "latency, ms",
        "energy, J",
        "right answers, %",
        "samples",
        "of the front",
    ]);
    table.columns.extend(policies.iter().map(|policy| format!("chosen by {policy}")));
    let worth_showing = |one: &&Measured| one.on_front || !one.chosen.is_empty();
    let mut shown: Vec<&Measured> = network.measured.iter().filter(worth_showing).collect();
    shown.sort_by(|a, b| a.latency_ms.total_cmp(&b.latency_ms));
    table.rows = shown
        .into_iter()
        .map(|one| {
            let chosen = |policy: &PolicyName| {
                one.chosen.iter().find(|(by, _)| by == policy).map_or(0, |(_, count)| *count)
            };
            let mut row = vec![
                one.configuration.clone(),
                number(one.latency_ms),
                known(one.energy_j),
                known(ACCURACY(one)),
                one.samples.to_string(),
                if one.on_front { "yes" } else { "no" }.to_owned(),
            ];
            row.extend(policies.iter().map(|policy| chosen(policy).to_string()));
            row
        })
        .collect();
    table
}
