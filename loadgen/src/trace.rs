//! Traces of latency limits.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use schemas::Millis;

use crate::error::LoadgenError;

/// The latency limits of a sequence of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    limits: Vec<Millis>,
}

impl Trace {
    /// Draws limits from a Weibull distribution of shape 1 and maps them so that the smallest drawn becomes
    /// `least` and the greatest drawn becomes `greatest`, as the paper does it (reference §7). The same seed
    /// gives the same trace on every machine.
    ///
    /// A trace of one request has the limit `least`.
    pub fn shifted_weibull(
        seed: u64,
        requests: usize,
        least: Millis,
        greatest: Millis,
    ) -> Result<Self, LoadgenError> {
        if requests == 0 || least > greatest {
            return Err(LoadgenError::InvalidTrace { requests, least, greatest });
        }
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        // A Weibull variable of shape 1 is an exponential one: -ln(u), u in (0, 1].
        let drawn: Vec<f64> = (0..requests).map(|_| -(1.0 - random.random::<f64>()).ln()).collect();
        let smallest = drawn.iter().copied().fold(f64::INFINITY, f64::min);
        let spread = drawn.iter().copied().fold(0.0, f64::max) - smallest;
        let scale = if spread > 0.0 { (greatest.get() - least.get()) / spread } else { 0.0 };
        let limits = drawn.iter().map(|x| Millis::saturating(least.get() + (x - smallest) * scale)).collect();
        Ok(Self { limits })
    }

    /// The limits, in the order of the requests.
    pub fn limits(&self) -> &[Millis] {
        &self.limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(value: f64) -> Millis {
        Millis::new(value).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_trace() {
        let draw = |seed| Trace::shifted_weibull(seed, 100, ms(10.0), ms(100.0)).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let trace = Trace::shifted_weibull(123_456_789, 4, ms(0.0), ms(1.0)).unwrap();
        let limits: Vec<String> = trace.limits().iter().map(|l| format!("{:.6}", l.get())).collect();
        assert_eq!(limits.join(" "), "1.000000 0.041374 0.000000 0.087554");
    }

    #[test]
    fn impossible_limits_are_refused() {
        assert!(Trace::shifted_weibull(1, 0, ms(1.0), ms(2.0)).is_err());
        assert!(Trace::shifted_weibull(1, 5, ms(3.0), ms(2.0)).is_err());
    }

    proptest! {
        #[test]
        fn the_extremes_are_the_limits_asked_for(seed: u64, requests in 2usize..200) {
            let trace = Trace::shifted_weibull(seed, requests, ms(20.0), ms(400.0)).unwrap();
            let least = trace.limits().iter().map(|l| l.get()).fold(f64::INFINITY, f64::min);
            let greatest = trace.limits().iter().map(|l| l.get()).fold(0.0, f64::max);
            prop_assert!((least - 20.0).abs() < 1e-9 && (greatest - 400.0).abs() < 1e-9);
        }
    }
}
