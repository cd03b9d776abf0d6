//! What of a configuration a stage depends on, as numbers.

use schemas::Millis;

use crate::gaussian::{Dimension, Point};
use crate::knob::{Knob, Value};
use crate::observation::CutFacts;
use crate::space::{Candidate, Space};

/// One number of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    /// How much of the network is before the cut, 0 to 1.
    Cut,
    /// Whether the cut is the first, the last or neither: at the ends other work is done.
    End,
    /// The logarithm of the bytes that cross.
    Bytes,
    /// The logarithm of the clock.
    Clock,
    /// The logarithm of the threads.
    Threads,
    /// Which value of a knob without order.
    Choice(Knob),
}

/// The distinct points of some candidates, and which is whose.
#[derive(Debug)]
pub(super) struct Points {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) points: Vec<Point>,
    /// For each candidate, its place in `points`.
    pub(super) of_candidate: Vec<u32>,
}

/// The points that candidates have by some features; features in which all are equal are left out.
pub(super) fn points(
    space: &Space,
    candidates: &[Candidate],
    facts: &[CutFacts],
    wanted: &[Feature],
) -> Points {
    let columns: Vec<(Dimension, Vec<f64>)> = wanted
        .iter()
        .map(|&feature| {
            let table = values(space, facts, feature);
            let knob = feature.knob();
            (
                feature.dimension(table.len()),
                candidates.iter().map(|candidate| table[candidate.place(knob)]).collect::<Vec<_>>(),
            )
        })
        .filter(|(_, column): &(Dimension, Vec<f64>)| column.iter().any(|value| *value != column[0]))
        .collect();
    let mut places = std::collections::HashMap::new();
    let mut points: Vec<Point> = Vec::new();
    let mut of_candidate = Vec::with_capacity(candidates.len());
    for row in 0..candidates.len() {
        let point: Point = columns.iter().map(|(_, column)| column[row]).collect();
        let key: Vec<u64> = point.iter().map(|value| value.to_bits()).collect();
        of_candidate.push(*places.entry(key).or_insert_with(|| {
            points.push(point);
            // A space has at most 10^8 combinations.
            points.len() as u32 - 1
        }));
    }
    Points { dimensions: columns.into_iter().map(|(dimension, _)| dimension).collect(), points, of_candidate }
}

/// For each candidate the logarithm of what a stage is thought to take at its cut; nothing where that is not known of every cut.
pub(super) fn expected(
    space: &Space,
    candidates: &[Candidate],
    facts: &[CutFacts],
    time: fn(&CutFacts) -> Option<Millis>,
) -> Vec<f64> {
    let of_cuts: Option<Vec<f64>> =
        facts.iter().map(|cut| time(cut).map(|time| time.get().max(LEAST_TIME).ln())).collect();
    match of_cuts {
        Some(of_cuts) if of_cuts.len() == space.values(Knob::Cut).len() => {
            candidates.iter().map(|candidate| of_cuts[candidate.place(Knob::Cut)]).collect()
        }
        _ => Vec::new(),
    }
}

/// Ten microseconds, in ms: what a stage that is all but nothing takes, so that it has a logarithm.
const LEAST_TIME: f64 = 1e-2;

/// For each candidate, whether anything runs in the cloud: not where nothing crosses, nor at the last cut.
pub(super) fn uses_cloud(space: &Space, candidates: &[Candidate], facts: &[CutFacts]) -> Vec<bool> {
    let last = space.values(Knob::Cut).len() - 1;
    let sized = facts.iter().any(|cut| cut.bytes.0 > 0);
    let crosses =
        |cut: usize| if sized { facts.get(cut).is_none_or(|cut| cut.bytes.0 > 0) } else { cut != last };
    candidates.iter().map(|candidate| crosses(candidate.place(Knob::Cut))).collect()
}

impl Feature {
    fn knob(self) -> Knob {
        match self {
            Self::Cut | Self::End | Self::Bytes => Knob::Cut,
            Self::Clock => Knob::EdgeFrequency,
            Self::Threads => Knob::EdgeThreads,
            Self::Choice(knob) => knob,
        }
    }

    /// How a kernel starts with it, before anything is learned.
    fn dimension(self, values: usize) -> Dimension {
        match self {
            Self::Cut => Dimension::Smooth { length: 0.4 },
            Self::Bytes => Dimension::Smooth { length: 1.0 },
            Self::Clock | Self::Threads => Dimension::Smooth { length: 2.0 },
            Self::End => Dimension::Category { resemblance: 0.2 },
            Self::Choice(Knob::Cut) => Dimension::Category { resemblance: 0.01 },
            Self::Choice(_) if values <= LONGEST_LADDER => Dimension::Ladder { gaps: vec![0.7; values - 1] },
            Self::Choice(_) => Dimension::Category { resemblance: 0.5 },
        }
    }
}

/// Each gap of a ladder is learned, so a long one would need many measurements.
const LONGEST_LADDER: usize = 4;

/// A feature's number for each value of its knob; those of [`Dimension::Smooth`] span 0 to 1.
fn values(space: &Space, facts: &[CutFacts], feature: Feature) -> Vec<f64> {
    let values = space.values(feature.knob());
    let last = values.len() - 1;
    let plain: Vec<f64> = match feature {
        Feature::Choice(_) => return (0..values.len()).map(|place| place as f64).collect(),
        Feature::End => return (0..values.len()).map(|place| end(place, last)).collect(),
        Feature::Cut => (0..values.len())
            .map(|place| {
                facts.get(place).and_then(|cut| cut.work_before).map_or(place as f64, |work| work.get())
            })
            .collect(),
        // One byte more, as the last cut sends none.
        Feature::Bytes => (0..values.len())
            .map(|place| facts.get(place).map_or(0.0, |cut| (cut.bytes.0 as f64 + 1.0).ln()))
            .collect(),
        Feature::Clock | Feature::Threads => values.iter().map(logarithm).collect(),
    };
    let lowest = plain.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = plain.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = if highest > lowest { highest - lowest } else { 1.0 };
    plain.into_iter().map(|value| (value - lowest) / width).collect()
}

fn end(place: usize, last: usize) -> f64 {
    match place {
        0 => 0.0,
        place if place == last => 2.0,
        _ => 1.0,
    }
}

fn logarithm(value: &Value) -> f64 {
    match value {
        Value::Frequency(clock) => (clock.0.max(1) as f64).ln(),
        Value::Threads(threads) => f64::from(threads.get()).ln(),
        _ => 0.0,
    }
}
