//! Against figures computed by others.

use proptest::prelude::{prop, prop_assert, proptest};

use super::{Dimension, Kernel, Observed, Point, Process, learn};

/// Figures are given to all their digits; what the jitter adds is less.
const TOLERANCE: f64 = 1e-6;

fn assert_close(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < TOLERANCE, "{name}: {found} instead of {expected}");
    }
}

fn seen(place: usize, value: f64, doubt: f64) -> Observed {
    Observed { place, value, doubt }
}

/// By scikit-learn 1.9.1: `GaussianProcessRegressor(ConstantKernel(0.5) * Matern(length_scale=0.3, nu=1.5),
/// alpha=0.05**2, optimizer=None)`, fitted to the four observations, `predict(q, return_std=True)` at the other points
/// and `log_marginal_likelihood_value_`.
#[test]
fn one_smooth_dimension_as_scikit_learn_has_it() {
    let points: Vec<Point> = [0.0, 0.25, 0.5, 0.9, 0.1, 0.6, 1.0].iter().map(|&x| vec![x]).collect();
    let kernel = Kernel {
        dimensions: vec![Dimension::Smooth { length: 0.3 }],
        level: 0.0,
        alone: 0.5,
        pairs: 0.0,
        together: 0.0,
        noise: 0.05,
    };
    let mut process = Process::new(&points, kernel, 0.0);
    for (place, value) in [1.0, 1.4, 0.7, -0.3].into_iter().enumerate() {
        process.observe(&points, seen(place, value, 1.0));
    }
    let at: Vec<_> = [4, 5, 6, 2].into_iter().map(|place| process.at(place)).collect();
    let means: Vec<f64> = at.iter().map(|value| value.mean).collect();
    let variances: Vec<f64> = at.iter().map(|value| value.variance).collect();
    assert_close(
        "means",
        &means,
        &[1.22213393986635, 0.37743367137164824, -0.3073991275840585, 0.69960236501895],
    );
    assert_close(
        "variances",
        &variances,
        &[0.05136271088595, 0.08249068396326237, 0.10673966355446, 0.0024786802261016483],
    );
    assert_close("log likelihood", &[process.log_likelihood()], &[-4.035582204374341]);
}

fn additive() -> (Vec<Point>, Kernel) {
    let points = [
        [0.0, 0.0, 0.0],
        [0.5, 1.0, 1.0],
        [1.0, 0.0, 2.0],
        [0.5, 0.0, 1.0],
        [0.2, 1.0, 2.0],
        [0.8, 1.0, 0.0],
    ];
    let kernel = Kernel {
        dimensions: vec![
            Dimension::Smooth { length: 0.4 },
            Dimension::Category { resemblance: 0.3 },
            Dimension::Ladder { gaps: vec![0.7, 0.2] },
        ],
        level: 2.0,
        alone: 1.0,
        pairs: 0.3,
        together: 0.1,
        noise: 0.05,
    };
    (points.iter().map(|point| point.to_vec()).collect(), kernel)
}

/// By NumPy 2.4.6: the covariances summed over every dimension and every pair of them one by one, the posterior by
/// `numpy.linalg.solve` of the whole system, the density by `scipy.stats.multivariate_normal.logpdf`. One point is seen
/// twice, the second time with four times the noise's variance.
#[test]
fn an_additive_kernel_as_numpy_has_it() {
    let (points, kernel) = additive();
    let covariances =
        [(0, 3), (0, 1), (2, 4), (0, 0)].map(|(a, b)| kernel.covariance(&points[a], &points[b]));
    assert_close(
        "covariances",
        &covariances,
        &[2.741961751663516, 2.435821639230725, 2.532267466094875, 3.4],
    );
    let mut process = Process::new(&points, kernel, 0.8);
    for observed in [seen(0, 1.0, 1.0), seen(1, 2.0, 1.0), seen(2, 0.5, 1.0), seen(1, 2.1, 4.0)] {
        process.observe(&points, observed);
    }
    let at: Vec<_> = (0..points.len()).map(|place| process.at(place)).collect();
    let means: Vec<f64> = at.iter().map(|value| value.mean).collect();
    let variances: Vec<f64> = at.iter().map(|value| value.variance).collect();
    let expected = [1.0001593500458543, 2.017978810615068, 0.5020081017013818];
    let elsewhere = [1.2798395664679332, 1.6969192051317141, 1.483865424765994];
    assert_close("means", &means, &[expected, elsewhere].concat());
    let expected = [0.002495254790936041, 0.001996892030638797, 0.0024946242366636895];
    let elsewhere = [0.45260204622971045, 0.5523053314391633, 0.791289460481611];
    assert_close("variances", &variances, &[expected, elsewhere].concat());
    assert_close("log likelihood", &[process.log_likelihood()], &[-3.5557823335014738]);
}

#[test]
fn nothing_observed_is_the_prior() {
    let (points, kernel) = additive();
    let process = Process::new(&points, kernel, 0.8);
    let at = process.at(3);
    assert_close("prior", &[at.mean, at.variance, process.level()], &[0.8, 3.4, 0.8]);
}

/// A function that does not know one of its dimensions, seen almost without noise: what is learned must say so better
/// than the start does.
#[test]
fn learning_finds_the_dimension_that_matters() {
    let grid = |place: usize| vec![(place % 6) as f64 / 5.0, (place / 6) as f64 / 5.0];
    let points: Vec<Point> = (0..36).map(grid).collect();
    let start = Kernel {
        dimensions: vec![Dimension::Smooth { length: 0.5 }, Dimension::Smooth { length: 0.5 }],
        level: 10.0,
        alone: 1.0,
        pairs: 0.3,
        together: 0.3,
        noise: 0.1,
    };
    let function = |point: &Point| (4.0 * point[0]).sin();
    let observed: Vec<Observed> =
        (0..36).step_by(2).map(|place| seen(place, function(&points[place]), 1.0)).collect();
    let learned = learn(&points, &observed, &start, 0.0);
    let density = |kernel: &Kernel| {
        let mut process = Process::new(&points, kernel.clone(), 0.0);
        observed.iter().for_each(|&seen| process.observe(&points, seen));
        process.log_likelihood()
    };
    assert!(density(&learned) > density(&start) + 5.0, "{} after {}", density(&learned), density(&start));
    assert!(learned.noise < start.noise, "{learned:?}");
    let length = |kernel: &Kernel, dimension: usize| match kernel.dimensions[dimension] {
        Dimension::Smooth { length } => length,
        _ => f64::NAN,
    };
    assert!(length(&learned, 1) > 2.0 * length(&learned, 0), "{learned:?}");
    assert_eq!(learn(&points, &observed, &start, 0.0), learned, "the same from the same");
}

proptest! {
    /// However often and wherever it is observed, nothing is less than certain nor other than a number.
    #[test]
    fn it_stays_a_distribution(
        places in prop::collection::vec((0_usize..6, -5.0..5.0_f64, 1.0..100.0_f64), 0..40),
    ) {
        let (points, kernel) = additive();
        let prior = kernel.covariance(&points[0], &points[0]);
        let mut process = Process::new(&points, kernel, 0.0);
        for (place, value, doubt) in places {
            process.observe(&points, seen(place, value, doubt));
            for place in 0..points.len() {
                let at = process.at(place);
                prop_assert!(at.mean.is_finite());
                prop_assert!((0.0..=prior + 1e-9).contains(&at.variance));
            }
            prop_assert!(process.log_likelihood().is_finite());
        }
    }
}
