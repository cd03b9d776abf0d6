//! Figures of many values, and what a picture needs of them.

use schemas::nearest_rank;

/// Values in figures: quantiles are by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The least.
    pub least: f64,
    /// A quarter is not greater.
    pub first_quartile: f64,
    /// Half is not greater.
    pub median: f64,
    /// Three quarters are not greater.
    pub third_quartile: f64,
    /// 95 % are not greater.
    pub p95: f64,
    /// 99 % are not greater.
    pub p99: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Summary {
    /// Of ascending values; `None` when there are none.
    pub fn of(sorted: &[f64]) -> Option<Self> {
        let quantile = |share: f64| nearest_rank(sorted, share);
        Some(Self {
            count: sorted.len(),
            mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
            least: *sorted.first()?,
            first_quartile: quantile(0.25)?,
            median: quantile(0.5)?,
            third_quartile: quantile(0.75)?,
            p95: quantile(0.95)?,
            p99: quantile(0.99)?,
            greatest: *sorted.last()?,
        })
    }
}

/// Ascending; what is no number is left out.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// At most so many of ascending values, at equal steps with the least and the greatest among them: they have the same
/// distribution, whatever their number. `most` is at least 2.
pub fn thinned(sorted: &[f64], most: usize) -> Vec<f64> {
    if sorted.len() <= most {
        return sorted.to_vec();
    }
    let step = (sorted.len() - 1) as f64 / (most - 1) as f64;
    (0..most).map(|place| sorted[(place as f64 * step).round() as usize]).collect()
}

/// A Weibull distribution that begins at a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weibull {
    /// Where it begins.
    pub begin: f64,
    /// Its shape: 1 is the exponential distribution.
    pub shape: f64,
    /// Its scale, in the unit of the values.
    pub scale: f64,
}

/// Shapes that are looked for.
const SHAPES: (f64, f64) = (0.02, 100.0);

impl Weibull {
    /// The most likely one of ascending values that begins at their least; `None` when fewer than ten are greater than that, or
    /// all those are equal.
    pub fn fit(sorted: &[f64]) -> Option<Self> {
        let begin = *sorted.first()?;
        let excess: Vec<f64> =
            sorted.iter().map(|value| value - begin).filter(|excess| *excess > 0.0).collect();
        let greatest = *excess.last()?;
        if excess.len() < 10 || excess[0] == greatest {
            return None;
        }
        // In units of the greatest: no power overflows.
        let logs: Vec<f64> = excess.iter().map(|excess| (excess / greatest).ln()).collect();
        let mean_log = logs.iter().sum::<f64>() / logs.len() as f64;
        // The likelihood's derivative by the shape rises with it and is zero at the most likely one.
        let slope = |shape: f64| {
            let (mut sum, mut weighted) = (0.0, 0.0);
            for log in &logs {
                let power = (shape * log).exp();
                sum += power;
                weighted += power * log;
            }
            weighted / sum - 1.0 / shape - mean_log
        };
        let (mut low, mut high) = SHAPES;
        for _ in 0..100 {
            let middle = (low * high).sqrt();
            if slope(middle) < 0.0 { low = middle } else { high = middle }
        }
        let shape = (low * high).sqrt();
        let mean_power = logs.iter().map(|log| (shape * log).exp()).sum::<f64>() / logs.len() as f64;
        Some(Self { begin, shape, scale: greatest * mean_power.powf(1.0 / shape) })
    }

    /// Its density at a value.
    pub fn density(&self, value: f64) -> f64 {
        let share = (value - self.begin) / self.scale;
        if share <= 0.0 {
            return 0.0;
        }
        self.shape / self.scale * share.powf(self.shape - 1.0) * (-share.powf(self.shape)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_by_nearest_rank() {
        let summary = Summary::of(&[1.0, 2.0, 3.0, 4.0, 10.0]).unwrap();
        let Summary { count, mean, least, first_quartile, median, third_quartile, greatest, .. } = summary;
        assert_eq!((count, mean), (5, 4.0));
        assert_eq!([least, first_quartile, median, third_quartile, greatest], [1.0, 2.0, 3.0, 4.0, 10.0]);
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn thinning_keeps_the_ends_and_the_quantiles() {
        let values: Vec<f64> = (0..100_001).map(f64::from).collect();
        let few = thinned(&values, 1001);
        assert_eq!((few.len(), few[0], few[500], few[1000]), (1001, 0.0, 50_000.0, 100_000.0));
        assert_eq!(thinned(&[1.0, 2.0], 1001), [1.0, 2.0]);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        assert_eq!(sorted([3.0, f64::NAN, 1.0, f64::INFINITY]), [1.0, 3.0]);
    }

    #[test]
    fn the_weibull_distribution_of_its_own_quantiles() {
        // The quantile function is exact: begin + scale (-ln(1 - p))^(1/shape).
        for (begin, shape, scale) in [(90.0, 1.0, 400.0), (0.5, 2.5, 3.0), (-2.0, 0.7, 10.0)] {
            let quantile = |share: f64| begin + scale * (-(1.0 - share).ln()).powf(1.0 / shape);
            let mut values: Vec<f64> =
                (0..20_000).map(|n| quantile((f64::from(n) + 0.5) / 20_000.0)).collect();
            values.insert(0, begin);
            let fit = Weibull::fit(&values).unwrap();
            assert!(
                (fit.shape / shape - 1.0).abs() < 0.01 && (fit.scale / scale - 1.0).abs() < 0.01,
                "{fit:?}"
            );
        }
        // Published: the exponential distribution's density is 1/scale at its begin and falls by e in one scale.
        let exponential = Weibull { begin: 0.0, shape: 1.0, scale: 2.0 };
        assert!((exponential.density(2.0) - 0.5 / std::f64::consts::E).abs() < 1e-12);
    }

    #[test]
    fn equal_values_have_no_distribution() {
        assert_eq!(Weibull::fit(&[5.0; 100]), None);
        assert_eq!(Weibull::fit(&[]), None);
    }
}
