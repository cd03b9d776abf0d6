//! A replay as text.

use std::path::Path;

use loadgen::replay::tally::{Quantiles, ReplayFigures};
use schemas::Place;

use crate::commands::{origins, table};

/// Everything in a few lines.
pub fn figures(figures: &ReplayFigures, folder: &Path) -> String {
    let percent = |share: schemas::Share| share.get() * 100.0;
    let mut lines = vec![format!(
        "{} requests, {:.2} a second, {} answered, {:.2} % within their limits",
        figures.requests,
        figures.rate,
        figures.answered,
        percent(figures.within)
    )];
    if !figures.failed.is_empty() {
        let failed: Vec<String> =
            figures.failed.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        lines.push(format!("failed: {}", failed.join(", ")));
    }
    lines.push(times(figures));
    if let Some(energy) = &figures.energy {
        let places: Vec<String> =
            energy.by_place.iter().map(|(place, joules)| format!("{} {joules:.4}", name(*place))).collect();
        let (all, places, origins) = (energy.joules, places.join(", "), origins(&energy.origins));
        lines.push(format!("energy of an answer {all:.4}: {places} ({origins})"));
    } else if figures.answered > 0 {
        lines.push("energy is not known of every answer".into());
    }
    if let Some(accuracy) = figures.accuracy {
        lines.push(format!("{:.2} % of the labels right", percent(accuracy)));
    }
    if let Some(sides) = figures.sides {
        let [cloud, split, edge] = sides.map(|side| 100.0 * side as f64 / figures.answered.max(1) as f64);
        lines.push(format!(
            "ran {cloud:.1} % in the cloud, {split:.1} % split, {edge:.1} % on the edge; {} otherwise than planned",
            figures.fell_back
        ));
    }
    lines.push(format!("records in {}", folder.display()));
    lines.join("\n")
}

fn times(figures: &ReplayFigures) -> String {
    let mut rows = table::table(&["ms", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"], 1);
    let rows_of = [
        ("latency, from when due", figures.latency),
        ("service, from when sent", figures.service),
        ("sent later than due", figures.behind),
    ];
    for (name, of) in rows_of {
        let Some(Quantiles { mean, p50, p90, p95, p99, p999, max }) = of else { continue };
        let cells = [mean, p50, p90, p95, p99, p999, max].map(|time| format!("{:.2}", time.get()));
        rows.add_row([name.to_owned()].into_iter().chain(cells));
    }
    rows.to_string()
}

fn name(place: Place) -> &'static str {
    match place {
        Place::Edge => "edge",
        Place::Wire => "wire",
        Place::Cloud => "cloud",
    }
}
