//! What the knobs do: latency and energy over the clock and by accelerator.

use std::collections::BTreeMap;

use plotly::common::Mode;
use plotly::layout::{Axis, BarMode};
use plotly::{Bar, Plot, Scatter};

use crate::report::figure::{Figure, Table, known, number, slug};
use crate::report::material::{Measured, Network};
use crate::report::style;

/// Latency above, energy below, each with its own vertical axis.
pub(super) fn two_panels(x_axis: Axis) -> plotly::Layout {
    let latency =
        style::axis("latency, ms").domain(&[0.54, 1.0]).range_mode(plotly::layout::RangeMode::ToZero);
    let energy = style::axis("energy, J").domain(&[0.0, 0.44]).range_mode(plotly::layout::RangeMode::ToZero);
    style::layout().x_axis(x_axis.anchor("y2")).y_axis(latency).y_axis2(energy)
}

/// Latency and energy over the clock, with everything on the edge; a line for each accelerator.
pub fn clock(network: &Network) -> Figure {
    let name = slug(&format!("clock {}", network.name));
    let title = format!("The edge's clock, {}", network.name);
    let mut lines: BTreeMap<&str, Vec<&Measured>> = BTreeMap::new();
    for one in network.measured.iter().filter(|one| one.cut == network.last_cut && one.clock_mhz.is_some()) {
        lines.entry(&one.edge_accelerator).or_default().push(one);
    }
    lines.retain(|_, points| distinct(points, |one| one.clock_mhz.map(f64::to_bits)) > 1);
    if lines.is_empty() {
        let why = "All on the edge was measured at fewer than two clocks: nothing can be said of the clock.";
        return Figure::missing(name, title, why);
    }
    let mut table = Table::new(["accelerator", "clock, MHz", "latency, ms", "energy, J", "samples"]);
    let mut plot = Plot::new();
    for (place, (accelerator, points)) in lines.iter_mut().enumerate() {
        // Where several differ in other knobs, the fastest at each clock.
        let key = |one: &Measured| (one.clock_mhz.unwrap_or_default(), one.latency_ms);
        points.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
        points.dedup_by_key(|one| one.clock_mhz.map(f64::to_bits));
        let clocks: Vec<f64> = points.iter().filter_map(|one| one.clock_mhz).collect();
        let style = style::of(place);
        for (energy, axis) in [(false, "y"), (true, "y2")] {
            let values = points.iter().map(|one| if energy { one.energy_j } else { Some(one.latency_ms) });
            let line = Scatter::new(clocks.clone(), values.collect::<Vec<Option<f64>>>())
                .name(format!("accelerator {accelerator}"))
                .legend_group(*accelerator)
                .show_legend(!energy)
                .mode(Mode::LinesMarkers)
                .line(style.line())
                .marker(style.marker())
                .y_axis(axis)
                .hover_template("%{x} MHz: %{y:.4g}");
            plot.add_trace(line);
        }
        for one in points.iter() {
            let clock = known(one.clock_mhz);
            table.rows.push(vec![
                (*accelerator).to_owned(),
                clock,
                number(one.latency_ms),
                known(one.energy_j),
                one.samples.to_string(),
            ]);
        }
    }
    plot.set_layout(two_panels(style::axis("clock of the edge's processor, MHz")));
    let caption = "Everything on the edge (the last cut): a higher clock is faster; whether it is thriftier depends on what else draws \
                   power while it computes.";
    Figure::plotted(name, title, caption, 480, plot, table)
}

/// An end of the network, where one accelerator does all the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything on the edge.
    Edge,
    /// Everything in the cloud.
    Cloud,
}

impl End {
    /// The accelerator that works at this end.
    fn accelerator(self, one: &Measured) -> &str {
        match self {
            Self::Edge => &one.edge_accelerator,
            Self::Cloud => &one.cloud_accelerator,
        }
    }
}

/// Latency and energy by accelerator, at the end where that accelerator does all the work.
pub fn accelerators(network: &Network, end: End) -> Figure {
    let (word, cut) = match end {
        End::Edge => ("edge", network.last_cut),
        End::Cloud => ("cloud", 0),
    };
    let name = slug(&format!("accelerator {word} {}", network.name));
    let title = format!("The {word}'s accelerator, {}", network.name);
    let best = fastest_by_accelerator(network, end, cut);
    if best.len() < 2 {
        let why = format!(
            "The {word} was measured with {} accelerator: nothing can be compared.",
            match best.len() {
                0 => "no",
                _ => "one",
            }
        );
        return Figure::missing(name, title, why);
    }
    let names: Vec<String> = best.iter().map(|one| end.accelerator(one).to_owned()).collect();
    let mut plot = Plot::new();
    let latency = Bar::new(names.clone(), best.iter().map(|one| Some(one.latency_ms)).collect::<Vec<_>>());
    let energy = Bar::new(names, best.iter().map(|one| one.energy_j).collect::<Vec<_>>());
    for (bar, quantity, colour, axis, unit) in
        [(latency, "latency", 2, "y", "ms"), (energy, "energy", 5, "y2", "J")]
    {
        let bar = bar
            .name(quantity)
            .marker(style::of(colour).bar())
            .y_axis(axis)
            .hover_template(format!("%{{x}}: %{{y:.4g}} {unit}"));
        plot.add_trace(bar);
    }
    plot.set_layout(two_panels(style::axis("")).bar_mode(BarMode::Group).bar_gap(0.5));
    let caption = format!(
        "All in one place (cut {cut}), at the highest clock that was measured, so that only the accelerator differs."
    );
    Figure::plotted(name, title, caption, 440, plot, table(&best, end))
}

fn table(best: &[&Measured], end: End) -> Table {
    let mut table = Table::new(["accelerator", "latency, ms", "energy, J", "configuration", "samples"]);
    let row = |one: &&Measured| {
        vec![
            end.accelerator(one).to_owned(),
            number(one.latency_ms),
            known(one.energy_j),
            one.configuration.clone(),
            one.samples.to_string(),
        ]
    };
    table.rows = best.iter().map(row).collect();
    table
}

/// For each accelerator of an end the fastest configuration at the highest clock, the slowest accelerator first.
fn fastest_by_accelerator(network: &Network, end: End, cut: u16) -> Vec<&Measured> {
    let mut best: Vec<&Measured> = Vec::new();
    for one in highest_clock(network.measured.iter().filter(|one| one.cut == cut)) {
        match best.iter_mut().find(|known| end.accelerator(known) == end.accelerator(one)) {
            Some(known) if one.latency_ms < known.latency_ms => *known = one,
            Some(_) => {}
            None => best.push(one),
        }
    }
    best.sort_by(|a, b| b.latency_ms.total_cmp(&a.latency_ms));
    best
}

/// Those at the highest clock among them; all when no clock is known.
pub(super) fn highest_clock<'a>(measured: impl Iterator<Item = &'a Measured>) -> Vec<&'a Measured> {
    let all: Vec<&Measured> = measured.collect();
    let highest = all.iter().filter_map(|one| one.clock_mhz).fold(f64::NEG_INFINITY, f64::max);
    let at_it = |one: &&Measured| one.clock_mhz.is_none_or(|clock| clock >= highest);
    all.into_iter().filter(at_it).collect()
}

fn distinct<Key: Ord>(points: &[&Measured], key: impl Fn(&Measured) -> Key) -> usize {
    points.iter().map(|one| key(one)).collect::<std::collections::BTreeSet<Key>>().len()
}
