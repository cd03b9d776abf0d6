//! Means of few values with their confidence intervals.

use serde::{Deserialize, Serialize};

/// A mean, and how far the true one may be from it with 95 % confidence (Student's t).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval; `None` of fewer than two values.
    pub half_width: Option<f64>,
}

/// Quantiles 0.975 of Student's t by degrees of freedom, from 1; beyond, the normal distribution's is used with the first terms of
/// its expansion.
const T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

impl Interval {
    /// Of independent values; of none, zero without a width.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count.max(1.0);
        if values.len() < 2 {
            return Self { mean, half_width: None };
        }
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, half_width: Some(student(values.len() - 1) * (variance / count).sqrt()) }
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

    #[test]
    fn intervals() {
        assert_eq!(Interval::of(&[]), Interval { mean: 0.0, half_width: None });
        assert_eq!(Interval::of(&[4.0]), Interval { mean: 4.0, half_width: None });
        // Deviation 1, 5 values: t = 2.776 at 4 degrees of freedom.
        let five = Interval::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(five.mean, 3.0);
        assert!((five.half_width.unwrap() - 2.776 * (2.5_f64 / 5.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn quantiles_of_many_degrees_approach_the_normal_s() {
        // Published: 2.000 at 60, 1.980 at 120.
        assert!((student(60) - 2.000).abs() < 1e-3 && (student(120) - 1.980).abs() < 1e-3);
    }
}
