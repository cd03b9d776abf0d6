use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

fn seconds(text: &str, requests: usize) -> Vec<f64> {
    let arrivals: Arrivals = text.parse().unwrap();
    let mut clock = arrivals.clock(ChaCha8Rng::seed_from_u64(5), Vec::new());
    (0..requests).map(|_| clock.next_arrival().at.unwrap().get() / 1e3).collect()
}

#[test]
fn arrivals_are_read_as_they_are_written() {
    for text in [
        "sequential",
        "single-stream",
        "multi-stream:8",
        "constant:25",
        "poisson:20",
        "server:12.5",
        "mmpp:5,60,quiet_s=20,burst_s=2",
        "diurnal:1,30,period_s=600",
        "offline",
        "recorded:other.csv,speed=2",
    ] {
        assert_eq!(text.parse::<Arrivals>().unwrap().to_string(), text);
    }
}

#[test]
fn impossible_arrivals_are_refused() {
    for (text, problem) in [
        ("poison:3", "no arrivals \"poison\""),
        ("poisson", "needs rate"),
        ("poisson:0", "number above 0"),
        ("poisson:1e9", "up to a million"),
        ("multi-stream:0", "whole number from 1"),
        ("diurnal:9,3", "more than high"),
        ("recorded", "needs a file"),
        ("offline:3", "no place"),
    ] {
        let error = text.parse::<Arrivals>().unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}

#[test]
fn a_closed_loop_has_queries_instead_of_times() {
    let mut clock = Arrivals::MultiStream { samples: MULTI_STREAM_SAMPLES }
        .clock(ChaCha8Rng::seed_from_u64(1), Vec::new());
    let arrivals: Vec<Arrival> = (0..10).map(|_| clock.next_arrival()).collect();
    assert!(arrivals.iter().all(|arrival| arrival.at.is_none()));
    assert_eq!(
        arrivals.iter().map(|arrival| arrival.query).collect::<Vec<_>>(),
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
    );
}

#[test]
fn processes_have_their_rates() {
    // 20 000 arrivals: a Poisson process is within five standard errors of 1 / sqrt(n), 3.5 %; bursts vary more.
    for (text, rate, tolerance) in [
        ("constant:25", 25.0, 1e-3),
        ("poisson:40", 40.0, 0.035),
        ("diurnal:10,30,period_s=50", 20.0, 0.04),
        ("mmpp:10,100,quiet_s=3,burst_s=1", (10.0 * 3.0 + 100.0) / 4.0, 0.25),
    ] {
        let times = seconds(text, 20_000);
        assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{text}");
        let found = times.len() as f64 / times.last().unwrap();
        assert!((found / rate - 1.0).abs() < tolerance, "{text}: {found}, not {rate}");
    }
}

#[test]
fn bursts_are_burstier_than_a_poisson_process() {
    // Index of dispersion of the counts in windows of a second: 1 for a Poisson process.
    let dispersion = |text| {
        let times = seconds(text, 20_000);
        let mut counts = vec![0.0_f64; times.last().unwrap().ceil() as usize + 1];
        times.iter().for_each(|time| counts[*time as usize] += 1.0);
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
    };
    assert!((0.8..1.25).contains(&dispersion("poisson:40")));
    assert!(dispersion("mmpp:10,100,quiet_s=3,burst_s=1") > 5.0);
}

#[test]
fn a_recorded_process_begins_anew_after_its_end() {
    let recorded = [(100.0, 0), (300.0, 1), (300.0, 1)].map(|(at, query)| (Millis::new(at).unwrap(), query));
    let arrivals = Arrivals::Recorded { file: "x".into(), speed: 2.0 };
    let mut clock = arrivals.clock(ChaCha8Rng::seed_from_u64(1), recorded.to_vec());
    let seen: Vec<(f64, u64)> = (0..5)
        .map(|_| clock.next_arrival())
        .map(|arrival| (arrival.at.unwrap().get().round(), arrival.query))
        .collect();
    assert_eq!(seen, [(0.0, 0), (100.0, 1), (100.0, 1), (133.0, 2), (233.0, 3)]);
}
