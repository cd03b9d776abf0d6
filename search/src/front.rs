//! Which of the measured configurations are best, and how sure that is. Pure.
//!
//! Measurements are noisy: of two configurations that are equally good, one looks better. Leaving out the other would be
//! leaving out half of the truth, by chance. So a point that is worse than others only within noise stays, and is
//! called tied.
//!
//! Any number of objectives, in one order for all points: latency (the quantile that the front is made for), energy and
//! the share of wrong answers, or more. A value that nobody measured is left out for all points.

use schemas::{Joules, Millis, Share};

/// One objective of one point, to be made small, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    value: f64,
    error: f64,
}

impl Estimate {
    /// A latency and its standard error: of a quantile, half the width of its 95 % interval, divided by 1.96.
    pub fn of_latency(latency: Millis, error: Millis) -> Self {
        Self { value: latency.get(), error: error.get() }
    }

    /// The energy of a request and its standard error.
    pub fn of_energy(energy: Joules, error: Joules) -> Self {
        Self { value: energy.get(), error: error.get() }
    }

    /// The share of right answers on so many pictures, which stand for all pictures.
    ///
    /// The standard error is that of A. Agresti and B. Coull (1998), with two right and two wrong answers added, so that it
    /// is not zero when every answer was right.
    pub fn of_accuracy(share: Share, pictures: u32) -> Self {
        let (right, all) = (share.get() * f64::from(pictures) + 2.0, f64::from(pictures) + 4.0);
        let adjusted = right / all;
        Self { value: 1.0 - share.get(), error: (adjusted * (1.0 - adjusted) / all).sqrt() }
    }

    /// The same without doubt: an accuracy that is asked for on these very pictures, say.
    #[must_use]
    pub fn exact(self) -> Self {
        Self { error: 0.0, ..self }
    }

    /// By how many standard errors of the difference the other is worse; infinite when neither has an error.
    fn lead_over(&self, other: &Self) -> f64 {
        let difference = other.value - self.value;
        if difference == 0.0 { 0.0 } else { difference / self.error.hypot(other.error) }
    }
}

/// How a point stands among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// By the estimates, none is nowhere worse and somewhere better.
    Best,
    /// Some are, but none of them by more than noise. `with` is the place of the one that leads most.
    Tied {
        /// A place in the list.
        with: usize,
    },
    /// Another is nowhere worse and somewhere better by more than noise. `by` is the place of the one that leads most.
    Dominated {
        /// A place in the list.
        by: usize,
    },
}

impl Standing {
    /// Whether it belongs to the front.
    pub fn is_kept(self) -> bool {
        !matches!(self, Self::Dominated { .. })
    }
}

/// Differences up to so many of their standard errors are noise: one of twenty differences between equals is greater.
pub const NOISE: f64 = 1.96;

/// How each point stands. `noise` is the difference, in its standard errors, up to which one is noise: [`NOISE`].
///
/// The points are compared two by two; with hundreds of them, a few of those that are equal will look different all the
/// same.
pub fn standings(points: &[Vec<Estimate>], noise: f64) -> Vec<Standing> {
    let standing = |point: &Vec<Estimate>| {
        let leads = points.iter().enumerate().filter_map(|(place, other)| Some((place, lead(other, point)?)));
        match leads.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))) {
            None => Standing::Best,
            Some((with, most)) if most <= noise => Standing::Tied { with },
            Some((by, _)) => Standing::Dominated { by },
        }
    };
    points.iter().map(standing).collect()
}

/// By how many standard errors a point is better than another in the objective where it leads most; `None` when it does not
/// dominate it.
fn lead(point: &[Estimate], other: &[Estimate]) -> Option<f64> {
    let leads = point.iter().zip(other).map(|(point, other)| point.lead_over(other));
    let (least, most) =
        leads.fold((f64::INFINITY, 0.0_f64), |(least, most), lead| (least.min(lead), most.max(lead)));
    (least >= 0.0 && most > 0.0).then_some(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
    use schemas::{Joules, Millis, Share};

    use super::{Estimate, NOISE, Standing, standings};
    use crate::objectives::{Objectives, non_dominated};

    fn point(latency: (f64, f64), energy: (f64, f64)) -> Vec<Estimate> {
        vec![
            Estimate::of_latency(Millis::saturating(latency.0), Millis::saturating(latency.1)),
            Estimate::of_energy(Joules::saturating(energy.0), Joules::saturating(energy.1)),
        ]
    }

    #[test]
    fn only_what_is_worse_beyond_noise_is_dominated() {
        let best = point((100.0, 3.0), (1.0, 0.03));
        let cases = [
            ("the same", point((100.0, 3.0), (1.0, 0.03)), Standing::Best),
            ("faster, hungrier", point((90.0, 3.0), (1.2, 0.03)), Standing::Best),
            // The difference has a standard error of 3 × √2 = 4.2 ms: 8.3 ms are within it, 8.4 ms are not.
            ("slower within noise", point((108.3, 3.0), (1.0, 0.03)), Standing::Tied { with: 0 }),
            ("slower beyond noise", point((108.4, 3.0), (1.0, 0.03)), Standing::Dominated { by: 0 }),
            ("as slow but sure", point((108.3, 0.0), (1.0, 0.03)), Standing::Dominated { by: 0 }),
            ("both within noise", point((101.0, 3.0), (1.01, 0.03)), Standing::Tied { with: 0 }),
            ("one of two beyond", point((101.0, 3.0), (1.2, 0.03)), Standing::Dominated { by: 0 }),
        ];
        for (name, other, expected) in cases {
            assert_eq!(standings(&[best.clone(), other], NOISE)[1], expected, "{name}");
        }
        assert_eq!(standings(&[], NOISE), []);
    }

    #[test]
    fn a_tie_is_with_the_one_that_leads_most() {
        let points =
            [point((99.0, 1.0), (1.0, 0.0)), point((98.5, 1.0), (1.0, 0.0)), point((100.0, 1.0), (1.0, 0.0))];
        assert_eq!(
            standings(&points, NOISE),
            [Standing::Tied { with: 1 }, Standing::Best, Standing::Tied { with: 1 }]
        );
    }

    /// The interval of Agresti and Coull for 18 of 20 is 0.690 to 0.982 (their formula by hand: 20 / 24 ± 1.96 × 0.0761,
    /// with 1.96² rounded to 4): a standard error of 0.0761.
    #[test]
    fn an_accuracy_on_few_pictures_is_unsure() {
        let estimate = Estimate::of_accuracy(Share::saturating(0.9), 20);
        assert!((estimate.value - 0.1).abs() < 1e-12);
        assert!((estimate.error - 0.0761).abs() < 1e-4, "{}", estimate.error);
        assert!(Estimate::of_accuracy(Share::saturating(1.0), 20).error > 0.0);
        assert_eq!(estimate.exact().error, 0.0);
    }

    proptest! {
        /// Without noise it is plain dominance; with it, more is kept and nothing that was best is lost.
        #[test]
        fn noise_only_adds(
            values in prop::collection::vec([(0_u8..8, 0_u8..4), (0_u8..8, 0_u8..4)], 1..40),
        ) {
            let points: Vec<Vec<Estimate>> = values
                .iter()
                .map(|[(latency, deviation), (energy, spread)]| {
                    point((f64::from(*latency), f64::from(*deviation)), (f64::from(*energy), f64::from(*spread)))
                })
                .collect();
            let plain: Vec<Objectives> = values
                .iter()
                .map(|[(latency, _), (energy, _)]| {
                    Objectives::from_array([f64::from(*latency), f64::from(*energy), 0.0])
                })
                .collect();
            let places = |wanted: &dyn Fn(Standing) -> bool, found: &[Standing]| -> Vec<usize> {
                (0..found.len()).filter(|&place| wanted(found[place])).collect()
            };
            let best = non_dominated(&plain);
            let exact: Vec<Vec<Estimate>> =
                points.iter().map(|point| point.iter().map(|estimate| estimate.exact()).collect()).collect();
            prop_assert_eq!(&places(&Standing::is_kept, &standings(&exact, NOISE)), &best);
            let mut kept_before = Vec::new();
            for noise in [0.0, 1.0, NOISE, 3.0] {
                let found = standings(&points, noise);
                prop_assert_eq!(&places(&|standing| standing == Standing::Best, &found), &best);
                let kept = places(&Standing::is_kept, &found);
                prop_assert!(kept_before.iter().all(|place| kept.contains(place)));
                kept_before = kept;
            }
        }
    }
}
