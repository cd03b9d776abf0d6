//! Strategies that learn nothing: the whole grid, a random order, and the line scan that every search must beat.

use std::collections::VecDeque;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::Strategy;
use crate::anchors;
use crate::observation::Observation;
use crate::space::{Candidate, Space};

/// A list of candidates that was fixed before the first measurement.
#[derive(Debug)]
pub struct FixedOrder {
    left: VecDeque<Candidate>,
}

impl FixedOrder {
    /// Every configuration, neighbours far apart in time, so that a drift of the machines does not look like an effect of
    /// a knob.
    pub fn grid(space: &Space) -> Self {
        let all: Vec<Candidate> = space.candidates().collect();
        let order = interleaved(all.len());
        Self { left: order.into_iter().map(|place| all[place]).collect() }
    }

    /// Every configuration in a random order, without repetition.
    pub fn random(space: &Space, seed: u64) -> Self {
        let mut all: Vec<Candidate> = space.candidates().collect();
        all.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        Self { left: all.into() }
    }

    /// The corners, then every cut with everything else at its highest setting: what a careful person measures without a
    /// model.
    pub fn line(space: &Space) -> Self {
        let mut left = anchors::corners(space);
        for candidate in anchors::line(space) {
            if !left.contains(&candidate) {
                left.push(candidate);
            }
        }
        Self { left: left.into() }
    }
}

impl Strategy for FixedOrder {
    fn ask(&mut self, count: usize) -> Vec<Candidate> {
        let count = count.min(self.left.len());
        self.left.drain(..count).collect()
    }

    fn tell(&mut self, candidate: Candidate, _observation: &Observation) {
        self.left.retain(|&left| left != candidate);
    }

    fn failed(&mut self, _candidate: Candidate) {}

    fn is_finished(&self) -> bool {
        self.left.is_empty()
    }
}

/// A permutation of `0..count` in which neighbours are far apart in the list.
pub fn interleaved(count: usize) -> Vec<usize> {
    let step = stride(count);
    (0..count).map(|turn| (turn * step) % count).collect()
}

/// The number nearest above 0.618 × count that shares no factor with it: such steps visit every place once.
fn stride(count: usize) -> usize {
    let golden = (count as f64 * 0.618) as usize;
    (golden.max(1)..).find(|&step| shares_no_factor(step, count)).unwrap_or(1)
}

fn shares_no_factor(mut a: usize, mut b: usize) -> bool {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}
