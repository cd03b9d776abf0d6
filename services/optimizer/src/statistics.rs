//! Summaries of samples. Pure.

use schemas::{Joules, LatencySummary, Millis, Share, Uncertainty, nearest_rank};

/// The distribution of some latencies; `None` when there are none.
///
/// The percentiles are by nearest rank: the least sample that at least that share of the samples does not exceed.
pub fn summary(samples: &[Millis]) -> Option<LatencySummary> {
    if samples.is_empty() {
        return None;
    }
    let mut sorted: Vec<f64> = samples.iter().map(|sample| sample.get()).collect();
    sorted.sort_by(f64::total_cmp);
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    Some(LatencySummary {
        mean_ms: Millis::saturating(mean),
        p50_ms: Millis::saturating(nearest_rank(&sorted, 0.50)?),
        p95_ms: Millis::saturating(nearest_rank(&sorted, 0.95)?),
        deviation_ms: Millis::saturating(deviation(&sorted, mean)),
    })
}

/// How sure the quantile of some latencies is; `None` when there are none. `joules` are those of the same samples.
///
/// Latencies are taken as log-normal, which is right for times that many small things delay. With the mean m and the
/// deviation s of the n logarithms, the quantile is exp(m + z·s) with z its standard normal quantile, and the variance of
/// m + z·s is s²·(1/n + z²/(2(n − 1))) (W. Meeker, G. Hahn, L. Escobar, Statistical Intervals, 2017, §4.4 and App. E). The
/// interval takes Student's factor for n − 1 degrees of freedom. The quantile of a handful of samples themselves would be
/// their greatest, whatever the quantile. Of one sample the interval is unknown and said to be from nothing to twice.
pub fn uncertainty(latencies: &[Millis], joules: Option<&[Joules]>, quantile: Share) -> Option<Uncertainty> {
    let logarithms: Vec<f64> =
        latencies.iter().map(|latency| latency.get().max(LEAST_LATENCY_MS).ln()).collect();
    let count = logarithms.len();
    let centre = mean(&logarithms)?;
    let spread = deviation(&logarithms, centre);
    let z = normal_quantile(quantile.get());
    let middle = centre + z * spread;
    let (low, high) = if count < 2 {
        (0.0, 2.0 * middle.exp())
    } else {
        let n = count as f64;
        let error = spread * (1.0 / n + z * z / (2.0 * (n - 1.0))).sqrt();
        let reach = student_factor(count - 1) * error;
        ((middle - reach).exp(), (middle + reach).exp())
    };
    let energies = joules.map(|joules| joules.iter().map(|joules| joules.get()).collect::<Vec<f64>>());
    let energy = energies.and_then(|joules| Some(deviation(&joules, mean(&joules)?)));
    Some(Uncertainty {
        quantile,
        estimate_ms: Millis::saturating(middle.exp()),
        low_ms: Millis::saturating(low),
        high_ms: Millis::saturating(high),
        energy_deviation_j: energy.map(Joules::saturating),
        outliers: u32::try_from(outliers(&logarithms).len()).unwrap_or(u32::MAX),
    })
}

/// Whether the quantile's interval reaches at most so far from its middle, as a share of the estimate.
pub fn is_narrow(uncertainty: &Uncertainty, share: Share) -> bool {
    let width = uncertainty.high_ms.get() - uncertainty.low_ms.get();
    width / 2.0 <= share.get() * uncertainty.estimate_ms.get()
}

/// A microsecond: no request is faster, and zero has no logarithm.
const LEAST_LATENCY_MS: f64 = 1e-3;

/// A sample is far from the others when its modified z score is above this (B. Iglewicz, D. Hoaglin, 1993).
const OUTLIER_SCORE: f64 = 3.5;

/// The places of values far from the median, in units of the median deviation from it. Of less than five none is.
fn outliers(values: &[f64]) -> Vec<usize> {
    if values.len() < 5 {
        return Vec::new();
    }
    let middle = median(values);
    let deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    // Values that are equal to the last digit would make every other one an outlier: one per cent is none.
    let scale = median(&deviations).max(0.01 / OUTLIER_SCORE);
    let is_far = |(_, deviation): &(usize, &f64)| 0.6745 * **deviation / scale > OUTLIER_SCORE;
    deviations.iter().enumerate().filter(is_far).map(|(place, _)| place).collect()
}

/// The middle value; of an even number the mean of the two. Zero of nothing.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[count / 2],
        count => (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0,
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard normal quantile, by halving: exact to nine digits, which costs a microsecond.
fn normal_quantile(share: f64) -> f64 {
    let below = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if below(middle) < share { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// Student's factor of a two-sided 95 % interval, for up to 30 degrees of freedom from the usual table, beyond that by the
/// first two terms of its expansion in 1/degrees (R. Fisher, E. Cornish, 1960), right to three digits.
fn student_factor(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
        2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
        2.045, 2.042,
    ];
    match degrees {
        0 => f64::INFINITY,
        known if known <= TABLE.len() => TABLE[known - 1],
        many => {
            let z = 1.959_964_f64;
            let n = many as f64;
            z + (z.powi(3) + z) / (4.0 * n) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n * n)
        }
    }
}

/// The sample standard deviation (divided by n − 1); zero for one sample.
fn deviation(samples: &[f64], mean: f64) -> f64 {
    if samples.len() < 2 {
        return 0.0;
    }
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    (squares / (samples.len() - 1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use schemas::{Joules, Millis, Share};

    use super::{is_narrow, median, normal_quantile, outliers, student_factor, summary, uncertainty};

    /// Decimal fractions are not exact in binary; everything here is of the order of 10.
    const ABSOLUTE_TOLERANCE: f64 = 1e-9;

    #[test]
    fn summaries_of_known_samples() {
        struct Case {
            samples: Vec<f64>,
            mean: f64,
            p50: f64,
            p95: f64,
            deviation: f64,
        }
        let cases = [
            Case { samples: vec![7.0], mean: 7.0, p50: 7.0, p95: 7.0, deviation: 0.0 },
            Case { samples: vec![4.0, 2.0], mean: 3.0, p50: 2.0, p95: 4.0, deviation: 2.0_f64.sqrt() },
            Case {
                samples: vec![3.0, 1.0, 2.0, 5.0, 4.0],
                mean: 3.0,
                p50: 3.0,
                p95: 5.0,
                deviation: 2.5_f64.sqrt(),
            },
            // 20 samples: the 95th percentile is the 19th, not the greatest.
            Case {
                samples: (1..=20).map(f64::from).collect(),
                mean: 10.5,
                p50: 10.0,
                p95: 19.0,
                deviation: 35.0_f64.sqrt(),
            },
        ];
        for case in cases {
            let samples: Vec<Millis> = case.samples.iter().map(|ms| Millis::new(*ms).unwrap()).collect();
            let found = summary(&samples).unwrap();
            let close = |actual: Millis, expected: f64| (actual.get() - expected).abs() < ABSOLUTE_TOLERANCE;
            assert!(close(found.mean_ms, case.mean), "mean of {:?}: {}", case.samples, found.mean_ms);
            assert!(close(found.p50_ms, case.p50), "p50 of {:?}: {}", case.samples, found.p50_ms);
            assert!(close(found.p95_ms, case.p95), "p95 of {:?}: {}", case.samples, found.p95_ms);
            assert!(close(found.deviation_ms, case.deviation), "deviation of {:?}", case.samples);
        }
    }

    #[test]
    fn no_samples_have_no_summary() {
        assert_eq!(summary(&[]), None);
        assert_eq!(uncertainty(&[], None, share(0.95)), None);
    }

    fn share(value: f64) -> Share {
        Share::new(value).unwrap()
    }

    #[test]
    fn factors_are_those_of_the_tables() {
        for (p, z) in
            [(0.5, 0.0), (0.9, 1.281_552), (0.95, 1.644_854), (0.975, 1.959_964), (0.05, -1.644_854)]
        {
            assert!((normal_quantile(p) - z).abs() < 1e-5, "{p}");
        }
        for (degrees, factor) in [(1, 12.706), (9, 2.262), (30, 2.042), (40, 2.021), (120, 1.980)] {
            assert!(
                (student_factor(degrees) - factor).abs() < 1.5e-3,
                "{degrees}: {}",
                student_factor(degrees)
            );
        }
    }

    /// The logarithms 0, 1, 2 have mean 1 and deviation 1.
    #[test]
    fn a_quantile_of_few_samples() {
        let samples: Vec<Millis> = [0.0_f64, 1.0, 2.0].map(|log| Millis::new(log.exp()).unwrap()).to_vec();
        let joules = [1.0, 2.0, 3.0].map(|joules| Joules::new(joules).unwrap());
        let found = uncertainty(&samples, Some(&joules), share(0.95)).unwrap();
        let close = |value: Millis, log: f64| (value.get().ln() - log).abs() < 1e-4;
        // 1 + 1.644854, and 4.303 × √(1/3 + 1.644854²/4) = 4.3270 to both sides.
        assert!(close(found.estimate_ms, 2.644_854), "{found:?}");
        let reach = 4.303 * (1.0_f64 / 3.0 + 1.644_854_f64.powi(2) / 4.0).sqrt();
        assert!(
            close(found.low_ms, 2.644_854 - reach) && close(found.high_ms, 2.644_854 + reach),
            "{found:?}"
        );
        assert_eq!(found.energy_deviation_j, Some(Joules::new(1.0).unwrap()));
        assert!(!is_narrow(&found, share(0.1)));
    }

    #[test]
    fn equal_samples_are_certain_and_one_is_not() {
        let five = [Millis::new(5.0).unwrap(); 3];
        let certain = uncertainty(&five, None, share(0.95)).unwrap();
        assert!((certain.estimate_ms.get() - 5.0).abs() < ABSOLUTE_TOLERANCE);
        assert!(is_narrow(&certain, share(0.001)));
        let one = uncertainty(&five[..1], None, share(0.95)).unwrap();
        assert!(!is_narrow(&one, share(0.5)), "{one:?}");
    }

    #[test]
    fn outliers_are_far_from_the_median() {
        let logs = |ms: &[f64]| ms.iter().map(|ms| f64::ln(*ms)).collect::<Vec<_>>();
        assert_eq!(outliers(&logs(&[10.0, 10.1, 9.9, 10.05, 30.0])), [4]);
        assert!(outliers(&logs(&[10.0, 10.0, 10.0, 10.0, 10.05])).is_empty(), "half a per cent is none");
        assert!(outliers(&logs(&[10.0, 10.1, 9.9, 100.0])).is_empty(), "of four nobody knows");
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0]), median(&[])), (2.0, 2.5, 0.0));
    }
}
