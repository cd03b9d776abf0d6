//! Virtual time.

use rand::{Rng, RngExt};

/// A moment or a span of virtual time, in nanoseconds: 584 years.
pub(super) type Nanos = u64;

/// From ms.
pub(super) fn nanos(ms: f64) -> Nanos {
    (ms * 1e6).round() as Nanos
}

/// To ms.
pub(super) fn millis(nanos: Nanos) -> f64 {
    nanos as f64 / 1e6
}

/// An exponentially distributed time of this mean, in seconds.
pub(super) fn exponential_s(random: &mut impl Rng, mean_s: f64) -> f64 {
    // `libm`, not the platform's logarithm: the same to the last bit everywhere.
    -libm::log(1.0 - random.random::<f64>()) * mean_s
}
