//! What a configuration is judged by, and which is better. Pure.

use std::cmp::Ordering;

use schemas::{Joules, Millis, Share};

use crate::gaussian::Normal;
use crate::improvement::Distribution;

/// The three objectives of one configuration, each to be made small: latency in ms, energy in J, and the share of
/// wrong answers.
///
/// A value that nobody measured is the same for all ([`Objectives::new`] takes `None`), so it decides nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objectives([f64; 3]);

impl Objectives {
    /// How many there are.
    pub const COUNT: usize = 3;

    /// From quantities; unknown energy and accuracy count as zero energy and no wrong answer.
    pub fn new(latency: Millis, energy: Option<Joules>, accuracy: Option<Share>) -> Self {
        let error = accuracy.map_or(0.0, |accuracy| 1.0 - accuracy.get());
        Self([latency.get(), energy.map_or(0.0, Joules::get), error])
    }

    /// From plain numbers, finite, each to be made small.
    pub const fn from_array(values: [f64; 3]) -> Self {
        Self(values)
    }

    /// Latency in ms, energy in J, share of wrong answers.
    pub const fn to_array(self) -> [f64; 3] {
        self.0
    }

    /// By the first objective in which they differ.
    pub(crate) fn total_cmp(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        // Minus zero is zero.
        pairs
            .map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Whether this is nowhere worse than `other` and somewhere better.
    pub fn dominates(&self, other: &Self) -> bool {
        let pairs = || self.0.iter().zip(&other.0);
        pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
    }
}

/// The places of those that no other dominates, ascending. Of equal ones all are in.
pub fn non_dominated(all: &[Objectives]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    // What dominates another comes before it in this order, so each need only be compared with those that were kept.
    places.sort_by(|&a, &b| all[a].total_cmp(&all[b]));
    let mut kept: Vec<usize> = Vec::new();
    for place in places {
        if !kept.iter().any(|&better| all[better].dominates(&all[place])) {
            kept.push(place);
        }
    }
    kept.sort_unstable();
    kept
}

/// How latency and energy are laid on an axis. Accuracy is always as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// As they are.
    Linear,
    /// Their logarithms: a factor counts the same wherever it is.
    Logarithmic,
}

/// Lays objectives into the unit cube: 0 the best and 1 the worst of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    axis: Axis,
    lowest: [f64; 3],
    width: [f64; 3],
}

/// Logarithms are of at least this: a millionth of a millisecond or joule is none.
const LEAST: f64 = 1e-6;

impl Scale {
    /// The scale on which the given set spans 0 to 1 in each objective. Where all are equal, they lie at 0.
    pub fn of(set: impl IntoIterator<Item = Objectives>, axis: Axis) -> Self {
        let mut lowest = [f64::INFINITY; 3];
        let mut highest = [f64::NEG_INFINITY; 3];
        for objectives in set {
            for (place, value) in on_axis(objectives, axis).into_iter().enumerate() {
                lowest[place] = lowest[place].min(value);
                highest[place] = highest[place].max(value);
            }
        }
        let width = std::array::from_fn(|place| {
            let width = highest[place] - lowest[place];
            if width.is_finite() && width > 0.0 { width } else { 1.0 }
        });
        Self { axis, lowest: lowest.map(|low| if low.is_finite() { low } else { 0.0 }), width }
    }

    /// Where objectives lie; outside 0 to 1 for those beyond the set.
    pub fn place(&self, objectives: Objectives) -> [f64; 3] {
        let values = on_axis(objectives, self.axis);
        std::array::from_fn(|place| self.place_in(place, values[place]))
    }

    fn place_in(&self, objective: usize, value: f64) -> f64 {
        (value - self.lowest[objective]) / self.width[objective]
    }

    /// How an objective that is normal lies here.
    pub fn plain(&self, objective: usize, value: Normal) -> Distribution {
        let width = self.width[objective];
        Distribution::Normal(Normal {
            mean: self.place_in(objective, value.mean),
            variance: value.variance / (width * width),
        })
    }

    /// How an objective whose logarithm is normal lies here.
    pub fn logarithm(&self, objective: usize, logarithm: Normal) -> Distribution {
        match self.axis {
            Axis::Logarithmic => self.plain(objective, logarithm),
            Axis::Linear => Distribution::LogNormal {
                logarithm,
                lowest: self.lowest[objective],
                width: self.width[objective],
            },
        }
    }
}

fn on_axis(objectives: Objectives, axis: Axis) -> [f64; 3] {
    let [latency, energy, error] = objectives.to_array();
    match axis {
        Axis::Linear => [latency, energy, error],
        Axis::Logarithmic => [latency.max(LEAST).ln(), energy.max(LEAST).ln(), error],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{Axis, Objectives, Scale, non_dominated};

    #[test]
    fn dominance() {
        let objectives = |values| Objectives::from_array(values);
        let cases = [
            ([1.0, 1.0, 0.0], [1.0, 1.0, 0.0], false),
            ([1.0, 1.0, 0.0], [1.0, 1.0, 0.1], true),
            ([1.0, 2.0, 0.0], [2.0, 1.0, 0.0], false),
            ([2.0, 2.0, 0.0], [1.0, 1.0, 0.1], false),
        ];
        for (one, other, expected) in cases {
            assert_eq!(objectives(one).dominates(&objectives(other)), expected, "{one:?} over {other:?}");
        }
    }

    #[test]
    fn a_single_point_has_a_scale() {
        let only = Objectives::from_array([5.0, 0.0, 0.5]);
        for axis in [Axis::Linear, Axis::Logarithmic] {
            assert_eq!(Scale::of([only], axis).place(only), [0.0; 3]);
        }
        assert_eq!(Scale::of([], Axis::Linear).place(only), [5.0, 0.0, 0.5]);
    }

    proptest! {
        #[test]
        fn the_front_covers_everything(
            points in prop::collection::vec([0_u8..8, 0_u8..8, 0_u8..8], 1..40),
            turn in any::<prop::sample::Index>(),
        ) {
            let all: Vec<Objectives> =
                points.iter().map(|point| Objectives::from_array(point.map(f64::from))).collect();
            let front = non_dominated(&all);
            prop_assert!(!front.is_empty());
            for (place, point) in all.iter().enumerate() {
                let covered = front.iter().any(|&kept| all[kept].dominates(point) || kept == place);
                prop_assert!(covered);
            }
            let turn = turn.index(all.len());
            let mut turned = all.clone();
            turned.rotate_left(turn);
            let mut again: Vec<usize> =
                non_dominated(&turned).into_iter().map(|place| (place + turn) % all.len()).collect();
            again.sort_unstable();
            prop_assert_eq!(again, front);
        }
    }
}
