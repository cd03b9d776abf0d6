//! The non-dominated set over (mean latency, joules, 1 − accuracy). Pure.

use schemas::{Cut, Measurement, Place, joules_at};

/// The places of the non-dominated measurements, ascending.
///
/// One measurement dominates another when it is nowhere worse and somewhere better. An unknown value is not
/// zero but worse than every known one; where nobody knows it, it decides nothing. A sum of joules counts as
/// known only when it covers every place that the configuration works at and that any measurement reports:
/// joules of the edge alone are never set against joules of edge and cloud together.
pub fn non_dominated(measurements: &[Measurement], last_cut: Cut) -> Vec<usize> {
    let objectives = objectives(measurements, last_cut);
    (0..objectives.len())
        .filter(|&candidate| !objectives.iter().any(|other| dominates(other, &objectives[candidate])))
        .collect()
}

type Objectives = [f64; 3];

/// Unknown values are infinite, so they compare like any other number.
fn objectives(measurements: &[Measurement], last_cut: Cut) -> Vec<Objectives> {
    let reported = |place| measurements.iter().any(|m| joules_at(&m.energy, place).is_some());
    let reported: Vec<Place> =
        [Place::Edge, Place::Wire, Place::Cloud].into_iter().filter(|&place| reported(place)).collect();
    let joules = |measurement: &Measurement| {
        let works_at = |place: Place| place == Place::Edge || measurement.configuration.cut != last_cut;
        let complete =
            reported.iter().all(|&place| !works_at(place) || joules_at(&measurement.energy, place).is_some());
        measurement.joules().filter(|_| complete).map_or(f64::INFINITY, |joules| joules.get())
    };
    measurements
        .iter()
        .map(|measurement| {
            let error = measurement.accuracy.map_or(f64::INFINITY, |accuracy| 1.0 - accuracy.share.get());
            [measurement.latency.mean_ms.get(), joules(measurement), error]
        })
        .collect()
}

fn dominates(one: &Objectives, other: &Objectives) -> bool {
    let pairs = || one.iter().zip(other);
    pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
}

#[cfg(test)]
mod tests;
