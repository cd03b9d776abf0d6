use super::*;
use proptest::prelude::*;

#[test]
fn limits_are_read_as_they_are_written() {
    for text in [
        "constant:80",
        "uniform:50..500.5",
        "weibull:90.6..5026.8",
        "lognormal:200,sigma=0.4",
        "bimodal:50,400,share=0.3,spread=0.2",
    ] {
        assert_eq!(text.parse::<Limits>().unwrap().to_string(), text);
    }
    assert_eq!("lognormal:200".parse::<Limits>().unwrap().to_string(), "lognormal:200,sigma=0.5");
}

#[test]
fn impossible_limits_are_refused() {
    for (text, problem) in [
        ("", "no limits \"\""),
        ("normal:5", "no limits \"normal\""),
        ("constant:NaN", "number above 0"),
        ("constant:-4", "number above 0"),
        ("constant:1e300", "longer than a year"),
        ("uniform:9..3", "9 ms is more than 3 ms"),
        ("uniform:9", "LEAST..GREATEST"),
        ("lognormal:9,sigma=50", "at most 5"),
        ("lognormal:9,sigmo=0.5", "no \"sigmo\""),
        ("bimodal:9,10,share=1", "between 0 and 1"),
        ("constant:9,10", "no place for \"10\""),
    ] {
        let error = text.parse::<Limits>().unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}

/// The mean of many draws lies within five standard errors of the distribution's own.
#[test]
fn distributions_have_their_means() {
    let draws = 20_000;
    // Mean and variance: of a lognormal m·exp(σ²/2) and m²·exp(σ²)(exp(σ²) - 1).
    let lognormal = |median: f64, sigma: f64| {
        let square = sigma * sigma;
        (median * (square / 2.0).exp(), median.powi(2) * square.exp() * (square.exp() - 1.0))
    };
    let (low, high) = (lognormal(50.0, 0.1), lognormal(400.0, 0.1));
    let mean = 0.25 * low.0 + 0.75 * high.0;
    let square = 0.25 * (low.1 + low.0.powi(2)) + 0.75 * (high.1 + high.0.powi(2));
    for (text, (mean, variance)) in [
        ("uniform:50..150", (100.0, 100.0_f64.powi(2) / 12.0)),
        ("lognormal:200,sigma=0.4", lognormal(200.0, 0.4)),
        ("bimodal:50,400,share=0.25", (mean, square - mean * mean)),
        // A standard exponential, before it is scaled.
        ("weibull:10..20", (1.0, 1.0)),
    ] {
        let limits: Limits = text.parse().unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let found = (0..draws).map(|_| limits.draw(&mut random)).sum::<f64>() / f64::from(draws);
        let error = 5.0 * (variance / f64::from(draws)).sqrt();
        assert!((found - mean).abs() < error, "{text}: {found}, not {mean} ± {error}");
    }
}

proptest! {
    #[test]
    fn every_limit_can_be_asked_for(seed: u64, text in prop::sample::select(vec![
        "constant:80", "uniform:5..6", "lognormal:200,sigma=5", "bimodal:1,1e10,spread=5",
    ])) {
        let limits: Limits = text.parse().unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let limit = limits.limit(limits.draw(&mut random), Extremes::NONE).get();
        prop_assert!(limit > 0.0 && limit <= GREATEST_MS);
    }
}
