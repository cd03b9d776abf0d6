//! What the cut does: latency and energy by stage and place, and accuracy.

use std::collections::BTreeMap;

use plotly::common::Mode;
use plotly::layout::BarMode;
use plotly::{Bar, Plot, Scatter};

use super::knobs::{highest_clock, two_panels};
use crate::report::figure::{Figure, Table, known, number, slug};
use crate::report::material::{Measured, Network};
use crate::report::style::{self, Style};

/// Latency stacked by stage and place, energy stacked by place and source, over the cut.
pub fn stages(network: &Network) -> Figure {
    let name = slug(&format!("cuts {}", network.name));
    let title = format!("The cut, {}", network.name);
    let best = fastest_by_cut(network);
    if best.len() < 2 {
        return Figure::missing(
            name,
            title,
            "Fewer than two cuts were measured: nothing can be said of the cut.",
        );
    }
    let mut plot = Plot::new();
    for (parts, axis, unit) in [(Part::Time, "y", "ms"), (Part::Energy, "y2", "J")] {
        for (place, part) in names(&best, parts).into_iter().enumerate() {
            let values = best.iter().map(|one| value(one, parts, &part));
            // A colour for each place, a pattern for each of its parts.
            let style = Style {
                pattern: style::of(place).pattern.clone(),
                ..style::of_place(parts.place(&part)).clone()
            };
            let bar =
                Bar::new(best.iter().map(|one| one.cut).collect(), values.collect::<Vec<Option<f64>>>())
                    .name(format!("{}: {part}", parts.word()))
                    .marker(style.bar())
                    .y_axis(axis)
                    .hover_template(format!("cut %{{x}}, {part}: %{{y:.4g}} {unit}"));
            plot.add_trace(bar);
        }
    }
    plot.set_layout(two_panels(style::axis("cut")).bar_mode(BarMode::Stack).bar_gap(0.15));
    let caption = "For each cut the fastest configuration at the highest clock that was measured there. Above, where the time goes; below, \
                   where the joules go. Cut 0 is all in the cloud, the last one all on the edge.";
    Figure::plotted(name, title, caption, 560, plot, table(&best))
}

/// What is stacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Time,
    Energy,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Energy => "energy",
        }
    }

    /// Where a part is: stages name it last, joules first.
    fn place(self, part: &str) -> &str {
        match self {
            Self::Time => part.rsplit(", ").next().unwrap_or(part),
            Self::Energy => part.split(", ").next().unwrap_or(part),
        }
    }

    fn of(self, one: &Measured) -> &[(String, f64)] {
        match self {
            Self::Time => &one.stages,
            Self::Energy => &one.joules,
        }
    }
}

/// The parts in the order in which a request meets them; one that is nothing everywhere is left out.
fn names(measured: &[&Measured], parts: Part) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, value) in measured.iter().flat_map(|one| parts.of(one)) {
        if *value > 0.0 && !names.contains(name) {
            names.push(name.clone());
        }
    }
    if names.is_empty() {
        // Nothing says more than the whole.
        names.push("all".to_owned());
    }
    names
}

fn value(one: &Measured, parts: Part, name: &str) -> Option<f64> {
    if name == "all" {
        return if parts == Part::Time { Some(one.latency_ms) } else { one.energy_j };
    }
    let found: Vec<f64> =
        parts.of(one).iter().filter(|(part, _)| part == name).map(|(_, value)| *value).collect();
    (!found.is_empty()).then(|| found.iter().sum())
}

fn table(best: &[&Measured]) -> Table {
    let mut table = Table::new(["cut", "latency, ms", "energy, J"]);
    let (times, joules) = (names(best, Part::Time), names(best, Part::Energy));
    table.columns.extend(times.iter().map(|name| format!("{name}, ms")));
    table.columns.extend(joules.iter().map(|name| format!("{name}, J")));
    table.columns.extend(["configuration", "samples"].map(str::to_owned));
    table.rows = best
        .iter()
        .map(|one| {
            let mut row = vec![one.cut.to_string(), number(one.latency_ms), known(one.energy_j)];
            row.extend(times.iter().map(|name| known(value(one, Part::Time, name))));
            row.extend(joules.iter().map(|name| known(value(one, Part::Energy, name))));
            row.extend([one.configuration.clone(), one.samples.to_string()]);
            row
        })
        .collect();
    table
}

/// For each cut, ascending, the fastest configuration at the highest clock that was measured there.
fn fastest_by_cut(network: &Network) -> Vec<&Measured> {
    let mut by_cut: BTreeMap<u16, Vec<&Measured>> = BTreeMap::new();
    for one in &network.measured {
        by_cut.entry(one.cut).or_default().push(one);
    }
    by_cut
        .into_values()
        .filter_map(|measured| {
            let at_highest = highest_clock(measured.into_iter());
            at_highest.into_iter().min_by(|a, b| a.latency_ms.total_cmp(&b.latency_ms))
        })
        .collect()
}

/// The accuracy over the cut, a line for each accelerator of the edge: the mean of what was measured, by samples.
pub fn accuracy(network: &Network) -> Figure {
    let name = slug(&format!("accuracy {}", network.name));
    let title = format!("Accuracy over the cut, {}", network.name);
    let mut lines: BTreeMap<&str, BTreeMap<u16, (f64, f64)>> = BTreeMap::new();
    for one in &network.measured {
        let Some(accuracy) = one.accuracy else { continue };
        let weight = f64::from(one.samples.max(1));
        let sums = lines.entry(&one.edge_accelerator).or_default().entry(one.cut).or_default();
        *sums = (sums.0 + accuracy * weight, sums.1 + weight);
    }
    if lines.is_empty() {
        return Figure::missing(
            name,
            title,
            "No accuracy was measured: pictures with labels are needed for it.",
        );
    }
    let mut plot = Plot::new();
    let mut table = Table::new(["edge accelerator", "cut", "right answers, %"]);
    for (place, (accelerator, cuts)) in lines.iter().enumerate() {
        let percent: Vec<f64> = cuts.values().map(|(sum, weight)| 100.0 * sum / weight).collect();
        for (cut, percent) in cuts.keys().zip(&percent) {
            table.rows.push(vec![(*accelerator).to_owned(), cut.to_string(), number(*percent)]);
        }
        let style = style::of(place);
        let line = Scatter::new(cuts.keys().copied().collect(), percent)
            .name(format!("edge accelerator {accelerator}"))
            .mode(Mode::LinesMarkers)
            .line(style.line())
            .marker(style.marker())
            .hover_template("cut %{x}: %{y:.2f} %");
        plot.add_trace(line);
    }
    plot.set_layout(
        style::layout().show_legend(true).x_axis(style::axis("cut")).y_axis(style::axis("right answers, %")),
    );
    let caption = "The share of right answers, the mean of everything that was measured at a cut with that accelerator. The axis does not \
                   begin at zero.";
    Figure::plotted(name, title, caption, 380, plot, table)
}
