//! The machine as the tuner sees it: itself, or the device it plays. Every call blocks for a few file reads. `now` and
//! `at` are the time since any fixed moment.

use std::time::Duration;

use energy::PowerModel;
use schemas::{
    DevicePower, EnergySource, HardwareReport, Knob, KnobReport, KnobSupport, MeterReading, NodeId, Setting,
};

use crate::emulation::EmulatedDevice;
use crate::error::TunerError;
use crate::knobs::{Knobs, cores};
use crate::lease::Leases;
use crate::meters::{self, Meters, Sources};
use crate::originals::Originals;
use crate::settings::{DeclaredPower, Settings};
use crate::sysfs::Sysfs;

/// What the tuner reports on and sets.
#[derive(Debug)]
pub struct Device {
    node: NodeId,
    sysfs: Sysfs,
    declared: Option<DeclaredPower>,
    model: Option<PowerModel>,
    pub(crate) emulated: Option<EmulatedDevice>,
    pub(crate) knobs: Knobs,
    meters: Meters,
    pub(crate) leases: Leases,
    pub(crate) originals: Originals,
}

impl Device {
    /// The device that the settings describe. What an earlier tuner set and did not bring back returns now.
    pub fn new(settings: &Settings, node: &NodeId) -> Result<Self, TunerError> {
        let knobs = Knobs::find(settings);
        let emulated = settings.emulated_device().map_err(|source| TunerError::Settings { source })?;
        let originals = Originals::load(settings.state_file(node), |target| knobs.may_restore(target));
        let mut device = Self {
            node: node.clone(),
            sysfs: Sysfs::new(&settings.sysfs_root),
            declared: settings.power,
            model: settings.read_power_model()?,
            emulated,
            knobs,
            meters: Meters::new(settings.meter.clone(), settings.meter_error),
            leases: Leases::default(),
            originals,
        };
        device.bring_back_what_ended(Duration::ZERO);
        Ok(device)
    }

    /// Reads the energy meter, so that a later report knows what it has counted.
    pub fn sample(&mut self, at: Duration) {
        if self.emulated.is_none() {
            self.meters.sample(Sources { sysfs: &self.sysfs, gpus: &self.knobs.gpus }, at);
        }
    }

    /// What the meter has counted, or why there is none.
    pub fn meter(&self) -> Result<MeterReading, TunerError> {
        if let Some(emulated) = &self.emulated {
            let reason = format!("{} is emulated: there is nothing to measure", emulated.name());
            return Err(TunerError::NoMeter { reason });
        }
        self.meters.reading().ok_or_else(|| TunerError::NoMeter { reason: self.meters.trouble() })
    }

    /// What the machine offers and how it is set now, read afresh.
    pub fn report(&mut self, now: Duration) -> HardwareReport {
        let mut report = match &self.emulated {
            Some(emulated) => emulated_report(&self.node, emulated, cores::online(&self.sysfs)),
            None => self.own_report(),
        };
        report.leases = self.leases.report(now);
        report
    }

    /// Brings a report up to date with what an order may have changed. Sensors and rights stay as they were read.
    pub fn refresh(&self, report: &mut HardwareReport, now: Duration) {
        match &self.emulated {
            Some(emulated) => set_emulated(report, emulated),
            None => {
                self.knobs.refresh_report(&mut report.knobs);
                report.cores = cores::online(&self.sysfs);
                self.set_clock_in(report);
            }
        }
        report.leases = self.leases.report(now);
    }

    fn own_report(&mut self) -> HardwareReport {
        self.knobs.refresh();
        let knobs = self.knobs.report();
        let settable = knobs
            .iter()
            .any(|knob| knob.knob == Knob::CpuFrequency && knob.support == KnobSupport::Supported);
        let clock = self.knobs.clock();
        let frequencies_khz = clock.filter(|_| settable).map_or_else(Vec::new, |clock| clock.offered());
        let mut report = HardwareReport {
            node: self.node.clone(),
            emulates: None,
            cores: cores::online(&self.sysfs),
            frequencies_khz,
            frequency_khz: None,
            governor: None,
            slowdown: None,
            power: None,
            knobs,
            sensors: meters::sensors(Sources { sysfs: &self.sysfs, gpus: &self.knobs.gpus }),
            meter: self.meters.reading(),
            battery: meters::battery(&self.sysfs),
            leases: Vec::new(),
        };
        self.set_clock_in(&mut report);
        report
    }

    fn set_clock_in(&self, report: &mut HardwareReport) {
        let clock = self.knobs.clock();
        report.frequency_khz = clock.and_then(|clock| clock.held_at().ok().flatten());
        report.governor = clock.and_then(|clock| clock.governor().ok());
        report.power = self.own_power(report);
    }

    fn own_power(&self, report: &HardwareReport) -> Option<DevicePower> {
        if let Some(declared) = self.declared {
            return Some(declared.into());
        }
        if let Some(model) = &self.model {
            return model.power_at(report.frequency_khz);
        }
        // A meter alone cannot tell computing from waiting: both are what the machine drew of late. Who knows when it
        // computed can split it (see `energy::Attribution`).
        let watts = self.meters.mean()?;
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
    let knob = KnobReport { knob: Knob::CpuFrequency, support: KnobSupport::Supported, now: Vec::new() };
    let mut report = HardwareReport {
        node: node.clone(),
        emulates: Some(emulated.name().to_owned()),
        // Those of this machine: emulation stretches time, it takes no cores away.
        cores,
        frequencies_khz: emulated.clocks(),
        frequency_khz: None,
        governor: Some("userspace (emulated)".to_owned()),
        slowdown: None,
        power: None,
        knobs: vec![knob],
        // This machine's sensors say nothing about the device it plays.
        sensors: Vec::new(),
        meter: None,
        battery: None,
        leases: Vec::new(),
    };
    set_emulated(&mut report, emulated);
    report
}

fn set_emulated(report: &mut HardwareReport, emulated: &EmulatedDevice) {
    report.frequency_khz = Some(emulated.clock());
    report.slowdown = Some(emulated.slowdown());
    report.power = emulated.power();
    for knob in &mut report.knobs {
        knob.now = vec![Setting::CpuFrequency(emulated.clock())];
    }
}
