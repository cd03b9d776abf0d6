//! The receipts of a busy minute plus idle add up to the meter, within the error they state. The minute is virtual: a
//! machine of known power runs requests of known length under a meter with noise, coarse steps and a wrong scale.

use energy::breakdown::of_computing;
use energy::{Attribution, Window};
use proptest::prelude::{ProptestConfig, prop_assert, proptest};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemas::{
    DevicePower, Joules, MeterReading, Millis, Place, Share, Stage, StageEnergy, StageTime, TimeSource, Watts,
};

/// The virtual machine and its meter.
#[derive(Debug, Clone, Copy)]
struct Machine {
    idle_w: f64,
    marginal_w: f64,
    /// Standard deviation of what else happens on the machine, in watts over a window.
    noise_w: f64,
    /// The meter counts in steps of so many joules.
    step_j: f64,
}

/// What one window of one second held.
struct Second {
    requests: Vec<f64>,
    reading: MeterReading,
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    rng.random_range(0.0..1.0)
}

/// Runs for so many seconds. Requests of 2 to 60 ms, most of them shorter than any meter could see; the load changes
/// from second to second.
fn run(machine: Machine, seconds: usize, rng: &mut ChaCha8Rng) -> Vec<Second> {
    let mut counted = 0.0;
    let second = |index: usize| {
        let wanted = uniform(rng) * 950.0;
        let mut requests = Vec::new();
        while requests.iter().sum::<f64>() < wanted {
            requests.push(2.0 + uniform(rng) * 58.0);
        }
        let busy = requests.iter().sum::<f64>() / 1e3;
        let noise = (uniform(rng) + uniform(rng) + uniform(rng) - 1.5) * 2.0 * machine.noise_w;
        counted += (machine.idle_w + machine.marginal_w * busy + noise).max(0.0);
        let shown = (counted / machine.step_j).floor() * machine.step_j;
        let reading = MeterReading {
            name: "virtual".into(),
            joules: Joules::new(shown).unwrap(),
            span_ms: Millis::new((index + 1) as f64 * 1e3).unwrap(),
            resolution_ms: Millis::new(250.0).unwrap(),
            relative_error: Share::ZERO,
        };
        Second { requests, reading }
    };
    (0..seconds).map(second).collect()
}

fn receipt(milliseconds: f64, power: DevicePower) -> StageEnergy {
    let time_ms = Millis::new(milliseconds).unwrap();
    let head = StageTime { stage: Stage::Head, place: Place::Edge, time_ms, source: TimeSource::Measured };
    of_computing(&[head], Place::Edge, power)[0]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_receipts_of_a_busy_minute_and_idle_add_up_to_the_meter(
        idle_w in 0.5_f64..200.0, marginal_w in 0.5_f64..200.0, noise in 0.0_f64..0.05, seed: u64,
    ) {
        let machine = Machine { idle_w, marginal_w, noise_w: noise * (idle_w + marginal_w), step_j: 0.01 };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Half a minute to learn the machine, then the minute that is accounted for, each receipt with what was known
        // when its request ended.
        let seconds = run(machine, 90, &mut rng);
        let mut attribution = Attribution::default();
        let (mut marginal, mut idle, mut stated) = (0.0, 0.0, 0.0);
        for (index, pair) in seconds.windows(2).enumerate() {
            let [before, now] = pair else { unreachable!("windows of two") };
            if index >= 29 {
                let split = attribution.split().expect("half a minute of changing load is enough");
                for milliseconds in &now.requests {
                    let receipt = receipt(*milliseconds, split.into());
                    marginal += receipt.marginal_j.get();
                    stated += receipt.uncertainty_j.unwrap().get();
                }
                idle += split.idle_w.get();
                stated += split.idle_uncertainty_w.get();
            }
            let busy = Millis::new(now.requests.iter().sum()).unwrap();
            let window = Window::between(&before.reading, &now.reading, busy).unwrap();
            attribution.push(window, Share::ZERO);
        }
        let metered = seconds[89].reading.joules.get() - seconds[29].reading.joules.get();
        let missing = (marginal + idle - metered).abs();
        prop_assert!(missing <= stated + 2.0 * machine.step_j,
            "{marginal} J + {idle} J idle, the meter counted {metered} J, stated ±{stated} J");
        // The stated error says something: it is no excuse for any result.
        prop_assert!(stated < metered, "{stated} of {metered}");
    }
}

#[test]
fn a_steady_load_is_not_split() {
    let mut attribution = Attribution::default();
    let window = Window {
        span: Millis::new(1e3).unwrap(),
        busy: Millis::new(400.0).unwrap(),
        joules: Joules::new(5.0).unwrap(),
    };
    for _ in 0..100 {
        attribution.push(window, Share::ZERO);
    }
    assert_eq!(attribution.split(), None, "idle and computing cannot be told apart");
}

#[test]
fn a_meters_own_error_widens_the_interval() {
    let mut attribution = [Attribution::default(), Attribution::default()];
    for step in 0..20 {
        let busy = f64::from(step % 5) * 200.0;
        let joules = Joules::new(4.0 + 6.0 * busy / 1e3).unwrap();
        let window = Window { span: Millis::new(1e3).unwrap(), busy: Millis::new(busy).unwrap(), joules };
        attribution[0].push(window, Share::ZERO);
        attribution[1].push(window, Share::new(0.05).unwrap());
    }
    let [exact, coarse] = attribution.map(|attribution| attribution.split().unwrap());
    let close = |power: Watts, expected: f64| assert!((power.get() - expected).abs() < 1e-6, "{power}");
    close(exact.idle_w, 4.0);
    close(exact.marginal_w, 6.0);
    close(exact.marginal_uncertainty_w, 0.0);
    close(coarse.marginal_uncertainty_w, 0.3);
    close(coarse.idle_uncertainty_w, 0.2);
}

#[test]
fn readings_of_a_meter_that_began_anew_make_no_window() {
    let reading = |joules: f64, span: f64| MeterReading {
        name: "m".into(),
        joules: Joules::new(joules).unwrap(),
        span_ms: Millis::new(span).unwrap(),
        resolution_ms: Millis::new(250.0).unwrap(),
        relative_error: Share::ZERO,
    };
    let busy = Millis::ZERO;
    assert!(Window::between(&reading(1.0, 1e3), &reading(3.0, 2e3), busy).is_some());
    assert_eq!(Window::between(&reading(5.0, 1e3), &reading(3.0, 2e3), busy), None);
    assert_eq!(Window::between(&reading(1.0, 2e3), &reading(3.0, 2e3), busy), None);
    let other = MeterReading { name: "other".into(), ..reading(3.0, 2e3) };
    assert_eq!(Window::between(&reading(1.0, 1e3), &other, busy), None);
}
