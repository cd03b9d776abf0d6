//! Measurements that contradict physics. Pure.
//!
//! A contradiction is no proof of which number is wrong, but of that one is: such a configuration is measured again, and
//! where it still contradicts, it is called suspect and not believed.

use std::collections::{BTreeSet, HashMap};

use schemas::{Configuration, Measurement, Millis, Place, Stage, StageTime, Suspicion, joules_at};

/// A head at a lower clock must take at least this share of the time longer that one would take whose every operation waits
/// for the clock. Memory does not slow down with the clock; still, of 650 pairs of clocks in the published measurements of the
/// DynaSplit paper (VGG16 on a Raspberry Pi 4, without the rows whose clock did not drop), no plausible one had less
/// than 0.25.
const LEAST_SHARE_OF_CLOCK: f64 = 0.1;

/// The ratio of two mean times may be off by this much, however alike their samples are.
const LEAST_NOISE: f64 = 0.02;

/// Heads below this are over before a clock matters: they are mostly calls.
const LEAST_HEAD: f64 = 1.0;

/// Stages may exceed the latency by this much: they are timed by other clocks.
const STAGES_ABOVE: f64 = 0.05;

/// The latency may exceed the stages by this share and so many milliseconds: the way to the edge and back, and the waiting
/// of threads on a busy machine.
const STAGES_BELOW: (f64, f64) = (0.25, 5.0);

/// Joules below what the edge draws while it only waits; meters are this exact.
const BELOW_IDLE: f64 = 0.1;

/// What contradicts physics in each measurement, in their order.
pub fn suspicions(measurements: &[Measurement]) -> Vec<Vec<Suspicion>> {
    let ignorant = ignoring_the_clock(measurements);
    let of_one = |(place, one): (usize, &Measurement)| {
        let found = [
            (ignorant.contains(&place), Suspicion::HeadIgnoresClock),
            (is_below_idle(one), Suspicion::EnergyBelowIdle),
            (!adds_up(one), Suspicion::StagesDoNotAddUp),
        ];
        found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, suspicion)| suspicion).collect()
    };
    measurements.iter().enumerate().map(of_one).collect()
}

/// The places of the measurements whose head does not care for the clock.
///
/// Each contradiction is between two. The one that contradicts most others is at fault, and what it contradicted is
/// cleared; where two contradict each other alone, both are in doubt.
fn ignoring_the_clock(measurements: &[Measurement]) -> BTreeSet<usize> {
    let mut alike: HashMap<Configuration, Vec<usize>> = HashMap::new();
    for (place, one) in measurements.iter().enumerate() {
        let without_clock = Configuration { edge_frequency_khz: None, ..one.configuration };
        alike.entry(without_clock).or_default().push(place);
    }
    let mut at_fault = BTreeSet::new();
    for mut left in alike.into_values() {
        loop {
            let contradicted = |place: usize| {
                left.iter().filter(|other| contradict(&measurements[place], &measurements[**other])).count()
            };
            let counts: Vec<(usize, usize)> =
                left.iter().map(|&place| (place, contradicted(place))).collect();
            let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
            if most == 0 {
                break;
            }
            let worst: Vec<usize> =
                counts.into_iter().filter(|(_, count)| *count == most).map(|(place, _)| place).collect();
            left.retain(|place| !worst.contains(place));
            at_fault.extend(worst);
        }
    }
    at_fault
}

/// Whether two measurements that differ in the clock alone cannot both be right.
fn contradict(one: &Measurement, other: &Measurement) -> bool {
    let clock =
        |measurement: &Measurement| measurement.configuration.edge_frequency_khz.map_or(0, |clock| clock.0);
    let (low, high) = if clock(one) < clock(other) { (one, other) } else { (other, one) };
    let (slow, fast) = (head(low), head(high));
    if clock(low) == 0 || clock(low) == clock(high) || fast < LEAST_HEAD {
        return false;
    }
    let least = 1.0 + LEAST_SHARE_OF_CLOCK * (clock(high) as f64 / clock(low) as f64 - 1.0);
    slow < fast * (least - noise(low, high))
}

/// The share by which the ratio of two mean times may be off by chance: twice its standard error.
fn noise(one: &Measurement, other: &Measurement) -> f64 {
    let error = |measurement: &Measurement| {
        let mean = measurement.latency.mean_ms.get().max(f64::MIN_POSITIVE);
        measurement.latency.deviation_ms.get() / mean / f64::from(measurement.samples.max(1)).sqrt()
    };
    (2.0 * error(one).hypot(error(other))).max(LEAST_NOISE)
}

fn head(measurement: &Measurement) -> f64 {
    let heads =
        measurement.stages.iter().filter(|stage| stage.stage == Stage::Head && stage.place == Place::Edge);
    heads.map(|stage| stage.time_ms).sum::<Millis>().get()
}

/// All stages but those of the edge's own queue and hardware, in which it waits for others.
fn work(measurement: &Measurement) -> Millis {
    let works = |stage: &&StageTime| {
        stage.place != Place::Edge || !matches!(stage.stage, Stage::Queue | Stage::HardwareChange)
    };
    measurement.stages.iter().filter(works).map(|stage| stage.time_ms).sum()
}

fn is_below_idle(measurement: &Measurement) -> bool {
    let hardware = measurement.provenance.as_ref().and_then(|provenance| provenance.hardware.as_ref());
    let power = hardware.and_then(|hardware| hardware.power);
    let Some((power, joules)) = power.zip(joules_at(&measurement.energy, Place::Edge)) else { return false };
    joules.get() < (1.0 - BELOW_IDLE) * (power.floor() * work(measurement)).get()
}

fn adds_up(measurement: &Measurement) -> bool {
    let stages: f64 = measurement.stages.iter().map(|stage| stage.time_ms.get()).sum();
    if measurement.stages.is_empty() {
        return true;
    }
    let latency = measurement.latency.mean_ms.get();
    let (share, milliseconds) = STAGES_BELOW;
    stages <= latency * (1.0 + STAGES_ABOVE) && stages >= latency * (1.0 - share) - milliseconds
}

#[cfg(test)]
mod tests;
