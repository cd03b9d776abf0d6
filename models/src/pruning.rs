//! Cuts that need not be tried, with the reason. Pure.

use std::fmt;

use schemas::{ByteCount, Cut, CutDescription};
use serde::Serialize;

/// A cut beside which another divides the work alike and has no more bytes cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DominatedCut {
    /// The cut that need not be tried.
    pub cut: Cut,
    /// The one that is better, or the same and later.
    pub by: Cut,
    /// What crosses at the first, as `f32`.
    pub bytes: ByteCount,
    /// What crosses at the second.
    pub bytes_there: ByteCount,
    /// Multiply-accumulates before both.
    pub macs_before: u64,
}

impl fmt::Display for DominatedCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cut, by, bytes, bytes_there, .. } = self;
        if bytes == bytes_there {
            return write!(
                f,
                "cut {cut}: cut {by} divides the work alike, and as many bytes cross ({bytes})"
            );
        }
        write!(f, "cut {cut}: cut {by} divides the work alike, and {bytes_there} cross instead of {bytes}")
    }
}

/// The dominated ones of a network's cuts, in their order.
///
/// Of cuts with the same multiply-accumulates before them, the one with the least bytes stays; of equal ones the last,
/// behind which activations have made the numbers easier to compress. The two ends always stay: a front is anchored in
/// them. Work other than multiply-accumulates (activations, pooling, normalisations that were not folded) counts as none.
pub fn dominated(cuts: &[CutDescription]) -> Vec<DominatedCut> {
    let inner = cuts.get(1..cuts.len().saturating_sub(1)).unwrap_or_default();
    let better = |one: &CutDescription| {
        let alike = cuts.iter().filter(|other| other.macs_before == one.macs_before);
        // The latest of the least: later cuts come first here.
        alike.rev().min_by_key(|other| other.bytes)
    };
    let dominated = |one: &CutDescription| {
        better(one).filter(|better| better.cut != one.cut).map(|better| DominatedCut {
            cut: one.cut,
            by: better.cut,
            bytes: one.bytes,
            bytes_there: better.bytes,
            macs_before: one.macs_before,
        })
    };
    inner.iter().filter_map(dominated).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn cut((number, (bytes, macs_before)): (usize, (u64, u64))) -> CutDescription {
        CutDescription {
            cut: Cut(u16::try_from(number).unwrap()),
            name: number.to_string(),
            frontier: Vec::new(),
            bytes: ByteCount(bytes),
            macs_before,
            macs_after: 0,
            parameters_before: 0,
            parameters_after: 0,
            dominated_by: None,
        }
    }

    fn pairs(figures: &[(u64, u64)]) -> Vec<(u16, u16)> {
        let cuts: Vec<CutDescription> = figures.iter().copied().enumerate().map(cut).collect();
        dominated(&cuts).iter().map(|one| (one.cut.0, one.by.0)).collect()
    }

    #[test]
    fn who_dominates_whom() {
        // Input, convolution, activation, pooling, convolution, activation, output.
        let network = [(150, 0), (400, 5), (400, 5), (100, 5), (200, 9), (200, 9), (0, 12)];
        assert_eq!(pairs(&network), [(1, 3), (2, 3), (4, 5)]);
        assert_eq!(
            pairs(&[(150, 0), (600, 0), (10, 4), (40, 8), (0, 8)]),
            [(1, 0), (3, 4)],
            "the ends count"
        );
        assert!(pairs(&[(1, 0), (0, 0)]).is_empty(), "the ends stay");
        assert!(pairs(&[]).is_empty() && pairs(&[(1, 0)]).is_empty());
    }

    #[test]
    fn the_reason_is_said() {
        let cuts: Vec<CutDescription> =
            [(150, 0), (400, 5), (100, 5), (0, 9)].into_iter().enumerate().map(cut).collect();
        let text = dominated(&cuts)[0].to_string();
        assert_eq!(text, "cut 1: cut 2 divides the work alike, and 100 B cross instead of 400 B");
    }

    proptest! {
        #[test]
        fn every_division_of_the_work_keeps_its_least_bytes(
            mut figures in prop::collection::vec((0_u64..50, 0_u64..8), 0..40),
        ) {
            figures.sort_by_key(|(_, macs)| *macs);
            let cuts: Vec<CutDescription> = figures.iter().copied().enumerate().map(cut).collect();
            let gone: Vec<Cut> = dominated(&cuts).iter().map(|one| one.cut).collect();
            for one in dominated(&cuts) {
                prop_assert!(!gone.contains(&one.by), "what dominates stays");
            }
            for one in &cuts {
                let alike = |other: &&CutDescription| other.macs_before == one.macs_before;
                let least = cuts.iter().filter(alike).map(|other| other.bytes).min();
                let kept = cuts.iter().filter(alike).filter(|other| !gone.contains(&other.cut));
                prop_assert_eq!(kept.map(|other| other.bytes).min(), least);
            }
        }
    }
}
