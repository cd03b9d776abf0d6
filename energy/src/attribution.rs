//! Whose joules were they? A meter counts for the whole machine; most requests are shorter than the time between two of
//! its samples. So the energy of windows of a second or more is split, by regression over many windows, into what the
//! machine draws while it idles and what it draws more while it computes. A request is charged for its own computing.
//!
//! Least squares make the split add up: over the windows it was fitted to, idle power × time + marginal power × time
//! computed is exactly what the meter counted. Each of the two has a 95 % confidence interval, to which the meter's own
//! stated error is added.

use schemas::{DevicePower, EnergySource, Joules, MeterReading, Millis, Share, Watts};

use crate::regression::Regression;

/// What a window counts for when the next one comes: after 100 windows, a third.
const KEEP: f64 = 0.99;

/// Windows needed before there is a split; fewer would give an interval that says nothing.
const LEAST_WINDOWS: f64 = 8.0;

/// The share of time spent computing must vary by this much (standard deviation) between windows; otherwise idling and
/// computing cannot be told apart.
const LEAST_SPREAD: f64 = 0.02;

/// A window in which the machine computed for some of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// How long it was.
    pub span: Millis,
    /// For how much of it the compute thread worked; at most `span`.
    pub busy: Millis,
    /// What the meter counted.
    pub joules: Joules,
}

impl Window {
    /// The window between two readings of one meter, of which `busy` was spent computing; `None` when the meter began
    /// anew or gave no new sample between them.
    pub fn between(earlier: &MeterReading, later: &MeterReading, busy: Millis) -> Option<Self> {
        let same = earlier.name == later.name && later.joules >= earlier.joules;
        let span = later.span_ms - earlier.span_ms;
        (same && span > Millis::ZERO).then(|| Self { span, busy, joules: later.joules - earlier.joules })
    }
}

/// A machine's power, split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// While it does not compute.
    pub idle_w: Watts,
    /// What computing adds.
    pub marginal_w: Watts,
    /// Half the width of the 95 % confidence interval of `idle_w`.
    pub idle_uncertainty_w: Watts,
    /// Half the width of the 95 % confidence interval of `marginal_w`.
    pub marginal_uncertainty_w: Watts,
}

impl From<Split> for DevicePower {
    fn from(split: Split) -> Self {
        Self {
            active_w: split.idle_w + split.marginal_w,
            waiting_w: split.idle_w,
            source: EnergySource::Attributed,
            idle_w: Some(split.idle_w),
            uncertainty_w: Some(split.marginal_uncertainty_w),
        }
    }
}

/// Splits what a meter counts. One for each way the hardware is set: a split holds for one clock.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attribution {
    regression: Regression,
    relative_error: Share,
}

impl Attribution {
    /// Takes a window, and the relative error of the meter that measured it. Windows of no time are left out.
    pub fn push(&mut self, window: Window, relative_error: Share) {
        let seconds = window.span.get() / 1e3;
        if seconds <= 0.0 {
            return;
        }
        let share = (window.busy.get() / window.span.get()).clamp(0.0, 1.0);
        self.relative_error = relative_error;
        self.regression.forget(KEEP);
        self.regression.push(share, window.joules.get() / seconds, seconds);
    }

    /// The split; `None` while there are too few windows, or all of them were busy for the same share of the time.
    pub fn split(&self) -> Option<Split> {
        let enough =
            self.regression.effective_points() >= LEAST_WINDOWS && self.regression.spread() >= LEAST_SPREAD;
        let line = self.regression.line().filter(|_| enough)?;
        // The meter's own error scales everything it counts.
        let with_meter = |half_width: f64, value: f64| {
            Watts::saturating(half_width.hypot(value * self.relative_error.get()))
        };
        Some(Split {
            idle_w: Watts::saturating(line.intercept),
            marginal_w: Watts::saturating(line.slope),
            idle_uncertainty_w: with_meter(line.intercept_half_width, line.intercept),
            marginal_uncertainty_w: with_meter(line.slope_half_width, line.slope),
        })
    }
}
