//! The hypervolume that a front dominates: how good it is, in one number. Pure.
//!
//! Source: E. Zitzler, L. Thiele, "Multiobjective optimization using evolutionary algorithms", PPSN 1998.

/// The corner against which volumes are measured, in the unit cube of [`crate::objectives::Scale`]; a little beyond the
/// worst, so that the extreme points of a front count too. `notes` of the field use 1.1 as well.
pub const REFERENCE: [f64; 3] = [1.1; 3];

/// The volume between `points` (each to be made small) and `reference`; points beyond the reference add nothing.
pub fn hypervolume(points: &[[f64; 3]], reference: [f64; 3]) -> f64 {
    slabs(points, reference).iter().map(|slab| slab.thickness() * slab.dominated_area(reference)).sum()
}

/// A layer of the third objective in which the set of points that count does not change.
pub(crate) struct Slab {
    /// Where it begins in the third objective; minus infinity for the first.
    pub(crate) from: f64,
    /// Where it ends.
    pub(crate) to: f64,
    /// The staircase of the points below it: first objective ascending, second descending.
    pub(crate) stairs: Vec<[f64; 2]>,
}

impl Slab {
    fn thickness(&self) -> f64 {
        // Nothing is dominated in the first slab, which has no beginning.
        if self.stairs.is_empty() { 0.0 } else { self.to - self.from }
    }

    fn dominated_area(&self, reference: [f64; 3]) -> f64 {
        let ends = self.stairs.iter().skip(1).map(|stair| stair[0]).chain([reference[0]]);
        self.stairs.iter().zip(ends).map(|(stair, end)| (end - stair[0]) * (reference[1] - stair[1])).sum()
    }
}

/// Cuts the space below `reference` at every value of the third objective.
pub(crate) fn slabs(points: &[[f64; 3]], reference: [f64; 3]) -> Vec<Slab> {
    let is_inside = |point: &&[f64; 3]| point.iter().zip(&reference).all(|(value, end)| value < end);
    let mut inside: Vec<[f64; 3]> = points.iter().filter(is_inside).copied().collect();
    inside.sort_by(|a, b| a[2].total_cmp(&b[2]));
    let mut slabs = Vec::new();
    let mut stairs: Vec<[f64; 2]> = Vec::new();
    let mut from = f64::NEG_INFINITY;
    for [first, second, third] in inside {
        if third > from {
            slabs.push(Slab { from, to: third, stairs: stairs.clone() });
            from = third;
        }
        step(&mut stairs, [first, second]);
    }
    slabs.push(Slab { from, to: reference[2], stairs });
    slabs
}

/// Adds a point to a staircase, unless a stair covers it, and takes out the stairs that it covers.
fn step(stairs: &mut Vec<[f64; 2]>, point: [f64; 2]) {
    if stairs.iter().any(|stair| stair[0] <= point[0] && stair[1] <= point[1]) {
        return;
    }
    stairs.retain(|stair| stair[0] < point[0] || stair[1] < point[1]);
    let place = stairs.partition_point(|stair| stair[0] < point[0]);
    stairs.insert(place, point);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, prop_assert, proptest};

    use super::{REFERENCE, hypervolume};

    const ABSOLUTE_TOLERANCE: f64 = 1e-12;

    #[test]
    fn volumes_known_by_hand() {
        let cases: [(&str, Vec<[f64; 3]>, f64); 6] = [
            ("nothing", vec![], 0.0),
            ("the best", vec![[0.0; 3]], 1.331),
            ("the corner itself", vec![[1.1; 3]], 0.0),
            ("one beyond", vec![[2.0, 0.0, 0.0]], 0.0),
            ("twice the same", vec![[0.1; 3], [0.1; 3]], 1.0),
            // Two boxes of 1 × 0.5 × 1 that share 0.5 × 0.5 × 1.
            ("two that cross", vec![[0.1, 0.6, 0.1], [0.6, 0.1, 0.1]], 0.75),
        ];
        for (name, points, expected) in cases {
            let found = hypervolume(&points, REFERENCE);
            assert!((found - expected).abs() < ABSOLUTE_TOLERANCE, "{name}: {found}");
        }
    }

    proptest! {
        /// Inclusion and exclusion over all subsets is another way to the same number.
        #[test]
        fn equals_inclusion_and_exclusion(points in prop::collection::vec([0.0..1.2_f64, 0.0..1.2, 0.0..1.2], 0..8)) {
            let mut expected = 0.0;
            for subset in 1_u32..1 << points.len() {
                let chosen = points.iter().enumerate().filter(|(place, _)| subset >> place & 1 == 1);
                let corner = chosen.fold([0.0_f64; 3], |corner, (_, point)| {
                    std::array::from_fn(|place| corner[place].max(point[place]))
                });
                let volume: f64 = corner.iter().map(|value| (1.1 - value).max(0.0)).product();
                expected += if subset.count_ones() % 2 == 1 { volume } else { -volume };
            }
            let found = hypervolume(&points, REFERENCE);
            prop_assert!((found - expected).abs() < 1e-9, "{} instead of {}", found, expected);
        }

        #[test]
        fn a_point_more_is_never_less(points in prop::collection::vec([0.0..1.2_f64, 0.0..1.2, 0.0..1.2], 1..30)) {
            let without = hypervolume(&points[1..], REFERENCE);
            prop_assert!(hypervolume(&points, REFERENCE) >= without - ABSOLUTE_TOLERANCE);
        }
    }
}
