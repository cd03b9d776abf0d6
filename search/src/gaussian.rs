//! Gaussian processes over a fixed set of points, one observation after the other. Pure.
//!
//! The posterior at every point is kept up to date by one step of an incremental Cholesky factorisation for each
//! observation, so it costs one row of the factor and not a new factorisation. Source of the formulas: C. E. Rasmussen,
//! C. K. I. Williams, "Gaussian Processes for Machine Learning", MIT Press 2006, chapters 2 and 5. Source of the additive
//! kernel: D. Duvenaud, H. Nickisch, C. E. Rasmussen, "Additive Gaussian Processes", NIPS 2011.

mod kernel;
mod learning;

pub use kernel::{Dimension, Kernel, Point};
pub use learning::learn;

/// A value's distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normal {
    /// Its mean.
    pub mean: f64,
    /// Its variance, not negative.
    pub variance: f64,
}

impl Normal {
    /// The value so many standard deviations above the mean.
    pub fn at(self, deviations: f64) -> f64 {
        self.mean + deviations * self.variance.sqrt()
    }
}

/// A value that was seen at one of a set of points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// The point's place in the set.
    pub place: usize,
    /// What was seen.
    pub value: f64,
    /// By how much the variance of the kernel's noise is too small for this one: 1 for an ordinary value, more for an
    /// outlier.
    pub doubt: f64,
}

/// What is believed of a function's values at a fixed set of points.
#[derive(Debug, Clone)]
pub struct Process {
    kernel: Kernel,
    /// Subtracted from what is observed.
    level: f64,
    /// One row an observation: the inverse of the factor times the covariance with every point.
    rows: Vec<Vec<f64>>,
    means: Vec<f64>,
    variances: Vec<f64>,
    log_likelihood: f64,
}

/// Added to every observation's variance, as a share of the prior's: below it numbers of 64 bits lose the factor.
const JITTER: f64 = 1e-9;

impl Process {
    /// Nothing observed yet: `level` everywhere, with the kernel's variance.
    pub fn new(points: &[Point], kernel: Kernel, level: f64) -> Self {
        let variances = points.iter().map(|point| kernel.covariance(point, point)).collect();
        Self {
            means: vec![level; points.len()],
            kernel,
            level,
            rows: Vec::new(),
            variances,
            log_likelihood: 0.0,
        }
    }

    /// A value was seen at one of the points; `points` are those it was made with.
    pub fn observe(&mut self, points: &[Point], observed: Observed) {
        let Observed { place, value, doubt } = observed;
        let prior = self.kernel.covariance(&points[place], &points[place]);
        let noise = self.kernel.noise_variance() * doubt + JITTER * prior;
        let seen: Vec<f64> = self.rows.iter().map(|row| row[place]).collect();
        // What is left of the variance at this point, and the noise: the square of the factor's new diagonal element.
        let spread = self.variances[place].max(0.0) + noise;
        let diagonal = spread.sqrt();
        let surprise = value - self.means[place];
        self.log_likelihood -=
            0.5 * (surprise * surprise / spread + spread.ln() + std::f64::consts::TAU.ln());
        let mut row: Vec<f64> =
            points.iter().map(|point| self.kernel.covariance(&points[place], point)).collect();
        for (earlier, weight) in self.rows.iter().zip(&seen) {
            for (element, other) in row.iter_mut().zip(earlier) {
                *element -= weight * other;
            }
        }
        for (element, (mean, variance)) in row.iter_mut().zip(self.means.iter_mut().zip(&mut self.variances))
        {
            *element /= diagonal;
            *mean += *element * surprise / diagonal;
            *variance = (*variance - *element * *element).max(0.0);
        }
        self.rows.push(row);
    }

    /// What is believed of the function at a point, the noise of a measurement not counted.
    pub fn at(&self, place: usize) -> Normal {
        Normal { mean: self.means[place], variance: self.variances[place] }
    }

    /// The logarithm of the density of everything observed, in the order it was.
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// What was subtracted from the observations.
    pub fn level(&self) -> f64 {
        self.level
    }
}

#[cfg(test)]
mod tests;
