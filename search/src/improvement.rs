//! How much a measurement is expected to improve a front: the expected hypervolume improvement, exact for independent
//! distributions of the three objectives. Pure.
//!
//! The space that nothing measured dominates is cut into boxes; a point's improvement is the part of each box behind it,
//! so its expectation is a sum of products of one-dimensional integrals. Source: M. Emmerich, K. Yang, A. Deutz, H. Wang,
//! C. Fonseca, "A multicriteria generalization of Bayesian global optimization", 2016.

use crate::gaussian::Normal;
use crate::hypervolume::slabs;

/// How an objective of an unmeasured point is distributed, on the axis of its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// Normal on that axis.
    Normal(Normal),
    /// The logarithm is normal; a value lies at (value − `lowest`) / `width` on the axis.
    LogNormal {
        /// The logarithm of the value.
        logarithm: Normal,
        /// The value at 0 on the axis.
        lowest: f64,
        /// The values between 0 and 1.
        width: f64,
    },
}

/// The space that a front leaves undominated, below a reference.
#[derive(Debug, Clone)]
pub struct Undominated {
    /// The values of each objective at which boxes begin and end, ascending.
    coordinates: [Vec<f64>; 3],
    slabs: Vec<Layer>,
    front: Vec<[f64; 3]>,
}

/// A range of the third objective and the strips that are undominated in it.
#[derive(Debug, Clone)]
struct Layer {
    /// Where it begins; `None` has no beginning.
    from: Option<usize>,
    to: usize,
    strips: Vec<Strip>,
}

/// A range of the first objective and where the second one ends in it; places in `coordinates`.
#[derive(Debug, Clone, Copy)]
struct Strip {
    from: Option<usize>,
    to: usize,
    below: usize,
}

impl Undominated {
    /// Below `reference`, what none of `front` dominates.
    pub fn new(front: &[[f64; 3]], reference: [f64; 3]) -> Self {
        let coordinates: [Vec<f64>; 3] = std::array::from_fn(|objective| {
            let inside =
                front.iter().map(|point| point[objective]).filter(|value| *value < reference[objective]);
            let mut values: Vec<f64> = inside.chain([reference[objective]]).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            values
        });
        let place =
            |objective: usize, value: f64| coordinates[objective].partition_point(|known| *known < value);
        let layer = |slab: crate::hypervolume::Slab| {
            let starts =
                std::iter::once(None).chain(slab.stairs.iter().map(|stair| Some(place(0, stair[0]))));
            let ends = slab.stairs.iter().map(|stair| stair[0]).chain([reference[0]]);
            let tops = std::iter::once(reference[1]).chain(slab.stairs.iter().map(|stair| stair[1]));
            let strips = starts.zip(ends.zip(tops));
            Layer {
                from: slab.from.is_finite().then(|| place(2, slab.from)),
                to: place(2, slab.to),
                strips: strips
                    .map(|(from, (end, top))| Strip { from, to: place(0, end), below: place(1, top) })
                    .collect(),
            }
        };
        let slabs = slabs(front, reference).into_iter().map(layer).collect();
        Self { slabs, front: front.to_vec(), coordinates }
    }

    /// The expected improvement by a point with these distributions.
    pub fn expected_improvement(&self, point: [Distribution; 3]) -> f64 {
        if self.is_hopeless(point) {
            return 0.0;
        }
        let gains: [Vec<f64>; 3] =
            std::array::from_fn(|objective| point[objective].expected_gaps(&self.coordinates[objective]));
        let between = |objective: usize, from: Option<usize>, to: usize| {
            gains[objective][to] - from.map_or(0.0, |from| gains[objective][from])
        };
        self.slabs
            .iter()
            .map(|layer| {
                let strip = |strip: &Strip| between(0, strip.from, strip.to) * gains[1][strip.below];
                between(2, layer.from, layer.to) * layer.strips.iter().map(strip).sum::<f64>()
            })
            .sum()
    }

    /// Whether the point is dominated even if it turns out three deviations better in everything.
    fn is_hopeless(&self, point: [Distribution; 3]) -> bool {
        let best = point.map(|value| value.quantile(-3.0));
        self.front.iter().any(|known| known.iter().zip(&best).all(|(known, best)| known <= best))
    }
}

impl Distribution {
    /// The value that is so many standard deviations (of the normal distribution behind it) above the middle.
    pub fn quantile(self, deviations: f64) -> f64 {
        match self {
            Self::Normal(normal) => normal.at(deviations),
            Self::LogNormal { logarithm, lowest, width } => (logarithm.at(deviations).exp() - lowest) / width,
        }
    }

    /// The expectation of `max(0, end − x)` for each end.
    fn expected_gaps(self, ends: &[f64]) -> Vec<f64> {
        match self {
            Self::Normal(normal) => {
                let deviation = normal.variance.sqrt();
                ends.iter().map(|&end| normal_gap(normal.mean, deviation, end)).collect()
            }
            Self::LogNormal { logarithm, lowest, width } => {
                let deviation = logarithm.variance.sqrt();
                let expectation = (logarithm.mean + 0.5 * logarithm.variance).exp();
                let gap = |&end: &f64| {
                    log_normal_gap(logarithm.mean, deviation, expectation, lowest + end * width) / width
                };
                ends.iter().map(gap).collect()
            }
        }
    }
}

fn normal_gap(mean: f64, deviation: f64, end: f64) -> f64 {
    let gap = end - mean;
    if gap.abs() > FAR * deviation {
        return gap.max(0.0);
    }
    let standard = gap / deviation.max(LEAST_DEVIATION);
    let density = (-0.5 * standard * standard).exp() / std::f64::consts::TAU.sqrt();
    gap * cumulative(standard) + deviation * density
}

/// Of a value whose logarithm has this mean and deviation, and which itself has this expectation; as the price of a put
/// option is computed.
fn log_normal_gap(mean: f64, deviation: f64, expectation: f64, end: f64) -> f64 {
    if end <= 0.0 {
        return 0.0;
    }
    let gap = end.ln() - mean;
    if gap < -FAR * deviation {
        return 0.0;
    }
    if gap - deviation * deviation > FAR * deviation {
        return end - expectation;
    }
    let standard = gap / deviation.max(LEAST_DEVIATION);
    end * cumulative(standard) - expectation * cumulative(standard - deviation)
}

/// So many deviations away, a normal value is on its side of an end but for three times in 10^11, and the integral need not be
/// computed: most ends are so far from most predictions.
const FAR: f64 = 6.5;

/// Below it a value is certain.
const LEAST_DEVIATION: f64 = 1e-12;

/// The standard normal distribution's cumulative probability.
fn cumulative(standard: f64) -> f64 {
    0.5 * libm::erfc(-standard / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, prop_assert, proptest};
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::{Distribution, Normal, Undominated};
    use crate::hypervolume::{REFERENCE, hypervolume};

    #[test]
    fn an_integral_known_by_simulation() {
        let front = [[0.2, 0.8, 0.3], [0.5, 0.4, 0.6], [0.9, 0.1, 0.1]];
        let point = [(0.4, 0.2), (0.5, 0.3), (0.2, 0.1)];
        let mut random = ChaCha8Rng::seed_from_u64(1);
        // The sum of twelve uniform numbers, less six, is normal enough for three digits.
        let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let draws = 200_000;
        let before = hypervolume(&front, REFERENCE);
        let mut gained = 0.0;
        for _ in 0..draws {
            let drawn = point.map(|(mean, deviation)| mean + deviation * normal());
            gained += hypervolume(&[&front[..], &[drawn]].concat(), REFERENCE) - before;
        }
        let simulated = gained / f64::from(draws);
        let distributions = point
            .map(|(mean, deviation)| Distribution::Normal(Normal { mean, variance: deviation * deviation }));
        let exact = Undominated::new(&front, REFERENCE).expected_improvement(distributions);
        assert!((exact / simulated - 1.0).abs() < 0.02, "{exact} by the formula, {simulated} by simulation");
    }

    proptest! {
        /// Of a point that is certain, the expectation is the improvement itself.
        #[test]
        fn certainty_is_the_plain_improvement(
            points in prop::collection::vec([0.0..1.2_f64, 0.0..1.2, 0.0..1.2], 1..20),
        ) {
            let (point, front) = points.split_first().unwrap();
            let all = hypervolume(&points, REFERENCE) - hypervolume(front, REFERENCE);
            let certain = point.map(|mean| Distribution::Normal(Normal { mean, variance: 0.0 }));
            let found = Undominated::new(front, REFERENCE).expected_improvement(certain);
            prop_assert!((found - all).abs() < 1e-9, "{} instead of {}", found, all);
        }
    }
}
