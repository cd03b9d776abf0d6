//! Samples of power, integrated over time.

use std::time::Duration;

use schemas::{Joules, Millis, Watts};

/// Between samples further apart than this nothing is known: the time between them is left out, with its energy.
const GREATEST_GAP: Duration = Duration::from_secs(10);

/// The energy under samples of power, by the trapezoid rule: between two samples the power is taken to change evenly.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PowerIntegral {
    last: Option<(Duration, Watts)>,
    joules: Joules,
    span: Duration,
}

impl PowerIntegral {
    /// Takes a sample. `at` is the time since any fixed moment; a sample that is not later than the last one is left
    /// out, and so is the time across a gap of more than 10 s.
    pub fn push(&mut self, at: Duration, power: Watts) {
        if let Some((before, earlier)) = self.last {
            let Some(step) = at.checked_sub(before).filter(|step| !step.is_zero()) else { return };
            if step <= GREATEST_GAP {
                self.joules += (earlier + power) * 0.5 * Millis::from(step);
                self.span += step;
            }
        }
        self.last = Some((at, power));
    }

    /// The sensor could not be read: the energy until the next sample is not known, and is left out.
    pub fn interrupt(&mut self) {
        self.last = None;
    }

    /// The energy so far.
    pub fn joules(&self) -> Joules {
        self.joules
    }

    /// The time it was counted over: gaps and interruptions are no part of it.
    pub fn span(&self) -> Duration {
        self.span
    }

    /// The last sample's power; `None` before there is one, and while it is interrupted.
    pub fn power(&self) -> Option<Watts> {
        self.last.map(|(_, power)| power)
    }
}
