//! The power model of a machine: idle and full load at each clock, fitted to what its meter said, with its error.

use std::collections::BTreeMap;

use schemas::{DevicePower, EnergySource, KiloHertz, Share, UnixMillis, Watts};
use serde::{Deserialize, Serialize};

use crate::regression::Regression;

/// Loads that must be measured at each clock; a line through fewer points has no error.
pub const LEAST_SAMPLES: usize = 5;

/// The mean power at one clock under one load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadSample {
    /// The clock; `None` on a machine whose clock is not set.
    pub clock: Option<KiloHertz>,
    /// The share of all cores that was kept busy.
    pub load: Share,
    /// What the meter said.
    pub power: Watts,
}

/// The machine at one clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// The clock; missing for a machine whose clock is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_khz: Option<KiloHertz>,
    /// Without load.
    pub idle_w: Watts,
    /// With every core busy.
    pub active_w: Watts,
    /// Root mean square of what the model misses the measured power by.
    pub error_w: Watts,
    /// Samples it was fitted to.
    pub samples: u32,
}

/// A machine's power model, as `splinter energy calibrate` writes it and `tuner.power_model` reads it (TOML).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerModel {
    /// The machine that was measured.
    pub machine: String,
    /// The meter that measured it.
    pub meter: String,
    /// When.
    pub measured_at: UnixMillis,
    /// The greatest error of a point, relative to its active power.
    pub relative_error: Share,
    /// Ascending by clock; never empty.
    pub points: Vec<OperatingPoint>,
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Nothing was measured.
    #[error("nothing was measured")]
    Nothing,
    /// Too few loads at one clock.
    #[error(
        "{samples} samples {at} are too few for a model: at least {LEAST_SAMPLES} different loads are needed"
    )]
    TooFew {
        /// Samples there are.
        samples: usize,
        /// Where, in words.
        at: String,
    },
    /// More load did not draw more power: the meter does not see the processor.
    #[error(
        "full load {at} draws no more than idle ({idle:.3} and {active:.3}): this meter does not see the processor"
    )]
    LoadDrawsNothing {
        /// Where, in words.
        at: String,
        /// Power without load.
        idle: Watts,
        /// Power with full load.
        active: Watts,
    },
}

impl PowerModel {
    /// Fits a line of power over load to the samples of each clock.
    pub fn fit(
        machine: String,
        meter: String,
        measured_at: UnixMillis,
        samples: &[LoadSample],
    ) -> Result<Self, FitError> {
        let mut by_clock: BTreeMap<Option<KiloHertz>, Vec<LoadSample>> = BTreeMap::new();
        for sample in samples {
            by_clock.entry(sample.clock).or_default().push(*sample);
        }
        if by_clock.is_empty() {
            return Err(FitError::Nothing);
        }
        let points: Vec<OperatingPoint> = by_clock
            .into_iter()
            .map(|(clock, samples)| fit_clock(clock, &samples))
            .collect::<Result<_, _>>()?;
        let relative = |point: &OperatingPoint| point.error_w.get() / point.active_w.get();
        let relative_error = Share::saturating(points.iter().map(relative).fold(0.0, f64::max));
        Ok(Self { machine, meter, measured_at, relative_error, points })
    }

    /// The power at a clock: that of the point, or straight between its neighbours; beyond the ends, that of the end. With
    /// an unknown clock the highest point counts: a governor that has work gives the highest clock. `None` when the model
    /// has no points.
    pub fn power_at(&self, clock: Option<KiloHertz>) -> Option<DevicePower> {
        let highest = self.points.last()?;
        let Some(clock) = clock else { return Some(highest.power()) };
        let above = self.points.iter().position(|point| point.clock_khz.is_some_and(|own| own >= clock));
        let point = match above {
            None => *highest,
            Some(at) if at == 0 || self.points[at].clock_khz == Some(clock) => self.points[at],
            Some(next) => self.points[next - 1].towards(&self.points[next], clock),
        };
        Some(point.power())
    }
}

impl OperatingPoint {
    fn power(&self) -> DevicePower {
        DevicePower {
            active_w: self.active_w,
            waiting_w: self.idle_w,
            source: EnergySource::Modelled,
            idle_w: Some(self.idle_w),
            uncertainty_w: Some(self.error_w * 2.0),
        }
    }

    /// The point in between, at a clock between this one's and the next one's.
    fn towards(&self, next: &Self, clock: KiloHertz) -> Self {
        let (Some(low), Some(high)) = (self.clock_khz, next.clock_khz) else { return *next };
        let part = (clock.0.saturating_sub(low.0)) as f64 / (high.0.saturating_sub(low.0)).max(1) as f64;
        let between = |from: Watts, to: Watts| Watts::saturating(from.get() + (to.get() - from.get()) * part);
        Self {
            clock_khz: Some(clock),
            idle_w: between(self.idle_w, next.idle_w),
            active_w: between(self.active_w, next.active_w),
            error_w: if self.error_w > next.error_w { self.error_w } else { next.error_w },
            samples: self.samples.min(next.samples),
        }
    }
}

/// A rise of power over load below this share of the idle power is the arithmetic's, not the processor's.
const ROUNDING: f64 = 1e-9;

fn fit_clock(clock: Option<KiloHertz>, samples: &[LoadSample]) -> Result<OperatingPoint, FitError> {
    let at = || clock.map_or_else(|| "at the clock as it is".to_owned(), |clock| format!("at {clock}"));
    let mut regression = Regression::default();
    for sample in samples {
        regression.push(sample.load.get(), sample.power.get(), 1.0);
    }
    let line = regression.line().filter(|_| samples.len() >= LEAST_SAMPLES);
    let line = line.ok_or_else(|| FitError::TooFew { samples: samples.len(), at: at() })?;
    let (idle, active) = (Watts::saturating(line.intercept), Watts::saturating(line.intercept + line.slope));
    if active <= idle || line.slope <= ROUNDING * line.intercept.abs() {
        return Err(FitError::LoadDrawsNothing { at: at(), idle, active });
    }
    Ok(OperatingPoint {
        clock_khz: clock,
        idle_w: idle,
        active_w: active,
        error_w: Watts::saturating(line.residual),
        samples: u32::try_from(samples.len()).unwrap_or(u32::MAX),
    })
}
