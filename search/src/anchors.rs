//! What is always measured first: the baselines, each knob's extremes, and a line of cuts. Pure.
//!
//! A front that holds them is never worse than a static choice that somebody would have made without a search.

use rand::{Rng, RngExt as _};

use crate::knob::{Knob, Value};
use crate::space::{Candidate, Space};

/// Everything at its highest setting at one cut: the last clock, accelerator and number of threads of their lists, and the
/// first codec, which is the plainest.
fn highest(space: &Space, cut: usize) -> Option<Candidate> {
    let start = space.candidate(&[])?.with(Knob::Cut, cut);
    let turned = [Knob::EdgeFrequency, Knob::EdgeAccelerator, Knob::EdgeThreads, Knob::CloudAccelerator];
    let candidate =
        turned.into_iter().fold(start, |candidate, knob| candidate.with(knob, space.values(knob).len() - 1));
    space.snap(candidate)
}

/// The two ends (everything in the cloud, everything on the edge) and the middle cut, each with everything at its
/// highest, and from there each knob at its lowest. Without repetition, the ends first.
pub fn corners(space: &Space) -> Vec<Candidate> {
    let cuts = space.values(Knob::Cut).len();
    let bases: Vec<Candidate> =
        [0, cuts - 1, cuts / 2].into_iter().filter_map(|cut| highest(space, cut)).collect();
    let mut corners = bases.clone();
    for knob in Knob::ALL.into_iter().filter(|&knob| knob != Knob::Cut) {
        for &base in &bases {
            let other = if knob == Knob::Codec { space.values(knob).len() - 1 } else { 0 };
            corners.extend(space.snap(base.with(knob, other)));
        }
    }
    distinct(corners)
}

/// Every cut, in the order of the network, with everything at its highest setting.
pub fn line(space: &Space) -> Vec<Candidate> {
    distinct((0..space.values(Knob::Cut).len()).filter_map(|cut| highest(space, cut)).collect())
}

/// Both ends of the line and `between` cuts of it, one at random in each of as many equal stretches.
pub fn coarse_line(space: &Space, between: usize, random: &mut impl Rng) -> Vec<Candidate> {
    let line = line(space);
    let inner = line.len().saturating_sub(2);
    let stretches = between.min(inner);
    let stretch = |number: usize| {
        let (from, to) = (number * inner / stretches, (number + 1) * inner / stretches);
        1 + random.random_range(from..to)
    };
    let inside: Vec<usize> = (0..stretches).map(stretch).collect();
    let places = [0, line.len().saturating_sub(1)].into_iter().chain(inside);
    distinct(places.filter_map(|place| line.get(place).copied()).collect())
}

fn distinct(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if !kept.contains(&candidate) {
            kept.push(candidate);
        }
    }
    kept
}

/// Whether a value means that nothing is turned.
pub fn is_fixed(space: &Space, knob: Knob) -> bool {
    space.values(knob) == [Value::AsItIs] || space.values(knob).len() == 1
}
