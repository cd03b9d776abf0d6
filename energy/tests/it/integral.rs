//! Power over time.

use std::time::Duration;

use energy::PowerIntegral;
use proptest::prelude::{prop_assert, proptest};
use schemas::Watts;

fn watts(value: f64) -> Watts {
    Watts::new(value).unwrap()
}

#[test]
fn a_ramp_is_exact() {
    let mut integral = PowerIntegral::default();
    // 0 W to 10 W in 4 s, in uneven steps: 20 J.
    for at in [0.0, 0.5, 0.75, 2.0, 3.9, 4.0] {
        integral.push(Duration::from_secs_f64(at), watts(at * 2.5));
    }
    assert!((integral.joules().get() - 20.0).abs() < 1e-9, "{integral:?}");
    assert_eq!(integral.span(), Duration::from_secs(4));
}

#[test]
fn what_was_not_seen_is_left_out_with_its_time() {
    let mut integral = PowerIntegral::default();
    let mut push = |at, power| integral.push(Duration::from_secs(at), watts(power));
    push(0, 5.0);
    push(2, 5.0);
    // A sample of the past, and one twice, change nothing.
    push(1, 99.0);
    push(2, 99.0);
    // A gap of more than 10 s.
    push(20, 7.0);
    push(21, 7.0);
    integral.interrupt();
    assert_eq!(integral.power(), None);
    integral.push(Duration::from_secs(25), watts(3.0));
    integral.push(Duration::from_secs(26), watts(3.0));
    assert_eq!((integral.joules().get(), integral.span()), (20.0, Duration::from_secs(4)));
}

proptest! {
    #[test]
    fn it_stays_between_the_least_and_the_greatest_power(
        samples in proptest::collection::vec((1_u64..5_000, 0.0_f64..500.0), 2..50),
    ) {
        let mut integral = PowerIntegral::default();
        let mut at = Duration::ZERO;
        for (step, power) in &samples {
            at += Duration::from_millis(*step);
            integral.push(at, watts(*power));
        }
        let seconds = integral.span().as_secs_f64();
        let powers = samples.iter().map(|(_, power)| *power);
        let (least, greatest) = (powers.clone().fold(f64::MAX, f64::min), powers.fold(0.0, f64::max));
        let joules = integral.joules().get();
        prop_assert!(joules >= least * seconds - 1e-6 && joules <= greatest * seconds + 1e-6);
    }
}
