//! Tables that people read.

mod comparison;
mod front;
mod power;
mod predictions;

use comfy_table::{CellAlignment, Table, presets};
use loadgen::Evaluation;
use schemas::{CutDescription, ElementFormat, EnergyEntry, EnergySource, Fallback, Millis, Share};

use crate::catalogue::CatalogueNetwork;

pub use comparison::comparison;
pub use front::{difference, front, measurements, optimized, revisions};
pub use power::power_model;
pub use predictions::predictions;

/// What stands in a cell whose value nobody measures or models.
const UNKNOWN: &str = "-";

/// What is said of each policy.
const EVALUATION: [&str; 8] = [
    "policy",
    "p50 ms",
    "p95 ms",
    "within limit",
    "joules (mean)",
    "cloud/split/edge",
    "accuracy",
    "answered",
];

fn table(headers: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(headers);
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn milliseconds(value: Millis) -> String {
    format!("{:.1}", value.get())
}

fn percent(share: Share) -> String {
    format!("{:.1} %", share.get() * 100.0)
}

/// Where joules come from, as a person reads it.
pub const fn source_name(source: EnergySource) -> &'static str {
    match source {
        EnergySource::Measured => "measured",
        EnergySource::Attributed => "attributed",
        EnergySource::Modelled => "modelled",
        EnergySource::Emulated => "emulated",
    }
}

/// All joules of the entries with their sources, such as `0.412 J emulated`.
pub fn joules(entries: &[EnergyEntry]) -> String {
    let Some(total) = schemas::total_joules(entries) else { return UNKNOWN.into() };
    let mut sources: Vec<_> = entries.iter().map(|entry| entry.source).collect();
    sources.sort();
    sources.dedup();
    let sources: Vec<_> = sources.into_iter().map(source_name).collect();
    format!("{:.3} J {}", total.get(), sources.join("+"))
}

/// The networks of a catalogue.
pub fn catalogue(networks: &[CatalogueNetwork]) -> String {
    let mut rows = table(&["network", "what it is", "licence", "preset", "size"], 4);
    for network in networks {
        rows.add_row([
            network.name.to_string(),
            network.about.clone(),
            network.licence.clone(),
            network.preset.to_string(),
            schemas::ByteCount(network.onnx.bytes).to_string(),
        ]);
    }
    rows.to_string()
}

/// Cuts of a network and what each costs.
pub fn cuts(cuts: &[&CutDescription]) -> String {
    let headers =
        ["cut", "after", "crosses", "f32", "f16", "i8", "MACs before", "after", "weights before", "after"];
    let mut rows = table(&headers, 3);
    for cut in cuts {
        let shapes: Vec<_> = cut.frontier.iter().map(|tensor| shape(&tensor.shape)).collect();
        let bytes = |elements| cut.bytes_in(elements).map_or(UNKNOWN.into(), |bytes| bytes.to_string());
        rows.add_row([
            cut.cut.to_string(),
            cut.name.clone(),
            shapes.join(" + "),
            bytes(ElementFormat::F32),
            bytes(ElementFormat::F16),
            bytes(ElementFormat::I8),
            count(cut.macs_before),
            count(cut.macs_after),
            count(cut.parameters_before),
            count(cut.parameters_after),
        ]);
    }
    rows.to_string()
}

/// Dimensions, such as `1×3×224×224`.
pub fn shape(dimensions: &[u64]) -> String {
    dimensions.iter().map(u64::to_string).collect::<Vec<_>>().join("×")
}

/// A number of things with three or four figures.
fn count(number: u64) -> String {
    let value = number as f64;
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{:.1} k", value / 1e3),
        1_000_000..10_000_000_000 => format!("{:.2} M", value / 1e6),
        _ => format!("{:.2} G", value / 1e9),
    }
}

/// One row for each policy.
pub fn evaluations(evaluations: &[Evaluation]) -> String {
    let mut rows = table(&EVALUATION, 1);
    for row in evaluations {
        rows.add_row(evaluation(row));
    }
    rows.to_string()
}

/// The evaluations of several phases: what the link did beside each.
pub fn evaluations_by_link<'a>(phases: impl Iterator<Item = (&'a str, &'a Evaluation)>) -> String {
    let mut headers = EVALUATION.to_vec();
    headers.insert(1, "link");
    let mut rows = table(&headers, 2);
    for (link, row) in phases {
        let mut cells = evaluation(row).to_vec();
        cells.insert(1, link.to_owned());
        rows.add_row(cells);
    }
    rows.to_string()
}

fn evaluation(row: &Evaluation) -> [String; EVALUATION.len()] {
    let latency = |value: Option<Millis>| value.map_or(UNKNOWN.into(), milliseconds);
    let energy = row.energy.as_ref().map_or(UNKNOWN.into(), |figure| {
        let sources: Vec<_> = figure.sources.iter().map(|source| source_name(*source)).collect();
        format!("{:.3} J {}", figure.mean_j.get(), sources.join("+"))
    });
    let shares = row.shares.map_or(UNKNOWN.into(), |shares| {
        let whole = |share: Share| format!("{:.0}", share.get() * 100.0);
        format!("{}/{}/{} %", whole(shares.cloud), whole(shares.split), whole(shares.edge))
    });
    [
        row.policy.to_string(),
        latency(row.latency_p50_ms),
        latency(row.latency_p95_ms),
        percent(row.within),
        energy,
        shares,
        row.accuracy.map_or(UNKNOWN.into(), percent),
        format!("{}/{}", row.answered, row.requests),
    ]
}

/// Why another configuration ran than the planned one.
pub const fn fallback(fallback: Fallback) -> &'static str {
    match fallback {
        Fallback::FinishedAtHome => {
            "no cloud executor answered in time, or the codec cannot write this frontier: the edge finished at home"
        }
        Fallback::HardwareAsItWas => "the clock could not be set, it ran with the settings as they were",
        _ => "for a reason this version does not know",
    }
}
