//! How the edge machine is set, and what changing that takes.

use schemas::{Accelerator, EdgeSetup, Fallback, HardwareChanges, KiloHertz, Millis};

use crate::learning::{Factor, Observation};

/// A clock that could not be set is not counted on for so long.
const UNSETTABLE_MS: f64 = 5_000.0;

/// A change that takes less is as good as none, and nothing could be learned of it in multiples of nothing.
const LEAST_CHANGE_MS: f64 = 0.01;

/// How the edge machine is set, and what changing it costs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hardware {
    pub clock: Option<KiloHertz>,
    /// What ran the last head.
    pub accelerator: Option<Accelerator>,
    pub changed_at_ms: Option<f64>,
    pub unsettable_until_ms: f64,
    pub clock_change: Change,
    pub accelerator_change: Change,
    /// As receipts tell, which may lag behind what was planned since.
    reported: EdgeSetup,
}

impl Hardware {
    /// At an unknown clock; `guess` is what a change takes that was not measured.
    pub(crate) fn new(measured: HardwareChanges, guess: Millis) -> Self {
        Self {
            clock: None,
            accelerator: None,
            changed_at_ms: None,
            unsettable_until_ms: 0.0,
            clock_change: Change::new(measured.clock_ms, guess),
            accelerator_change: Change::new(measured.accelerator_ms, guess),
            reported: EdgeSetup::default(),
        }
    }

    /// The same machine under another front, or as somebody else measured it. What they do not know stays.
    pub(crate) fn expect(&mut self, measured: HardwareChanges, guess: Millis) {
        self.clock_change.expect(Change::new(measured.clock_ms, guess));
        self.accelerator_change.expect(Change::new(measured.accelerator_ms, guess));
    }

    /// Its clock cannot be set for now.
    pub(crate) fn leave_as_it_is(&mut self, now_ms: f64) {
        self.unsettable_until_ms = now_ms + UNSETTABLE_MS;
    }

    /// Follows what a finished request says.
    pub(crate) fn follow(&mut self, seen: &Observation, now_ms: f64, half_life_ms: f64) {
        if seen.fallback == Some(Fallback::HardwareAsItWas) {
            self.leave_as_it_is(now_ms);
        }
        if seen.hardware_change.is_some() {
            self.unsettable_until_ms = 0.0;
        }
        self.follow_change(seen, now_ms, half_life_ms);
    }

    /// A receipt says what changing the hardware took, not what was changed: the accelerator's share is what a change of
    /// the clock does not explain.
    fn follow_change(&mut self, seen: &Observation, now_ms: f64, half_life_ms: f64) {
        let took = seen.hardware_change.map(Millis::get);
        let changed = self.reported.follow(&seen.configuration);
        if changed.accelerator {
            let of_clock = if changed.clock { self.clock_change.ms(now_ms, half_life_ms) } else { 0.0 };
            self.accelerator_change.observe((took.unwrap_or(0.0) - of_clock).max(0.0), now_ms);
        } else if let Some(took) = took {
            self.clock_change.observe(took, now_ms);
        }
    }
}

/// What a change of the hardware takes: what was measured, times what receipts made of it lately.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    expected_ms: f64,
    basis: Basis,
    pace: Factor,
}

/// Where an expectation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    Guess,
    /// The first receipt took the guess's place. What later ones say is not forgotten: it is better than the first one.
    Receipt,
    /// Measured with the front: what receipts say is forgotten when nothing confirms it.
    Front,
}

impl Change {
    fn new(measured: Option<Millis>, guess: Millis) -> Self {
        let basis = if measured.is_some() { Basis::Front } else { Basis::Guess };
        Self { expected_ms: measured.unwrap_or(guess).get(), basis, pace: Factor::ONE }
    }

    /// A measurement takes the place of what was expected. What receipts made of an earlier measurement lately stays; a
    /// multiple of a first receipt says nothing of this one.
    fn expect(&mut self, fresh: Self) {
        if fresh.basis == Basis::Front {
            let pace = if self.basis == Basis::Front { self.pace } else { Factor::ONE };
            *self = Self { pace, ..fresh };
        }
    }

    pub(crate) fn ms(&self, now_ms: f64, half_life_ms: f64) -> f64 {
        let pace = match self.basis {
            Basis::Front => self.pace.at(now_ms, half_life_ms),
            Basis::Guess | Basis::Receipt => 1.0 + self.pace.excess(),
        };
        self.expected_ms * pace
    }

    fn observe(&mut self, took_ms: f64, now_ms: f64) {
        let took_ms = took_ms.max(LEAST_CHANGE_MS);
        match self.basis {
            Basis::Guess => (self.expected_ms, self.basis) = (took_ms, Basis::Receipt),
            Basis::Receipt | Basis::Front => self.pace.observe(took_ms, self.expected_ms, now_ms),
        }
    }
}
