//! Fronts as files: JSON with everything, or CSV as recorded pools have it.

use anyhow::Context;
use schemas::{Front, Measurement, Place, joules_at};

use crate::arguments::FrontFormat;

/// The columns that `splinter optimize --pool` and `loadgen` read.
const COLUMNS: [&str; 16] = [
    "layer",
    "codec",
    "cpu-freq",
    "edge-accelerator",
    "edge-threads",
    "server-accelerator",
    "latency",
    "energy",
    "accuracy",
    "avg latency edge (ms)",
    "avg latency transfer (ms)",
    "avg latency cloud (ms)",
    "avg energy edge (J)",
    "avg energy cloud (J)",
    "tensor size (KB)",
    "samples",
];

/// A front's text. CSV holds the points and those that are tied with one, without provenance; columns that no point has a
/// value for are left out.
pub fn write(front: &Front, format: FrontFormat) -> anyhow::Result<String> {
    match format {
        FrontFormat::Json => {
            Ok(serde_json::to_string_pretty(front).context("the front cannot be written as JSON")?)
        }
        FrontFormat::Csv => {
            let rows: Vec<[String; COLUMNS.len()]> =
                front.points.iter().chain(&front.tied).map(row).collect();
            let used: Vec<usize> =
                (0..COLUMNS.len()).filter(|&column| rows.iter().any(|row| !row[column].is_empty())).collect();
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(used.iter().map(|&column| COLUMNS[column]))?;
            for row in &rows {
                writer.write_record(used.iter().map(|&column| &row[column]))?;
            }
            Ok(String::from_utf8(writer.into_inner()?)?)
        }
    }
}

fn row(one: &Measurement) -> [String; COLUMNS.len()] {
    let configuration = &one.configuration;
    let time = |place: Place| -> f64 {
        one.stages.iter().filter(|stage| stage.place == place).map(|stage| stage.time_ms.get()).sum()
    };
    let joules =
        |place| joules_at(&one.energy, place).map_or(String::new(), |joules| joules.get().to_string());
    [
        configuration.cut.to_string(),
        configuration.codec.to_string(),
        configuration.edge_frequency_khz.map_or(String::new(), |clock| (clock.0 as f64 / 1e3).to_string()),
        configuration.edge_accelerator.to_string(),
        configuration.edge_threads.map_or(String::new(), |threads| threads.to_string()),
        configuration.cloud_accelerator.to_string(),
        one.judged_ms().get().to_string(),
        one.joules().map_or(String::new(), |joules| joules.get().to_string()),
        one.accuracy.map_or(String::new(), |accuracy| accuracy.share.get().to_string()),
        time(Place::Edge).to_string(),
        time(Place::Wire).to_string(),
        time(Place::Cloud).to_string(),
        joules(Place::Edge),
        joules(Place::Cloud),
        (one.sent_bytes.0 as f64 / 1024.0).to_string(),
        one.samples.to_string(),
    ]
}
