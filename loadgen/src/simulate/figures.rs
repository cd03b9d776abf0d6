//! What a policy achieved, in the terms of the paper's tables.

use schemas::{Joules, Millis, Share};
use serde::Serialize;

use crate::recording::Side;

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The request's limit.
    pub limit: Millis,
    /// How long it took.
    pub latency: Millis,
    /// What it cost.
    pub energy: Joules,
    /// The share of right answers of the configuration that ran, where it is known.
    pub accuracy: Option<Share>,
    /// Where it ran.
    pub side: Side,
}

/// One row of a table. Times in ms, energies in J, shares in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Requests.
    pub requests: usize,
    /// Median latency; of an even number of requests the mean of the middle two.
    pub latency_median: f64,
    /// Mean latency.
    pub latency_mean: f64,
    /// Median energy.
    pub energy_median: f64,
    /// Mean energy.
    pub energy_mean: f64,
    /// Requests whose latency was not above their limit.
    pub met_percent: f64,
    /// Requests whose latency was above their limit.
    pub violations: usize,
    /// The median excess of those that were; 0 when none was.
    pub exceed_median: f64,
    /// Mean of the configurations' accuracies; `None` when one is unknown.
    pub accuracy: Option<f64>,
    /// Requests by side: cloud, split, edge.
    pub decisions: [usize; 3],
}

impl Figures {
    /// Sums up outcomes; `None` of none.
    pub fn of(outcomes: &[Outcome]) -> Option<Self> {
        if outcomes.is_empty() {
            return None;
        }
        let count = outcomes.len() as f64;
        let mean = |value: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(value).sum::<f64>() / count;
        let median_of =
            |value: &dyn Fn(&Outcome) -> f64| median(&mut outcomes.iter().map(value).collect::<Vec<_>>());
        let excess = |outcome: &Outcome| outcome.latency.get() - outcome.limit.get();
        let mut exceeding: Vec<f64> = outcomes.iter().map(excess).filter(|excess| *excess > 0.0).collect();
        let accuracies: Option<Vec<f64>> =
            outcomes.iter().map(|outcome| outcome.accuracy.map(Share::get)).collect();
        let on = |side: Side| outcomes.iter().filter(|outcome| outcome.side == side).count();
        Some(Self {
            requests: outcomes.len(),
            latency_median: median_of(&|outcome| outcome.latency.get()),
            latency_mean: mean(&|outcome| outcome.latency.get()),
            energy_median: median_of(&|outcome| outcome.energy.get()),
            energy_mean: mean(&|outcome| outcome.energy.get()),
            met_percent: 100.0 * (outcomes.len() - exceeding.len()) as f64 / count,
            violations: exceeding.len(),
            exceed_median: median(&mut exceeding),
            accuracy: accuracies.map(|accuracies| accuracies.iter().sum::<f64>() / count),
            decisions: [on(Side::Cloud), on(Side::Split), on(Side::Edge)],
        })
    }

    /// How much less energy than a baseline's, in per cent of the baseline's mean.
    pub fn reduction_percent(&self, baseline: &Self) -> f64 {
        100.0 * (1.0 - self.energy_mean / baseline.energy_mean)
    }

    /// Shares of the sides: cloud, split, edge, in per cent.
    pub fn sides_percent(&self) -> [f64; 3] {
        self.decisions.map(|decisions| 100.0 * decisions as f64 / self.requests as f64)
    }
}

/// The middle of the values, of an even number the mean of the middle two; 0 of none.
fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lower + upper) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(limit: f64, latency: f64, side: Side) -> Outcome {
        Outcome {
            limit: Millis::saturating(limit),
            latency: Millis::saturating(latency),
            energy: Joules::saturating(latency / 10.0),
            accuracy: Some(Share::saturating(0.5)),
            side,
        }
    }

    #[test]
    fn a_latency_equal_to_the_limit_is_met() {
        let outcomes = [outcome(10.0, 10.0, Side::Edge), outcome(10.0, 12.0, Side::Cloud)];
        let figures = Figures::of(&outcomes).unwrap();
        assert_eq!((figures.violations, figures.met_percent, figures.exceed_median), (1, 50.0, 2.0));
        assert_eq!(figures.latency_median, 11.0);
        assert_eq!(figures.decisions, [1, 0, 1]);
    }

    #[test]
    fn medians() {
        for (mut values, expected) in
            [(vec![], 0.0), (vec![3.0], 3.0), (vec![4.0, 1.0], 2.5), (vec![9.0, 1.0, 2.0], 2.0)]
        {
            assert_eq!(median(&mut values), expected);
        }
    }

    #[test]
    fn nothing_has_no_figures_and_an_unknown_accuracy_is_not_zero() {
        assert_eq!(Figures::of(&[]), None);
        let unknown = Outcome { accuracy: None, ..outcome(1.0, 1.0, Side::Split) };
        assert_eq!(Figures::of(&[outcome(1.0, 1.0, Side::Edge), unknown]).unwrap().accuracy, None);
    }
}
