//! Summaries of samples. Pure.

use schemas::{LatencySummary, Millis};

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
        p50_ms: Millis::saturating(nearest_rank(&sorted, 0.50)),
        p95_ms: Millis::saturating(nearest_rank(&sorted, 0.95)),
        deviation_ms: Millis::saturating(deviation(&sorted, mean)),
    })
}

/// `sorted` is ascending and not empty.
fn nearest_rank(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
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
    use schemas::Millis;

    use super::summary;

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
    }
}
