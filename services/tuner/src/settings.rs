//! What the tuner is told, and what it refuses to be told.

use std::path::PathBuf;

use chassis::{ServiceSettings, SettingsError};
use schemas::{DevicePower, EnergySource, ServiceKind, Watts};
use serde::Deserialize;

use crate::emulation::EmulatedDevice;

/// Emulated devices at most this much slower than this machine: a picture that takes 10 ms would take 10 s.
const GREATEST_SLOWDOWN: f64 = 1000.0;

/// Table `[tuner]` of the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where sysfs is mounted. Another folder than `/sys` is for tests and containers.
    pub sysfs_root: PathBuf,
    /// The device to play, such as `raspberry-pi-4`; without it this machine is itself.
    pub emulate: Option<String>,
    /// How many times longer computing takes on the emulated device at its highest clock than here.
    ///
    /// The default of 4.0 is an assumption, not a measurement: one core of a Raspberry Pi 4 against one of a
    /// present laptop. To calibrate it, time the same network on both.
    pub slowdown: f64,
    /// The power this machine draws, where its owner knows it. Goes before RAPL; not together with `emulate`.
    pub power: Option<DeclaredPower>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sysfs_root: PathBuf::from("/sys"), emulate: None, slowdown: 10.0, power: None }
    }
}

/// A declared power model of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredPower {
    /// While it computes, in watts.
    pub active_w: Watts,
    /// While it waits for an answer, in watts.
    pub waiting_w: Watts,
}

impl From<DeclaredPower> for DevicePower {
    fn from(declared: DeclaredPower) -> Self {
        Self {
            active_w: declared.active_w,
            waiting_w: declared.waiting_w,
            source: EnergySource::Modelled,
            idle_w: None,
            uncertainty_w: None,
        }
    }
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::Tuner;

    fn check(&self) -> Result<(), SettingsError> {
        self.emulated_device().map(drop)
    }
}

impl Settings {
    /// The device to play, fresh at its highest clock; `None` when this machine is itself. Refuses an unknown
    /// device, a slowdown outside 1 to 1000, and a declared power beside an emulated one.
    pub fn emulated_device(&self) -> Result<Option<EmulatedDevice>, SettingsError> {
        let unusable = |setting, problem| SettingsError::Unusable { setting, problem };
        if !(1.0..=GREATEST_SLOWDOWN).contains(&self.slowdown) {
            let problem = format!("{} is outside 1 to {GREATEST_SLOWDOWN}", self.slowdown);
            return Err(unusable("tuner.slowdown", problem));
        }
        let Some(name) = &self.emulate else { return Ok(None) };
        let Some(device) = EmulatedDevice::named(name, self.slowdown) else {
            let known = EmulatedDevice::NAMES.join(", ");
            return Err(unusable("tuner.emulate", format!("there is no device {name:?}: use {known}")));
        };
        if self.power.is_some() {
            let problem = format!("{name} is emulated and brings its own power: remove one of the two");
            return Err(unusable("tuner.power", problem));
        }
        Ok(Some(device))
    }
}
