//! What the link between edge and cloud does now: an estimate that follows the transfers of receipts.
//!
//! A transfer of `b` bytes takes `base + b × slope`: a Kalman filter over the two, with a random walk as process. It
//! starts at what the front's own measurements say. A transfer that differs from its prediction by more than three
//! standard deviations is taken for a hiccup once and counts only as far as those; the second of its kind in a row is
//! taken for a change of the link, and the estimate moves there at once.

use schemas::{ByteCount, Millis};
use wide::f64x4;

use crate::candidate::Parts;
use crate::surprise::Surprise;

/// A transfer of less than a packet says little of the bandwidth: so many bytes share a surprise evenly between
/// the round trip and the bandwidth (an Ethernet frame).
const PACKET: f64 = 1_500.0;

/// Deviations from the prediction, in standard deviations, from which a transfer is a surprise.
const SURPRISE: f64 = 3.0;

/// By how much of themselves base and slope may drift in ten seconds, as one standard deviation.
const DRIFT: f64 = 0.3;
const DRIFT_MS: f64 = 10_000.0;

/// Noise of one transfer: a share of it, and the least that scheduling costs, in ms.
const NOISE_SHARE: f64 = 0.15;
pub(crate) const NOISE_MS: f64 = 0.2;

/// The link as it was while a front was measured: least squares over its configurations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LinkFit {
    pub base_ms: f64,
    pub ms_a_byte: f64,
}

impl LinkFit {
    pub(crate) fn of<'a>(parts: impl Iterator<Item = &'a Parts>) -> Self {
        let (mut n, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for parts in parts.filter(|parts| parts.uses_cloud && parts.wire_ms > 0.0) {
            n += 1.0;
            x += parts.bytes;
            y += parts.wire_ms;
            xx += parts.bytes * parts.bytes;
            xy += parts.bytes * parts.wire_ms;
        }
        if n == 0.0 {
            return Self { base_ms: 0.0, ms_a_byte: 0.0 };
        }
        let spread = n * xx - x * x;
        let ms_a_byte = if spread > 0.0 { ((n * xy - x * y) / spread).max(0.0) } else { 0.0 };
        Self { base_ms: ((y - ms_a_byte * x) / n).max(0.0), ms_a_byte }
    }
}

/// The estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    fit: LinkFit,
    base_ms: f64,
    ms_a_byte: f64,
    /// Covariance of base and slope.
    covariance: [f64; 3],
    surprise: Surprise,
    seen_at_ms: Option<f64>,
}

/// How transfers differ from those of the front, for one decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkDelta {
    pub base_ms: f64,
    pub ms_a_byte: f64,
    covariance: [f64; 3],
}

impl LinkDelta {
    /// How uncertain transfers of so many bytes are; zero where `transfers` is zero and bytes are.
    #[inline]
    pub(crate) fn variance(&self, transfers: f64x4, bytes: f64x4) -> f64x4 {
        let [base, both, slope] = self.covariance;
        transfers * base + bytes * (bytes * slope + 2.0 * both)
    }
}

impl Link {
    pub(crate) fn new(fit: LinkFit) -> Self {
        let square = |value: f64| value * value;
        let covariance = [square(DRIFT * fit.base_ms / 3.0), 0.0, square(DRIFT * fit.ms_a_byte / 3.0)];
        Self {
            fit,
            base_ms: fit.base_ms,
            ms_a_byte: fit.ms_a_byte,
            covariance,
            surprise: Surprise::None,
            seen_at_ms: None,
        }
    }

    /// The same link under another front: what was learned stays.
    pub(crate) fn under(&self, fit: LinkFit) -> Self {
        if self.seen_at_ms.is_none() { Self::new(fit) } else { Self { fit, ..self.clone() } }
    }

    /// What a message takes besides its bytes, both ways.
    pub fn base(&self) -> Millis {
        Millis::saturating(self.base_ms)
    }

    /// The throughput in megabits a second; `None` where bytes take no time that could be told.
    pub fn megabits_a_second(&self) -> Option<f64> {
        (self.ms_a_byte > 0.0).then(|| 8e-3 / self.ms_a_byte)
    }

    /// Whether the last transfer was taken for a hiccup that may be the first of a change.
    pub(crate) fn is_surprised(&self) -> bool {
        self.surprise != Surprise::None
    }

    /// Whether the last transfer may be the first of a link that has become better.
    pub(crate) fn may_be_better(&self) -> bool {
        self.surprise == Surprise::Below
    }

    /// Whether a transfer took about as long as while the front was measured: at most twice.
    pub(crate) fn is_as_measured(&self, bytes: ByteCount, took: Millis) -> bool {
        took.get() <= 2.0 * (self.fit.base_ms + bytes.0 as f64 * self.fit.ms_a_byte) + NOISE_MS
    }

    /// How old the estimate is; `None` when no transfer was seen since the front was measured.
    pub fn age(&self, now: Millis) -> Option<Millis> {
        self.seen_at_ms.map(|seen| Millis::saturating(now.get() - seen))
    }

    /// Compares with the front's link; an estimate that nothing confirmed for `half_life_ms` counts half.
    pub(crate) fn delta(&self, now_ms: f64, half_life_ms: f64) -> LinkDelta {
        let age = self.seen_at_ms.map_or(0.0, |seen| (now_ms - seen).max(0.0));
        let left = half_life_ms / (half_life_ms + age);
        LinkDelta {
            base_ms: (self.base_ms - self.fit.base_ms) * left,
            ms_a_byte: (self.ms_a_byte - self.fit.ms_a_byte) * left,
            covariance: self.covariance,
        }
    }

    /// Follows one transfer.
    pub(crate) fn observe(&mut self, bytes: ByteCount, took: Millis, now: Millis) {
        let (bytes, took) = (bytes.0 as f64, took.get());
        self.drift(now.get());
        let predicted = self.base_ms + bytes * self.ms_a_byte;
        let noise = square(NOISE_SHARE * predicted + NOISE_MS);
        let mut error = took - predicted;
        let [base, both, slope] = self.covariance;
        let expected = base + bytes * (2.0 * both + bytes * slope) + noise;
        let surprise = match error {
            error if error * error <= SURPRISE * SURPRISE * expected => Surprise::None,
            error if error > 0.0 => Surprise::Above,
            _ => Surprise::Below,
        };
        if self.surprise.follow(surprise) {
            self.reopen(error, bytes);
        } else if surprise != Surprise::None {
            let most = SURPRISE * expected.sqrt();
            error = error.clamp(-most, most);
        }
        self.correct(error, bytes, noise);
    }

    /// Lets time pass: base and slope may have drifted, and tend back to the front's. Transfers of one size say nothing
    /// of how base and slope share what they take: without that tendency a wrong share would stay for ever.
    fn drift(&mut self, now_ms: f64) {
        let passed = self.seen_at_ms.map_or(0.0, |seen| now_ms - seen).clamp(0.0, 6.0 * DRIFT_MS);
        let back = passed / (passed + DRIFT_MS);
        self.base_ms += (self.fit.base_ms - self.base_ms) * back;
        self.ms_a_byte += (self.fit.ms_a_byte - self.ms_a_byte) * back;
        self.covariance[0] += square(DRIFT * (self.base_ms + NOISE_MS)) * passed / DRIFT_MS;
        self.covariance[2] += square(DRIFT * self.ms_a_byte) * passed / DRIFT_MS;
        self.seen_at_ms = Some(self.seen_at_ms.map_or(now_ms, |seen| seen.max(now_ms)));
    }

    /// The link has changed: gives up what was known, as far as this error asks for.
    fn reopen(&mut self, error: f64, bytes: f64) {
        let of_slope = bytes / (bytes + PACKET);
        let slope = if bytes > 0.0 { of_slope * square(error / bytes) } else { 0.0 };
        let base = (1.0 - of_slope) * square(error);
        // A link thins by a factor of fifty more easily than its round trip grows by one: what takes more than a packet
        // is taken for bandwidth, up to twice the round trip.
        let base = if bytes > PACKET { base.min(square(2.0 * (self.base_ms + 1.0))) } else { base };
        self.covariance = [base, 0.0, slope];
    }

    fn correct(&mut self, error: f64, bytes: f64, noise: f64) {
        let [base, both, slope] = self.covariance;
        let (to_base, to_slope) = (base + bytes * both, both + bytes * slope);
        let variance = to_base + bytes * to_slope + noise;
        let (gain_base, gain_slope) = (to_base / variance, to_slope / variance);
        self.base_ms = (self.base_ms + gain_base * error).max(0.0);
        self.ms_a_byte = (self.ms_a_byte + gain_slope * error).max(0.0);
        self.covariance = [
            (base - gain_base * to_base).max(0.0),
            both - gain_base * to_slope,
            (slope - gain_slope * to_slope).max(0.0),
        ];
    }
}

fn square(value: f64) -> f64 {
    value * value
}
