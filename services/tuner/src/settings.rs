//! What the tuner is told, and what it refuses to be told.

use std::path::PathBuf;

use chassis::{ServiceSettings, SettingsError};
use energy::PowerModel;
use schemas::{DevicePower, EnergySource, NodeId, ServiceKind, Share, Watts};
use serde::Deserialize;

use crate::emulation::EmulatedDevice;
use crate::error::TunerError;
use crate::knobs::usb::UsbDevice;

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
    /// The default of 10 comes of two times of MobileNetV2 on one processor: 75.3 ms on the device at 1800 MHz (the DynaSplit
    /// paper's pre-study), 7.4 ms on the machine this was developed on. On another machine, time the same network and
    /// divide; at lower clocks it is scaled by the clock. Everything that comes of it is labelled emulated.
    pub slowdown: f64,
    /// The power this machine draws, where its owner knows it. Goes before every meter; not together with `emulate`.
    pub power: Option<DeclaredPower>,
    /// A power model that `splinter energy calibrate` wrote. Goes before meters; not together with `power` or `emulate`.
    pub power_model: Option<PathBuf>,
    /// The meter to read, by its name in the report, such as `ina3221 VDD_IN`; without it, the best there is.
    pub meter: Option<String>,
    /// The relative error that the meter's maker states, 0 to 1; widens every confidence interval.
    pub meter_error: Share,
    /// The control group (cgroup v2) whose processor time may be set: a folder, absolute or below `fs/cgroup` of the
    /// root.
    pub cgroup: Option<PathBuf>,
    /// USB devices whose power may be switched, by the place they are plugged in: `1-1.2`.
    pub usb_devices: Vec<String>,
    /// Where the original state is kept while something is set, so that it returns after a crash. By default the
    /// runtime folder of the service or user, else `/run/splinter`: it should be gone after a reboot, as settings are.
    pub state_dir: Option<PathBuf>,
    /// How long a clock set without a lease (`set_frequency`) stays, in seconds.
    pub lease_s: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sysfs_root: PathBuf::from("/sys"),
            emulate: None,
            slowdown: 10.0,
            power: None,
            power_model: None,
            meter: None,
            meter_error: Share::ZERO,
            cgroup: None,
            usb_devices: Vec::new(),
            state_dir: None,
            lease_s: 30,
        }
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
        self.emulated_device()?;
        let unusable = |setting, problem| Err(SettingsError::Unusable { setting, problem });
        if let Some(name) = self.usb_devices.iter().find(|name| UsbDevice::new(name).is_none()) {
            let problem = format!("{name:?} is no place of a USB device: use one such as \"1-1.2\"");
            return unusable("tuner.usb_devices", problem);
        }
        if self.power.is_some() && self.power_model.is_some() {
            let problem = "both tuner.power and tuner.power_model say what is drawn: remove one of the two";
            return unusable("tuner.power_model", problem.to_owned());
        }
        if !(1..=3600).contains(&self.lease_s) {
            return unusable("tuner.lease_s", format!("{} is outside 1 to 3600", self.lease_s));
        }
        Ok(())
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
        if self.power.is_some() || self.power_model.is_some() {
            let problem = format!("{name} is emulated and brings its own power: remove one of the two");
            return Err(unusable("tuner.power", problem));
        }
        Ok(Some(device))
    }

    /// The file that the original state is kept in.
    pub(crate) fn state_file(&self, node: &NodeId) -> PathBuf {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = self.state_dir.clone().or_else(|| variable("RUNTIME_DIRECTORY"));
        let folder = folder.or_else(|| Some(variable("XDG_RUNTIME_DIR")?.join("splinter")));
        folder.unwrap_or_else(|| PathBuf::from("/run/splinter")).join(format!("tuner-{node}.json"))
    }

    /// The power model, read and checked; `None` when none is set.
    pub(crate) fn read_power_model(&self) -> Result<Option<PowerModel>, TunerError> {
        let Some(file) = &self.power_model else { return Ok(None) };
        let unusable = |problem: String| TunerError::PowerModel { file: file.clone(), problem };
        let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
        let model: PowerModel = toml::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        if model.points.is_empty() {
            return Err(unusable("it has no points: calibrate again".to_owned()));
        }
        Ok(Some(model))
    }
}
