//! Which configurations of a front are no longer what the front says, by the receipts of live requests. Pure.
//!
//! A receipt tells what each place took for one request, as a front's measurement does. Where the receipts of a configuration
//! lie off the front's word by more than their own spread explains, the machines have changed since it was measured.

use std::collections::HashSet;

use schemas::{
    Configuration, EnergyEntry, Front, Joules, Measurement, Millis, Outcome, Place, Receipt, Share, Stage,
    StageTime, total_joules,
};

use crate::front::everything;

/// Receipts below which nothing is said of a configuration: of fewer the median is anybody's.
pub const LEAST_RECEIPTS: usize = 8;

/// How many standard errors a shift must be above what chance explains: with tens of configurations, each judged in four
/// quantities, less than one in ten refreshes measures something again for nothing.
const SURE: f64 = 3.5;

/// The standard deviation of a normal distribution, in median deviations from its median.
const OF_MEDIAN_DEVIATION: f64 = 1.482_6;

/// The standard error of a median, in those of a mean: √(π/2).
const OF_MEDIAN: f64 = 1.253_3;

/// What one request took, queues, planning and changes of the hardware left out: those say how busy the system is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// On the edge, on the wire, in the cloud.
    pub times: [Millis; 3],
    /// All its joules; `None` where they are not known.
    pub energy: Option<Joules>,
}

/// What may drift, each for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The time at a place.
    Time(Place),
    /// The joules.
    Energy,
}

/// A quantity that is no longer what the front says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Which one.
    pub of: Quantity,
    /// By how much it is more, as a share of the whole latency (or energy) that the front says.
    pub share: f64,
}

/// A configuration that is no longer what the front says.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The configuration.
    pub configuration: Configuration,
    /// What of it has changed; at least one.
    pub shifts: Vec<Shift>,
    /// The receipts that say so.
    pub receipts: usize,
}

const PLACES: [Place; 3] = [Place::Edge, Place::Wire, Place::Cloud];

impl Cost {
    /// The configuration that ran and what it took; `None` of a request that failed or did not run as it was planned.
    pub fn of_receipt(receipt: &Receipt) -> Option<(Configuration, Self)> {
        let ran = matches!(receipt.outcome, Outcome::Within | Outcome::Late) && receipt.fallback.is_none();
        let executed = receipt.executed.filter(|_| ran)?;
        Some((executed, Self::of(&receipt.stages, &receipt.energy)))
    }

    /// What the front says of a configuration.
    pub fn of_measurement(measurement: &Measurement) -> Self {
        Self::of(&measurement.stages, &measurement.energy)
    }

    fn of(stages: &[StageTime], energy: &[EnergyEntry]) -> Self {
        let counts =
            |stage: &&StageTime| !matches!(stage.stage, Stage::Plan | Stage::HardwareChange | Stage::Queue);
        let at = |place: Place| {
            stages.iter().filter(counts).filter(|stage| stage.place == place).map(|stage| stage.time_ms).sum()
        };
        Self { times: PLACES.map(at), energy: total_joules(energy) }
    }

    fn whole(&self) -> f64 {
        self.times.iter().map(|time| time.get()).sum()
    }
}

/// The configurations of a front that have drifted by at least a share of what the front says. `receipts` gives the costs of a
/// configuration's requests since the front was published.
pub fn drifts<'c>(
    front: &Front,
    receipts: impl Fn(&Configuration) -> Vec<&'c Cost>,
    least: Share,
) -> Vec<Drift> {
    let mut looked_at = HashSet::new();
    let mut drifts = Vec::new();
    for one in everything(front).filter(|one| looked_at.insert(one.configuration)) {
        let costs = receipts(&one.configuration);
        let shifts = shifts(one, &costs, least);
        if !shifts.is_empty() {
            let (configuration, receipts) = (one.configuration, costs.len());
            drifts.push(Drift { configuration, shifts, receipts });
        }
    }
    drifts
}

/// What of a measurement the receipts contradict.
fn shifts(said: &Measurement, costs: &[&Cost], least: Share) -> Vec<Shift> {
    let promised = Cost::of_measurement(said);
    let whole = promised.whole();
    if costs.len() < LEAST_RECEIPTS || whole <= 0.0 {
        return Vec::new();
    }
    let samples = f64::from(said.samples.max(1)).sqrt();
    let error = said.latency.deviation_ms.get() / samples / whole;
    let mut shifts = Vec::new();
    for (number, place) in PLACES.into_iter().enumerate() {
        let off = costs.iter().map(|cost| (cost.times[number].get() - promised.times[number].get()) / whole);
        let share = shift(off.collect(), error, least);
        shifts.extend(share.map(|share| Shift { of: Quantity::Time(place), share }));
    }
    let known: Option<Vec<f64>> = costs.iter().map(|cost| cost.energy.map(Joules::get)).collect();
    if let Some((joules, known)) = promised.energy.filter(|joules| joules.get() > 0.0).zip(known) {
        let joules = joules.get();
        let deviation = said.uncertainty.and_then(|known| known.energy_deviation_j).map_or(0.0, Joules::get);
        let off = known.into_iter().map(|known| known / joules - 1.0).collect();
        let share = shift(off, deviation / samples / joules, least);
        shifts.extend(share.map(|share| Shift { of: Quantity::Energy, share }));
    }
    shifts
}

/// The median of some differences, when it is no less than `least` and more than chance explains; `error` is the standard error
/// of what they are taken from.
///
/// Half of the receipts may say anything (a stalled machine, another program) without moving it at will.
fn shift(differences: Vec<f64>, error: f64, least: Share) -> Option<f64> {
    let middle = crate::statistics::median(&differences);
    let deviations: Vec<f64> = differences.iter().map(|one| (one - middle).abs()).collect();
    let spread = OF_MEDIAN_DEVIATION * crate::statistics::median(&deviations);
    let own = OF_MEDIAN * spread / (differences.len() as f64).sqrt();
    let is_drift = middle.abs() >= least.get() && middle.abs() > SURE * own.hypot(error);
    is_drift.then_some(middle)
}

/// What of a front is to be measured again: what has drifted, and what shares a stage that has; in the front's order.
pub fn to_measure(front: &Front, drifts: &[Drift]) -> Vec<Configuration> {
    let mut wanted = Vec::new();
    for configuration in everything(front).map(|one| one.configuration) {
        let shares = |drift: &Drift| {
            let shared = |shift: &Shift| shares_stage(&drift.configuration, &configuration, shift.of);
            drift.configuration == configuration || drift.shifts.iter().any(shared)
        };
        if !wanted.contains(&configuration) && drifts.iter().any(shares) {
            wanted.push(configuration);
        }
    }
    wanted
}

/// Whether two configurations have the stage in common that a quantity is of. Joules change with the head that burns them.
fn shares_stage(one: &Configuration, other: &Configuration, of: Quantity) -> bool {
    let head =
        |one: &Configuration| (one.cut, one.edge_frequency_khz, one.edge_accelerator, one.edge_threads);
    match of {
        Quantity::Time(Place::Wire) => (one.cut, one.codec) == (other.cut, other.codec),
        Quantity::Time(Place::Cloud) => {
            (one.cut, one.cloud_accelerator) == (other.cut, other.cloud_accelerator)
        }
        _ => head(one) == head(other),
    }
}

#[cfg(test)]
mod tests;
