//! Figures with their confidence intervals, over runs with several seeds or over blocks of requests.
//!
//! Requests of one block influence each other: they queue behind each other, and the policy learns from one for the next. So intervals are
//! taken over blocks, not over requests: with enough blocks by drawing as many of them anew, again and again (the bootstrap), otherwise
//! by Student's t over the blocks' own figures.
//!
//! Student's t knows nothing of what a figure can be: of few runs it says that 95 % of the requests are answered, more or less 8. So every
//! figure comes with its [`Feasible`] range, and the interval is what lies in it. The truth is never outside, so the interval holds it as
//! often as before.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Quantiles 0.975 of Student's t by degrees of freedom, from 1; beyond, the normal distribution's is used with the first terms of
/// its expansion.
const T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// With fewer blocks, drawing them anew gives intervals that are far too narrow.
const LEAST_FOR_BOOTSTRAP: usize = 10;

/// Draws: the ends of a 95 % interval are then the 25th from each end.
const DRAWS: usize = 1_000;

/// Between which numbers a figure lies, whatever is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feasible {
    least: f64,
    greatest: f64,
}

impl Feasible {
    /// A share in per cent.
    pub const PERCENT: Self = Self::between(0.0, 100.0);
    /// The difference of two shares, in percentage points.
    pub const POINTS: Self = Self::between(-100.0, 100.0);
    /// What is never negative, such as a time or joules.
    pub const AMOUNT: Self = Self::between(0.0, f64::INFINITY);
    /// By how many per cent an amount is more than another one: no less than nothing is left of it.
    pub const PERCENT_MORE: Self = Self::between(-100.0, f64::INFINITY);
    /// The difference of two amounts.
    pub const ANY: Self = Self::between(f64::NEG_INFINITY, f64::INFINITY);

    /// From one number to another.
    pub const fn between(least: f64, greatest: f64) -> Self {
        Self { least, greatest }
    }
}

/// A figure and its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Of all requests.
    pub value: f64,
    /// The lower end; `None` where there are too few blocks to say.
    #[serde(default)]
    pub low: Option<f64>,
    /// The upper end.
    #[serde(default)]
    pub high: Option<f64>,
}

/// How intervals were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By drawing blocks anew.
    Bootstrap,
    /// By Student's t over the blocks.
    Student,
    /// There is one block: no interval.
    None,
}

/// How intervals over so many blocks are made.
pub fn method(blocks: usize) -> Method {
    match blocks {
        0 | 1 => Method::None,
        2..LEAST_FOR_BOOTSTRAP => Method::Student,
        _ => Method::Bootstrap,
    }
}

impl Estimate {
    /// Whether the interval leaves zero out: a difference that is no chance.
    pub fn is_apart_from_zero(&self) -> bool {
        self.low.is_some_and(|low| low > 0.0) || self.high.is_some_and(|high| high < 0.0)
    }

    /// The mean of independent values, by Student's t; of none, zero.
    pub fn of_values(range: Feasible, values: &[f64]) -> Self {
        let value = values.iter().sum::<f64>() / values.len().max(1) as f64;
        Self::about(range, value, values)
    }

    /// The mean of a figure of some independent runs.
    pub fn over<T>(range: Feasible, runs: &[T], figure: impl Fn(&T) -> f64) -> Self {
        Self::of_values(range, &runs.iter().map(figure).collect::<Vec<_>>())
    }

    /// The mean of a figure of pairs of runs, such as a difference, run by run.
    pub fn against<T>(range: Feasible, own: &[T], others: &[T], figure: impl Fn(&T, &T) -> f64) -> Self {
        let pairs = own.iter().zip(others);
        Self::of_values(range, &pairs.map(|(own, other)| figure(own, other)).collect::<Vec<_>>())
    }

    /// A figure whose interval is as wide as that of the mean of these values, as far as the figure can be there.
    fn about(range: Feasible, value: f64, values: &[f64]) -> Self {
        if values.len() < 2 {
            return Self { value, low: None, high: None };
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let half = student(values.len() - 1) * (variance / count).sqrt();
        // Rounding may put the figure itself a little beyond its range, and an interval holds its figure.
        let (low, high) = ((value - half).max(range.least), (value + half).min(range.greatest));
        Self { value, low: Some(low.min(value)), high: Some(high.max(value)) }
    }

    /// Of a figure that a block has by itself as all blocks have it together, such as a mean. `None` where the figure of all is not
    /// known.
    pub fn of_mean<B>(
        range: Feasible,
        blocks: &[B],
        seed: u64,
        figure: impl Fn(&[&B]) -> Option<f64>,
    ) -> Option<Self> {
        let all: Vec<&B> = blocks.iter().collect();
        let value = figure(&all)?;
        if method(blocks.len()) != Method::Student {
            return Self::of_any(blocks, seed, figure);
        }
        let own: Vec<f64> = blocks.iter().filter_map(|block| figure(&[block])).collect();
        Some(Self::about(range, value, &own))
    }

    /// Of a figure that few requests say little of, such as a quantile: with few blocks there is no interval.
    pub fn of_any<B>(blocks: &[B], seed: u64, figure: impl Fn(&[&B]) -> Option<f64>) -> Option<Self> {
        let all: Vec<&B> = blocks.iter().collect();
        let value = figure(&all)?;
        if method(blocks.len()) != Method::Bootstrap {
            return Some(Self { value, low: None, high: None });
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = all.clone();
        let mut figures: Vec<f64> = Vec::with_capacity(DRAWS);
        for _ in 0..DRAWS {
            for place in &mut drawn {
                *place = all[random.random_range(0..all.len())];
            }
            figures.extend(figure(&drawn));
        }
        figures.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let last = figures.len().checked_sub(1)?;
            figures.get((share * last as f64).round() as usize).copied()
        };
        Some(Self { value, low: at(0.025), high: at(0.975) })
    }
}

/// The quantile 0.975 for at least one degree of freedom.
fn student(freedom: usize) -> f64 {
    let z = 1.959_964;
    let beyond = || z + (z * z * z + z) / (4.0 * freedom as f64);
    T.get(freedom - 1).copied().unwrap_or_else(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mean(blocks: &[&f64]) -> Option<f64> {
        (!blocks.is_empty()).then(|| blocks.iter().copied().sum::<f64>() / blocks.len() as f64)
    }

    #[test]
    fn few_blocks_take_student_s_t() {
        // Deviation 1.5811 over 5 values, t = 2.776 at 4 degrees of freedom.
        let estimate = Estimate::of_mean(Feasible::ANY, &[1.0, 2.0, 3.0, 4.0, 5.0], 1, mean).unwrap();
        assert_eq!(estimate.value, 3.0);
        assert!((estimate.high.unwrap() - 3.0 - 2.776 * (2.5_f64 / 5.0).sqrt()).abs() < 1e-3);
        let none = Estimate { value: 3.0, low: None, high: None };
        assert_eq!(Estimate::of_any(&[1.0, 2.0, 3.0, 4.0, 5.0], 1, mean), Some(none));
        assert_eq!(
            Estimate::of_mean(Feasible::ANY, &[7.0], 1, mean),
            Some(Estimate { value: 7.0, low: None, high: None })
        );
        assert_eq!(Estimate::of_mean(Feasible::ANY, &[], 1, mean), None);
    }

    #[test]
    fn few_values_take_student_s_t() {
        let of = |values: &[f64]| Estimate::of_values(Feasible::ANY, values);
        assert_eq!(of(&[]), Estimate { value: 0.0, low: None, high: None });
        assert_eq!(of(&[4.0]), Estimate { value: 4.0, low: None, high: None });
        // Deviation 1.5811 over 5 values, t = 2.776 at 4 degrees of freedom.
        let five = of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(five.value, 3.0);
        assert!((five.high.unwrap() - 3.0 - 2.776 * (2.5_f64 / 5.0).sqrt()).abs() < 1e-9);
        // What cannot be is left out, and nothing else: t = 12.706 at one degree.
        let two = Estimate::of_values(Feasible::PERCENT, &[90.0, 92.0]);
        assert_eq!(two.high, Some(100.0));
        assert!((two.low.unwrap() - (91.0 - 12.706)).abs() < 1e-9);
    }

    #[test]
    fn quantiles_of_many_degrees_approach_the_normal_s() {
        // Published: 2.000 at 60, 1.980 at 120.
        assert!((student(60) - 2.000).abs() < 1e-3 && (student(120) - 1.980).abs() < 1e-3);
    }

    proptest! {
        /// Shares of any runs or blocks, few and many, and what they differ by.
        #[test]
        fn intervals_lie_where_their_figures_can_be(
            pairs in prop::collection::vec((0.0..=100.0_f64, 0.0..=100.0_f64), 1..15),
            extreme in prop::sample::select(vec![0.0, 50.0, 100.0]),
        ) {
            let own: Vec<f64> = pairs.iter().map(|(own, _)| *own).chain([extreme]).collect();
            let points: Vec<f64> = pairs.iter().map(|(own, first)| own - first).collect();
            for (range, values) in [(Feasible::PERCENT, own), (Feasible::POINTS, points)] {
                let unbounded = Estimate::of_values(Feasible::ANY, &values);
                for estimate in [
                    Estimate::of_values(range, &values),
                    Estimate::of_mean(range, &values, 1, mean).unwrap(),
                ] {
                    let Some((low, high)) = estimate.low.zip(estimate.high) else { continue };
                    prop_assert!(low >= range.least - 1e-9 && high <= range.greatest + 1e-9, "{estimate:?}");
                    prop_assert!(low <= estimate.value && estimate.value <= high, "{estimate:?}");
                    // What can be is not left out: by t, the interval is that part of the unbounded one.
                    if method(values.len()) == Method::Student {
                        prop_assert!(low == range.least || unbounded.low == Some(low));
                        prop_assert!(high == range.greatest || unbounded.high == Some(high));
                    }
                }
            }
        }
    }

    #[test]
    fn intervals_of_many_blocks_have_the_width_of_theory() {
        // Of 400 evenly spread numbers of 0 to 1 the mean has the deviation 1/sqrt(12 · 400) = 0.01443.
        let blocks: Vec<f64> = (0..400).map(|place| (f64::from(place) + 0.5) / 400.0).collect();
        let Estimate { value, low, high } = Estimate::of_mean(Feasible::ANY, &blocks, 1, mean).unwrap();
        assert!((value - 0.5).abs() < 1e-12);
        let half = (high.unwrap() - low.unwrap()) / 2.0;
        assert!((half / (1.96 * 0.014_43) - 1.0).abs() < 0.1, "{half}");
        assert_eq!(
            Estimate::of_mean(Feasible::ANY, &blocks, 1, mean),
            Estimate::of_mean(Feasible::ANY, &blocks, 1, mean)
        );
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        // 200 experiments of 20 blocks: between 88 and 99 of 100 intervals hold the mean (the bootstrap is a little narrow).
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let held = (0..200)
            .filter(|experiment| {
                let blocks: Vec<f64> = (0..20).map(|_| random.random::<f64>()).collect();
                let estimate = Estimate::of_mean(Feasible::ANY, &blocks, *experiment, mean).unwrap();
                (estimate.low.unwrap()..=estimate.high.unwrap()).contains(&0.5)
            })
            .count();
        assert!((176..=198).contains(&held), "{held}");
    }
}
