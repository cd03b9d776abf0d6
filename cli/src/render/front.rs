//! Tables of measurements and fronts.

use std::collections::BTreeMap;

use schemas::{Codec, Front, HardwareChanges, Measurement, OptimizeReply, WithheldCodec};

use crate::commands::front::Difference;

use super::{UNKNOWN, joules, milliseconds, percent, table};

/// Measured configurations, one a row.
pub fn measurements(measurements: &[&Measurement]) -> String {
    let quantile =
        measurements.iter().find_map(|one| one.uncertainty).map_or(0.95, |known| known.quantile.get());
    let quantile = format!("p{:.4} ms", quantile * 100.0).replace(".0000", "");
    let headers =
        ["configuration", "after", "mean ms", quantile.as_str(), "energy", "accuracy", "sent", "samples"];
    let mut rows = table(&headers, 2);
    for measurement in measurements {
        rows.add_row([
            measurement.configuration.to_string(),
            measurement.cut_name.clone(),
            milliseconds(measurement.latency.mean_ms),
            judged(measurement),
            joules(&measurement.energy),
            measurement.accuracy.map_or(UNKNOWN.into(), |accuracy| percent(accuracy.share)),
            measurement.sent_bytes.to_string(),
            measurement.samples.to_string(),
        ]);
    }
    rows.to_string()
}

/// The quantile with half of its interval, or the samples' own where the measurement does not say.
fn judged(measurement: &Measurement) -> String {
    match measurement.uncertainty {
        None => milliseconds(measurement.latency.p95_ms),
        Some(known) => {
            let half = (known.high_ms - known.low_ms) * 0.5;
            format!("{:.1} ± {:.1}", known.estimate_ms.get(), half.get())
        }
    }
}

/// A front with its provenance.
pub fn front(front: &Front) -> String {
    let edge = match &front.emulates {
        Some(device) => format!("{} (emulating a {device})", front.edge),
        None => front.edge.to_string(),
    };
    let took = front.ended_at.remaining_at(front.started_at).as_secs_f64();
    let legal = front.search.as_ref().map_or(String::new(), |search| {
        format!(" of {} ({}, seed {})", search.legal, search.strategy, search.seed)
    });
    let content = front
        .content
        .as_ref()
        .map_or(String::new(), |digest| format!(", content SHA-256 {:.12}…", digest.as_str()));
    format!(
        "Front {} of {} on edge {edge} and cloud {}, revision {}: {} of {} measured configurations{legal}, in {took:.1} s, by \
         splinter {}{content}\n{}{}{}{}{}",
        front.id,
        front.model,
        front.cloud,
        front.revision,
        front.points.len(),
        front.measured,
        front.software,
        measurements(&by_latency(&front.points)),
        section("Tied with a point, as they are worse only within noise", &front.tied),
        suspects(&front.suspects),
        withheld(&front.withheld),
        changes(&front.hardware_changes),
    )
}

fn by_latency(points: &[Measurement]) -> Vec<&Measurement> {
    let mut sorted: Vec<&Measurement> = points.iter().collect();
    sorted.sort_by(|a, b| a.judged_ms().get().total_cmp(&b.judged_ms().get()));
    sorted
}

fn section(heading: &str, points: &[Measurement]) -> String {
    if points.is_empty() {
        return String::new();
    }
    format!("\n{heading}:\n{}", measurements(&by_latency(points)))
}

fn suspects(points: &[Measurement]) -> String {
    let line = |one: &Measurement| {
        let suspicions = one.provenance.iter().flat_map(|known| &known.suspicions);
        let reasons: Vec<String> = suspicions.map(ToString::to_string).collect();
        format!("\nSuspect, not believed: {}: {}", one.configuration, reasons.join("; "))
    };
    points.iter().map(line).collect()
}

fn changes(took: &HardwareChanges) -> String {
    let known = [("the clock", took.clock_ms), ("the accelerator", took.accelerator_ms)];
    let words =
        known.iter().filter_map(|(what, took)| took.map(|took| format!("{what} {} ms", milliseconds(took))));
    let words: Vec<String> = words.collect();
    if words.is_empty() { String::new() } else { format!("\nChanging took: {}", words.join(", ")) }
}

/// Revisions, one a row.
pub fn revisions(fronts: &[Front]) -> String {
    let headers = [
        "revision",
        "edge",
        "cloud",
        "searched by",
        "measured",
        "points",
        "tied",
        "suspect",
        "ended (Unix ms)",
    ];
    let mut rows = table(&headers, 4);
    for front in fronts {
        rows.add_row([
            front.revision.to_string(),
            front.edge.to_string(),
            front.cloud.to_string(),
            front.search.as_ref().map_or(UNKNOWN.into(), |search| search.strategy.clone()),
            front.measured.to_string(),
            front.points.len().to_string(),
            front.tied.len().to_string(),
            front.suspects.len().to_string(),
            front.ended_at.0.to_string(),
        ]);
    }
    rows.to_string()
}

/// What became of a front.
pub fn difference(difference: &Difference) -> String {
    let Difference { from, to, came, went, stayed } = difference;
    let mut rows = table(&["configuration", "latency ms", "energy J", "beyond noise"], 1);
    for change in stayed {
        let [before, after] = change.latency_ms.map(|latency| latency.get());
        let energy = change
            .energy_j
            .map_or(UNKNOWN.into(), |[before, after]| format!("{:.3} to {:.3}", before.get(), after.get()));
        rows.add_row([
            change.configuration.to_string(),
            format!(
                "{before:.1} to {after:.1} ({:+.0} %)",
                100.0 * (after / before.max(f64::MIN_POSITIVE) - 1.0)
            ),
            energy,
            if change.is_beyond_noise { "yes" } else { "no" }.to_owned(),
        ]);
    }
    let both = if stayed.is_empty() { String::new() } else { format!("\nPoints of both:\n{rows}") };
    format!(
        "From revision {from} to {to}: {} points came, {} went, {} stayed{both}{}{}",
        came.len(),
        went.len(),
        stayed.len(),
        section("Came", came),
        section("Went", went)
    )
}

/// The front that was measured, and what a person should know of how.
pub fn optimized(reply: &OptimizeReply) -> String {
    let resumed = match reply.resumed_samples {
        0 => String::new(),
        samples => format!("\nnote: went on from a campaign that was broken off, with its {samples} samples"),
    };
    let notes: String = reply.notes.iter().map(|note| format!("\nnote: {note}")).collect();
    format!("{}{resumed}{notes}", front(&reply.front))
}

/// Which codecs are not offered at which cuts, a line a codec; the reasons one by one are in the JSON.
fn withheld(codecs: &[WithheldCodec]) -> String {
    let mut cuts: BTreeMap<Codec, Vec<String>> = BTreeMap::new();
    for withheld in codecs {
        cuts.entry(withheld.codec).or_default().push(withheld.cut.to_string());
    }
    let line = |(codec, cuts): (Codec, Vec<String>)| {
        format!("\nNot offered, as it costs too much accuracy: {codec} at cut {}", cuts.join(", "))
    };
    cuts.into_iter().map(line).collect()
}
