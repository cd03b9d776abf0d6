//! Figures with confidence intervals from blocks of requests.
//!
//! Requests of one block influence each other: they queue behind each other, and the policy learns from one for the next. So intervals are
//! taken over blocks, not over requests: with enough blocks by drawing as many of them anew, again and again (the bootstrap), otherwise
//! by Student's t over the blocks' own figures.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::simulate::Interval;

/// With fewer blocks, drawing them anew gives intervals that are far too narrow.
const LEAST_FOR_BOOTSTRAP: usize = 10;

/// Draws: the ends of a 95 % interval are then the 25th from each end.
const DRAWS: usize = 1_000;

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

    /// Of a figure that a block has by itself as all blocks have it together, such as a mean. `None` where the figure of all is not
    /// known.
    pub fn of_mean<B>(blocks: &[B], seed: u64, figure: impl Fn(&[&B]) -> Option<f64>) -> Option<Self> {
        let all: Vec<&B> = blocks.iter().collect();
        let value = figure(&all)?;
        if method(blocks.len()) != Method::Student {
            return Self::of_any(blocks, seed, figure);
        }
        let own: Vec<f64> = blocks.iter().filter_map(|block| figure(&[block])).collect();
        let half = Interval::of(&own).half_width;
        Some(Self { value, low: half.map(|half| value - half), high: half.map(|half| value + half) })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(blocks: &[&f64]) -> Option<f64> {
        (!blocks.is_empty()).then(|| blocks.iter().copied().sum::<f64>() / blocks.len() as f64)
    }

    #[test]
    fn few_blocks_take_student_s_t() {
        // Deviation 1.5811 over 5 values, t = 2.776 at 4 degrees of freedom.
        let estimate = Estimate::of_mean(&[1.0, 2.0, 3.0, 4.0, 5.0], 1, mean).unwrap();
        assert_eq!(estimate.value, 3.0);
        assert!((estimate.high.unwrap() - 3.0 - 2.776 * (2.5_f64 / 5.0).sqrt()).abs() < 1e-3);
        let none = Estimate { value: 3.0, low: None, high: None };
        assert_eq!(Estimate::of_any(&[1.0, 2.0, 3.0, 4.0, 5.0], 1, mean), Some(none));
        assert_eq!(Estimate::of_mean(&[7.0], 1, mean), Some(Estimate { value: 7.0, low: None, high: None }));
        assert_eq!(Estimate::of_mean(&[], 1, mean), None);
    }

    #[test]
    fn intervals_of_many_blocks_have_the_width_of_theory() {
        // Of 400 evenly spread numbers of 0 to 1 the mean has the deviation 1/sqrt(12 · 400) = 0.01443.
        let blocks: Vec<f64> = (0..400).map(|place| (f64::from(place) + 0.5) / 400.0).collect();
        let Estimate { value, low, high } = Estimate::of_mean(&blocks, 1, mean).unwrap();
        assert!((value - 0.5).abs() < 1e-12);
        let half = (high.unwrap() - low.unwrap()) / 2.0;
        assert!((half / (1.96 * 0.014_43) - 1.0).abs() < 0.1, "{half}");
        assert_eq!(Estimate::of_mean(&blocks, 1, mean), Estimate::of_mean(&blocks, 1, mean));
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        // 200 experiments of 20 blocks: between 88 and 99 of 100 intervals hold the mean (the bootstrap is a little narrow).
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let held = (0..200)
            .filter(|experiment| {
                let blocks: Vec<f64> = (0..20).map(|_| random.random::<f64>()).collect();
                let estimate = Estimate::of_mean(&blocks, *experiment, mean).unwrap();
                (estimate.low.unwrap()..=estimate.high.unwrap()).contains(&0.5)
            })
            .count();
        assert!((176..=198).contains(&held), "{held}");
    }
}
