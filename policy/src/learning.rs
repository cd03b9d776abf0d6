//! How the state follows receipts: what an observation says, and averages that forget.

use schemas::{
    ByteCount, Configuration, Fallback, InstanceId, Joules, Millis, Place, Receipt, Stage, StageTime,
    hardware_change, joules_at,
};

use crate::candidate::is_computing;
use crate::surprise::Surprise;

/// What one finished request says of the system, taken from its receipt or made by a simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// When it ended, by the clock of the decisions.
    pub at: Millis,
    /// What ran.
    pub configuration: Configuration,
    /// Why another configuration ran than the planned one.
    pub fallback: Option<Fallback>,
    /// Which of [`crate::State::clouds`] ran the tail.
    pub cloud: Option<usize>,
    /// Which of them was asked and gave no answer.
    pub lost_cloud: Option<usize>,
    /// Bytes sent to the cloud.
    pub sent_bytes: ByteCount,
    /// From the request's arrival to its answer.
    pub latency: Millis,
    /// What it should have been at most, where that is known.
    pub limit: Option<Millis>,
    /// Setting the hardware; `None` when it was so already.
    pub hardware_change: Option<Millis>,
    /// Waiting for the edge's compute thread.
    pub edge_queue: Millis,
    /// Computing on the edge.
    pub edge: Millis,
    /// On the wire, both ways.
    pub wire: Millis,
    /// Waiting for the cloud executor's compute thread.
    pub cloud_queue: Millis,
    /// Computing in the cloud.
    pub cloud_time: Millis,
    /// The edge's joules, where they are known.
    pub edge_energy: Option<Joules>,
    /// The cloud's joules, where they are known.
    pub cloud_energy: Option<Joules>,
}

impl Observation {
    /// Reads a receipt. `None` when nothing ran.
    ///
    /// `planned` is the cloud executor that was to run the tail; `position` finds an instance among
    /// [`crate::State::clouds`].
    pub fn from_receipt(
        receipt: &Receipt,
        planned: Option<&InstanceId>,
        position: impl Fn(&InstanceId) -> Option<usize>,
        at: Millis,
    ) -> Option<Self> {
        let configuration = receipt.executed?;
        let time = |place: Place, counts: fn(&StageTime) -> bool| -> Millis {
            let stages = receipt.stages.iter().filter(|stage| stage.place == place && counts(stage));
            stages.map(|stage| stage.time_ms).sum()
        };
        let lost = planned.filter(|planned| receipt.cloud.as_ref() != Some(*planned));
        Some(Self {
            at,
            configuration,
            fallback: receipt.fallback,
            cloud: receipt.cloud.as_ref().and_then(&position),
            lost_cloud: lost.and_then(&position),
            sent_bytes: receipt.sent_bytes,
            latency: receipt.latency_ms,
            limit: receipt.qos.as_ref().map(|qos| qos.latency_ms),
            hardware_change: hardware_change(&receipt.stages),
            edge_queue: time(Place::Edge, |stage| stage.stage == Stage::Queue),
            edge: time(Place::Edge, |stage| is_computing(stage.stage)),
            wire: time(Place::Wire, |stage| stage.stage == Stage::Transfer),
            cloud_queue: time(Place::Cloud, |stage| stage.stage == Stage::Queue),
            cloud_time: time(Place::Cloud, |stage| is_computing(stage.stage)),
            edge_energy: joules_at(&receipt.energy, Place::Edge),
            cloud_energy: joules_at(&receipt.energy, Place::Cloud),
        })
    }
}

/// How much of the way to a new value an average goes, once it has seen a few.
const GAIN: f64 = 0.2;

/// Values this many times greater or smaller than the average are a surprise.
const SURPRISE: f64 = 2.0;

/// No factor leaves `1 / GREATEST ..= GREATEST`: beyond, something is broken rather than slow.
const GREATEST: f64 = 100.0;

/// A factor on what the front promises: 1 until receipts say otherwise, and back to 1 when none confirm it.
///
/// One value far off is taken for a hiccup and counts as twice (or half) the average; the second of its kind in a row
/// is taken for a change, and the average moves there at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Factor {
    value: f64,
    seen: u32,
    surprise: Surprise,
    seen_at_ms: f64,
}

impl Factor {
    pub(crate) const ONE: Self = Self { value: 1.0, seen: 0, surprise: Surprise::None, seen_at_ms: 0.0 };

    /// The factor now; one that nothing confirmed for `half_life_ms` counts half.
    pub(crate) fn at(&self, now_ms: f64, half_life_ms: f64) -> f64 {
        let age = (now_ms - self.seen_at_ms).max(0.0);
        1.0 + self.excess() * half_life_ms / (half_life_ms + age)
    }

    /// By how much it is more than one; zero until something was seen.
    pub(crate) fn excess(&self) -> f64 {
        if self.seen == 0 { 0.0 } else { self.value - 1.0 }
    }

    pub(crate) fn seen_at_ms(&self) -> f64 {
        self.seen_at_ms
    }

    /// Whether the last value was taken for a hiccup that may be the first of a change.
    pub(crate) fn is_surprised(&self) -> bool {
        self.surprise != Surprise::None
    }

    /// Follows `actual` where `expected` was promised. What took no time says nothing.
    pub(crate) fn observe(&mut self, actual: f64, expected: f64, now_ms: f64) {
        if expected <= 0.0 || actual <= 0.0 {
            return;
        }
        let ratio = (actual / expected).clamp(1.0 / GREATEST, GREATEST);
        let surprise = match ratio / self.value {
            by if by > SURPRISE => Surprise::Above,
            by if by < 1.0 / SURPRISE => Surprise::Below,
            _ => Surprise::None,
        };
        if self.surprise.follow(surprise) {
            self.value = ratio;
        } else {
            let gain = GAIN.max(1.0 / (f64::from(self.seen) + 2.0));
            let counted = ratio.clamp(self.value / SURPRISE, self.value * SURPRISE);
            self.value += gain * (counted - self.value);
        }
        self.seen = self.seen.saturating_add(1);
        self.seen_at_ms = now_ms;
    }
}

/// A time that comes on top, such as messages between services: a moving average that a single hiccup barely moves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Extra {
    pub ms: f64,
    seen: u32,
}

impl Extra {
    /// Values further off than this are cut: ten times the average and a millisecond.
    pub(crate) fn observe(&mut self, ms: f64) {
        let counted = ms.clamp(0.0, 10.0 * self.ms + 1.0);
        let gain = GAIN.max(1.0 / (f64::from(self.seen) + 1.0));
        self.ms += gain * (counted - self.ms);
        self.seen = self.seen.saturating_add(1);
    }
}

/// How long requests wait at a cloud executor. Unconfirmed, half of it is gone after [`QUEUE_HALF_LIFE_MS`], since a
/// queue is worked off: one seen once would otherwise keep everybody away for ever.
///
/// As with a [`Factor`], one value far off is taken for a hiccup and the second of its kind for a change.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Queue {
    wait_ms: f64,
    surprise: Surprise,
    seen_at_ms: f64,
}

/// A queue is worked off as fast as it was waited in, which is seconds at most; others may go on filling it.
const QUEUE_HALF_LIFE_MS: f64 = 2_000.0;

/// Waiting that differs by less says nothing: a message's way through a thread pool.
const QUEUE_NOISE_MS: f64 = 1.0;

impl Queue {
    pub(crate) fn wait_ms(&self, now_ms: f64) -> f64 {
        let age = (now_ms - self.seen_at_ms).max(0.0);
        self.wait_ms * (-age / QUEUE_HALF_LIFE_MS).exp2()
    }

    pub(crate) fn observe(&mut self, waited_ms: f64, now_ms: f64) {
        let expected = self.wait_ms(now_ms);
        let surprise = match waited_ms {
            more if more > SURPRISE * expected + QUEUE_NOISE_MS => Surprise::Above,
            less if SURPRISE * less + QUEUE_NOISE_MS < expected => Surprise::Below,
            _ => Surprise::None,
        };
        self.wait_ms = if self.surprise.follow(surprise) {
            waited_ms
        } else {
            expected + GAIN * (waited_ms.min(SURPRISE * expected + QUEUE_NOISE_MS) - expected)
        };
        self.seen_at_ms = now_ms;
    }
}

/// How far off predictions are, and how many deviations above the mean the quantile lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// Mean square of the relative errors.
    pub relative_variance: f64,
    /// Deviations above the mean; steered so that the share of receipts beyond the prediction is what the quantile
    /// says (adaptive conformal inference: Gibbs and Candès, 2021).
    pub deviations: f64,
}

/// At first, predictions are taken to be off by 5 %.
const FIRST_ERROR: f64 = 0.05;

/// How quickly the error is followed, and how far one receipt moves the multiplier.
const ERROR_GAIN: f64 = 0.05;
const STEP: f64 = 0.3;

/// The multiplier stays in here, so that a bad minute is forgotten within some hundred receipts.
const DEVIATIONS: std::ops::RangeInclusive<f64> = 0.5..=8.0;

impl Spread {
    pub(crate) fn new(quantile: f64) -> Self {
        // The logistic distribution's quantile, scaled to the normal one: 1.73 for 0.95, where the normal has 1.64.
        let deviations = (quantile / (1.0 - quantile)).ln() / 1.702;
        let deviations = deviations.clamp(*DEVIATIONS.start(), *DEVIATIONS.end());
        Self { relative_variance: FIRST_ERROR * FIRST_ERROR, deviations }
    }

    /// Follows how far off a prediction of the mean was.
    pub(crate) fn follow_error(&mut self, actual: f64, mean: f64) {
        if mean <= 0.0 {
            return;
        }
        // A request that hung says that one hung, not that every prediction is worthless.
        let error = ((actual - mean) / mean).clamp(-1.0, 1.0);
        self.relative_variance += ERROR_GAIN * (error * error - self.relative_variance);
    }

    /// Steers the multiplier by whether the predicted quantile was kept.
    pub(crate) fn follow_coverage(&mut self, actual: f64, at_quantile: f64, quantile: f64) {
        let missed = if actual > at_quantile { 1.0 } else { 0.0 };
        let moved = self.deviations + STEP * (missed - (1.0 - quantile));
        self.deviations = moved.clamp(*DEVIATIONS.start(), *DEVIATIONS.end());
    }
}
