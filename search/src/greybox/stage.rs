//! One stage's Gaussian process.

use super::features::Points;
use crate::gaussian::{Kernel, Normal, Observed, Point, Process, learn};

/// A stage: what was observed of it, and what follows for every point.
#[derive(Debug)]
pub(super) struct Stage {
    points: Vec<Point>,
    of_candidate: Vec<u32>,
    /// For each candidate, what is thought of it beforehand: only the difference is modelled. Empty where nothing is.
    expected: Vec<f64>,
    start: Kernel,
    kernel: Kernel,
    observed: Vec<Observed>,
    /// How many were taken into account, and of how many the kernel was learned.
    known: usize,
    learned_from: usize,
    process: Process,
}

/// Kernels are learned when there are so many observations, and again when there are this many times more.
const LEARN_FROM: usize = 8;
const LEARN_AGAIN: f64 = 1.4;

impl Stage {
    /// Of times: they vary by factors of e over cuts and clocks, a measurement by a few per cent.
    pub(super) fn of_times(points: Points) -> Self {
        Self::new(points, [1.0, 0.3, 0.1], 0.04)
    }

    /// Of powers, which vary less.
    pub(super) fn of_powers(points: Points) -> Self {
        Self::new(points, [0.2, 0.05, 0.02], 0.03)
    }

    /// Of shares of wrong answers: a few per cent between cuts and codecs.
    pub(super) fn of_errors(points: Points) -> Self {
        Self::new(points, [1e-5, 1e-5, 1e-5], 1e-4)
    }

    fn new(points: Points, [alone, pairs, together]: [f64; 3], noise: f64) -> Self {
        let Points { dimensions, points, of_candidate } = points;
        let start = Kernel { dimensions, level: 10.0 * alone, alone, pairs, together, noise };
        let process = Process::new(&points, start.clone(), 0.0);
        Self {
            points,
            of_candidate,
            expected: Vec::new(),
            kernel: start.clone(),
            start,
            observed: Vec::new(),
            known: 0,
            learned_from: 0,
            process,
        }
    }

    /// The same stage, of which something is thought beforehand: one value for each candidate, or none at all.
    pub(super) fn expecting(self, expected: Vec<f64>) -> Self {
        Self { expected, ..self }
    }

    fn expected(&self, candidate: usize) -> f64 {
        self.expected.get(candidate).copied().unwrap_or(0.0)
    }

    pub(super) fn observe(&mut self, candidate: usize, value: f64) {
        let place = self.of_candidate[candidate] as usize;
        let value = value - self.expected(candidate);
        self.observed.push(Observed { place, value, doubt: 1.0 });
    }

    /// A value of zero or less has no logarithm: the stage did not take place.
    pub(super) fn observe_logarithm(&mut self, candidate: usize, value: f64) {
        if value.is_finite() && value > 0.0 {
            self.observe(candidate, value.ln());
        }
    }

    pub(super) fn update(&mut self) {
        let count = self.observed.len();
        if count == self.known {
            return;
        }
        let due = (self.learned_from as f64 * LEARN_AGAIN) as usize;
        if count >= LEARN_FROM && count > due {
            self.learn();
        } else if self.learned_from == 0 {
            self.begin_again();
        }
        for seen in &mut self.observed[self.known..] {
            let expected = self.process.at(seen.place);
            seen.doubt = doubt(seen.value - expected.mean, expected.variance + self.kernel.noise.powi(2));
            self.process.observe(&self.points, *seen);
        }
        self.known = count;
    }

    /// Learns the kernel, finds what it calls outliers, and learns again with those in doubt.
    fn learn(&mut self) {
        // Of all points only those that were observed say anything of the kernel.
        let places: Vec<Point> = self.observed.iter().map(|seen| self.points[seen.place].clone()).collect();
        for _ in 0..2 {
            self.kernel = learn(&self.points, &self.observed, &self.start, self.level());
            let mut process = Process::new(&places, self.kernel.clone(), self.level());
            for (place, seen) in self.observed.iter().enumerate() {
                process.observe(&places, Observed { place, ..*seen });
            }
            for (place, seen) in self.observed.iter_mut().enumerate() {
                seen.doubt = doubt(seen.value - process.at(place).mean, self.kernel.noise.powi(2));
            }
        }
        self.begin_again();
        for seen in &self.observed {
            self.process.observe(&self.points, *seen);
        }
        self.known = self.observed.len();
        self.learned_from = self.known;
    }

    fn begin_again(&mut self) {
        self.process = Process::new(&self.points, self.kernel.clone(), self.level());
        self.known = 0;
    }

    fn level(&self) -> f64 {
        self.observed.iter().map(|seen| seen.value).sum::<f64>() / self.observed.len().max(1) as f64
    }

    /// What a measurement would show for a candidate, its noise counted; `None` before the first observation.
    pub(super) fn at(&self, candidate: usize) -> Option<Normal> {
        if self.known == 0 {
            return None;
        }
        let Normal { mean, variance } = self.process.at(self.of_candidate[candidate] as usize);
        let mean = mean + self.expected(candidate);
        Some(Normal { mean, variance: variance + self.kernel.noise.powi(2) })
    }
}

/// By how much the noise's variance is too small for a value so far off, when noise has the heavy tails of Student's
/// distribution with three degrees of freedom (its expectation step: K. Lange, R. Little, J. Taylor, 1989). Measured times
/// stall now and then, and one such value must not blur all others.
fn doubt(off: f64, variance: f64) -> f64 {
    const FREEDOM: f64 = 3.0;
    ((FREEDOM + off * off / variance) / (FREEDOM + 1.0)).max(1.0)
}
