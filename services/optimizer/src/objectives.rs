//! What measurements are judged by, as the search takes it. Pure.

use schemas::{Cut, Joules, Measurement, Millis, Place, Stage, joules_at};
use search::front::Estimate;
use search::{Observation, Parts};

/// What a measurement shows of a configuration.
///
/// The stages are means and the latency is a quantile; they are stretched by one factor to add up to it, so that what a
/// model adds up from stages is a quantile, too. What no stage accounts for (the way to the edge and back) counts for the
/// edge.
pub fn observation(measurement: &Measurement) -> Observation {
    let latency = measurement.judged_ms();
    let mean = measurement.latency.mean_ms;
    let at = |place: Place| -> Millis {
        let there = measurement.stages.iter().filter(|stage| stage.place == place);
        there.filter(|stage| stage.stage != Stage::HardwareChange).map(|stage| stage.time_ms).sum()
    };
    let stretch = if mean.get() > 0.0 { latency.get() / mean.get() } else { 1.0 };
    let (wire, cloud) = (at(Place::Wire), at(Place::Cloud));
    let joules = |place| joules_at(&measurement.energy, place).unwrap_or(Joules::ZERO);
    let parts = Parts {
        edge_time: (mean - wire - cloud) * stretch,
        wire_time: wire * stretch,
        cloud_time: cloud * stretch,
        edge_energy: joules(Place::Edge) + joules(Place::Wire),
        cloud_energy: joules(Place::Cloud),
    };
    Observation {
        latency,
        energy: measurement.joules(),
        accuracy: measurement.accuracy.map(|accuracy| accuracy.share),
        parts: (!measurement.stages.is_empty()).then_some(parts),
    }
}

/// Half the width of a 95 % interval, in standard errors.
const HALF_INTERVAL: f64 = 1.96;

/// Each measurement's latency, energy and accuracy with their standard errors, where anybody measured them.
///
/// An unknown value is not zero but worse than every known one; where nobody knows it, it decides nothing. A sum of
/// joules counts as known only when it covers every place that the configuration works at and that any measurement
/// reports: joules of the edge alone are never set against joules of edge and cloud together.
pub fn estimates(measurements: &[Measurement], last_cut: Cut) -> Vec<Vec<Estimate>> {
    let reported = |place| measurements.iter().any(|one| joules_at(&one.energy, place).is_some());
    let reported: Vec<Place> =
        [Place::Edge, Place::Wire, Place::Cloud].into_iter().filter(|&place| reported(place)).collect();
    let has_accuracy = measurements.iter().any(|one| one.accuracy.is_some());
    let of_one = |one: &Measurement| {
        let mut estimates = vec![latency(one)];
        if !reported.is_empty() {
            let works_at = |place: Place| place == Place::Edge || one.configuration.cut != last_cut;
            let covers = |place: &Place| !works_at(*place) || joules_at(&one.energy, *place).is_some();
            estimates.push(energy(one, reported.iter().all(covers)));
        }
        if has_accuracy {
            let nothing = (schemas::Share::ZERO, u32::MAX);
            let (share, pictures) =
                one.accuracy.map_or(nothing, |accuracy| (accuracy.share, accuracy.pictures));
            estimates.push(Estimate::of_accuracy(share, pictures));
        }
        estimates
    };
    measurements.iter().map(of_one).collect()
}

fn latency(measurement: &Measurement) -> Estimate {
    let error = measurement
        .uncertainty
        .map_or(Millis::ZERO, |uncertain| (uncertain.high_ms - uncertain.low_ms) * (0.5 / HALF_INTERVAL));
    Estimate::of_latency(measurement.judged_ms(), error)
}

fn energy(measurement: &Measurement, is_complete: bool) -> Estimate {
    let Some(joules) = measurement.joules().filter(|_| is_complete) else {
        return Estimate::of_energy(Joules::saturating(f64::MAX), Joules::ZERO);
    };
    let deviation = measurement.uncertainty.and_then(|uncertain| uncertain.energy_deviation_j);
    let error = deviation.unwrap_or(Joules::ZERO) * (1.0 / f64::from(measurement.samples.max(1)).sqrt());
    Estimate::of_energy(joules, error)
}

#[cfg(test)]
mod tests;
