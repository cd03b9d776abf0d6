//! The machine as the tuner sees it: itself, or the device it plays. Every call blocks for a few file reads.

use std::time::Duration;

use schemas::{
    DevicePower, EnergySource, HardwareReport, KiloHertz, Knob, KnobReport, KnobSupport, NodeId, SensorReport,
};

use crate::battery;
use crate::cpufreq::CpuClock;
use crate::emulation::EmulatedDevice;
use crate::error::TunerError;
use crate::hwmon;
use crate::rapl::{self, PowerWindow};
use crate::settings::{DeclaredPower, Settings};
use crate::sysfs::Sysfs;

/// What the tuner reports on and sets.
#[derive(Debug)]
pub struct Device {
    sysfs: Sysfs,
    declared: Option<DeclaredPower>,
    emulated: Option<EmulatedDevice>,
    power: PowerWindow,
}

impl Device {
    /// The device that the settings describe. Reads nothing yet.
    pub fn new(settings: &Settings) -> Result<Self, TunerError> {
        Ok(Self {
            sysfs: Sysfs::new(&settings.sysfs_root),
            declared: settings.power,
            emulated: settings.emulated_device().map_err(|source| TunerError::Settings { source })?,
            power: PowerWindow::default(),
        })
    }

    /// Reads the energy counters, so that a later report knows the mean power of the last second. `at` is the
    /// time since any fixed moment.
    pub fn sample(&mut self, at: Duration) {
        if self.emulated.is_none() && self.declared.is_none() {
            self.power.sample(&self.sysfs, at);
        }
    }

    /// Sets the clock and reads it back. Returns whether it had to be changed.
    pub fn set_clock(&mut self, clock: KiloHertz) -> Result<bool, TunerError> {
        match &mut self.emulated {
            Some(emulated) => emulated.set(clock),
            None => CpuClock::find(&self.sysfs)?.hold(clock),
        }
    }

    /// What the machine offers and how it is set now, read afresh.
    pub fn report(&self, node: &NodeId) -> HardwareReport {
        match &self.emulated {
            Some(emulated) => emulated_report(node, emulated, cores(&self.sysfs)),
            None => self.own_report(node),
        }
    }

    fn own_report(&self, node: &NodeId) -> HardwareReport {
        let (clock, support) = match CpuClock::find(&self.sysfs) {
            Err(error) => (None, KnobSupport::Unsupported(error.in_words())),
            Ok(clock) => {
                let permission = clock.check_permission();
                let reason = |error: TunerError| KnobSupport::Unsupported(error.in_words());
                (Some(clock), permission.map_or_else(reason, |()| KnobSupport::Supported))
            }
        };
        let settable = support == KnobSupport::Supported;
        HardwareReport {
            node: node.clone(),
            emulates: None,
            cores: cores(&self.sysfs),
            frequencies_khz: clock
                .as_ref()
                .filter(|_| settable)
                .map_or_else(Vec::new, |clock| clock.clocks().offered()),
            frequency_khz: clock.as_ref().and_then(|clock| clock.held_at().ok().flatten()),
            governor: clock.as_ref().and_then(|clock| clock.governor().ok()),
            slowdown: None,
            power: self.own_power(),
            knobs: vec![KnobReport { knob: Knob::CpuFrequency, support, now: Vec::new() }],
            sensors: sensors(&self.sysfs),
            meter: None,
            battery: None,
            leases: Vec::new(),
        }
    }

    fn own_power(&self) -> Option<DevicePower> {
        if let Some(declared) = self.declared {
            return Some(declared.into());
        }
        // The counters cannot tell computing from waiting: both are what the machine drew of late.
        let watts = self.power.mean()?;
        Some(DevicePower {
            active_w: watts,
            waiting_w: watts,
            source: EnergySource::Attributed,
            idle_w: None,
            uncertainty_w: None,
        })
    }
}

fn emulated_report(node: &NodeId, emulated: &EmulatedDevice, cores: u32) -> HardwareReport {
    HardwareReport {
        node: node.clone(),
        emulates: Some(emulated.name().to_owned()),
        // Those of this machine: emulation stretches time, it takes no cores away.
        cores,
        frequencies_khz: emulated.clocks(),
        frequency_khz: Some(emulated.clock()),
        governor: Some("userspace (emulated)".to_owned()),
        slowdown: Some(emulated.slowdown()),
        power: emulated.power(),
        knobs: vec![KnobReport {
            knob: Knob::CpuFrequency,
            support: KnobSupport::Supported,
            now: Vec::new(),
        }],
        // This machine's sensors say nothing about the device it plays.
        sensors: Vec::new(),
        meter: None,
        battery: None,
        leases: Vec::new(),
    }
}

fn sensors(sysfs: &Sysfs) -> Vec<SensorReport> {
    let mut sensors: Vec<SensorReport> = rapl::zones(sysfs).iter().map(|zone| zone.report(sysfs)).collect();
    sensors.extend(hwmon::sensors(sysfs));
    sensors.extend(battery::sensors(sysfs));
    sensors
}

/// Online cores as the kernel lists them; where it does not, those this process may use.
fn cores(sysfs: &Sysfs) -> u32 {
    let listed = sysfs.text("devices/system/cpu/online").ok().and_then(|list| count_of_list(&list));
    listed.unwrap_or_else(|| {
        std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
    })
}

/// How many numbers a list such as `0-3,5` holds; `None` when it is no such list.
fn count_of_list(list: &str) -> Option<u32> {
    list.split(',').try_fold(0_u32, |count, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}
