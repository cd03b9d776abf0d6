//! Energy meters: whatever counts or samples this machine's power, as one running count of joules.
//!
//! Which is read, in this order: the one that `tuner.meter` names; a power sensor of the whole board (hwmon); the
//! processor's counters (RAPL) with those of graphics processors (NVML), which count different chips; the only INA of a
//! board; a battery while it discharges. Never two that count the same joule.

mod battery;
mod hwmon;
mod rapl;

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::Duration;

use schemas::{BatteryReport, Joules, MeterReading, Millis, SensorReport, Share, Watts};
use tracing::{info, warn};

use crate::error::TunerError;
use crate::gpu::Gpus;
use crate::sysfs::Sysfs;

pub use rapl::Counter;

/// Where meters read.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Files.
    pub sysfs: &'a Sysfs,
    /// Graphics processors.
    pub gpus: &'a Gpus,
}

/// Something that counts joules.
pub trait EnergyMeter: Debug + Send {
    /// What is read, such as `rapl package-0 + dram`.
    fn name(&self) -> &str;

    /// Reads it; `at` is the time since any fixed moment. After an error the count goes on where it can: a counter kept
    /// counting meanwhile, a sampled sensor did not, and its time without a reading is left out.
    fn sample(&mut self, sources: Sources<'_>, at: Duration) -> Result<(), TunerError>;

    /// Joules since the first reading, and the time they were counted over.
    fn count(&self) -> (Joules, Duration);
}

/// The power is the mean over at least this much time, where that much was sampled.
const WINDOW: Duration = Duration::from_secs(1);

/// A mean over less than this would mostly show the counters' own step of about 1 ms.
const LEAST_SPAN: Duration = Duration::from_millis(100);

/// At most so many samples are kept: 16 a second, four times as many as the sampler takes.
const GREATEST_SAMPLES: usize = 16;

/// After so many samples without a meter that can be read, one is looked for again (each 5 s).
const SAMPLES_TO_LOOK_AGAIN: u32 = 20;

/// The meter that is read, and the mean power of late.
#[derive(Debug, Default)]
pub struct Meters {
    wanted: Option<String>,
    relative_error: Share,
    meter: Option<Box<dyn EnergyMeter>>,
    /// Why it cannot be read now; `None` while it can.
    trouble: Option<String>,
    without: u32,
    window: VecDeque<(Duration, Joules)>,
    resolution: Duration,
}

impl Meters {
    /// Reads the wanted meter, or the best there is. `relative_error` is what its maker states.
    pub fn new(wanted: Option<String>, relative_error: Share) -> Self {
        // Looks for one with the first sample.
        Self { wanted, relative_error, without: SAMPLES_TO_LOOK_AGAIN, ..Self::default() }
    }

    /// Reads the meter. `at` is the time since any fixed moment.
    pub fn sample(&mut self, sources: Sources<'_>, at: Duration) {
        if self.meter.is_none() || self.trouble.is_some() {
            self.without += 1;
        }
        if self.without > SAMPLES_TO_LOOK_AGAIN {
            self.without = 0;
            self.look(sources);
        }
        let Some(meter) = &mut self.meter else { return };
        match meter.sample(sources, at) {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    info!(meter = meter.name(), "can be read again");
                }
                let (joules, span) = meter.count();
                self.note(span, joules);
            }
            Err(error) => {
                let reason = error.in_words();
                if self.trouble.as_ref() != Some(&reason) {
                    warn!(meter = meter.name(), reason, "cannot be read");
                }
                self.trouble = Some(reason);
                self.window.clear();
            }
        }
    }

    /// What it has counted; `None` without a meter, while it cannot be read, and while it counts nothing: a machine that
    /// runs this draws something, so a counter that stands still (as in some virtual machines) is none.
    pub fn reading(&self) -> Option<MeterReading> {
        let meter = self.meter.as_ref().filter(|_| self.trouble.is_none())?;
        let (joules, span) = meter.count();
        (joules > Joules::ZERO).then(|| MeterReading {
            name: meter.name().to_owned(),
            joules,
            span_ms: span.into(),
            resolution_ms: Millis::from(self.resolution),
            relative_error: self.relative_error,
        })
    }

    /// The mean power of the last second; `None` whenever there is no reading, and before there is a mean.
    pub fn mean(&self) -> Option<Watts> {
        let ((start, first), (end, last)) = (self.window.front()?, self.window.back()?);
        let span = end.saturating_sub(*start);
        let joules = *last - *first;
        let some = span >= LEAST_SPAN && joules > Joules::ZERO && self.trouble.is_none();
        some.then(|| Watts::saturating(joules.get() / span.as_secs_f64()))
    }

    /// Why there is no reading, for people who asked for one.
    pub fn trouble(&self) -> String {
        if let Some(trouble) = &self.trouble {
            return trouble.clone();
        }
        match (&self.meter, &self.wanted) {
            (Some(meter), _) => format!("the meter {} counts nothing here", meter.name()),
            (None, Some(wanted)) => format!("there is no meter {wanted:?} here (tuner.meter)"),
            (None, None) => {
                "this machine has no energy meter that can be read: no power sensor of the board (hwmon), \
                no RAPL counters (class/powercap), no NVML, no battery that discharges"
                    .to_owned()
            }
        }
    }

    fn look(&mut self, sources: Sources<'_>) {
        let found = find(self.wanted.as_deref(), sources);
        let name = |meter: &Option<Box<dyn EnergyMeter>>| meter.as_ref().map(|meter| meter.name().to_owned());
        // The same meter goes on: a fresh one would begin at zero.
        if name(&found) != name(&self.meter) && (found.is_some() || self.trouble.is_none()) {
            if let Some(meter) = &found {
                info!(meter = meter.name(), "energy is read from");
            }
            self.meter = found;
            self.trouble = None;
            self.window.clear();
        }
    }

    fn note(&mut self, span: Duration, joules: Joules) {
        if self.window.back().is_some_and(|(last, _)| *last >= span) {
            return;
        }
        if let Some((last, _)) = self.window.back() {
            self.resolution = span.saturating_sub(*last);
        }
        self.window.push_back((span, joules));
        // The oldest sample stays while without it the rest would span less than the window.
        while self.window.get(1).is_some_and(|(second, _)| span.saturating_sub(*second) >= WINDOW)
            || self.window.len() > GREATEST_SAMPLES
        {
            self.window.pop_front();
        }
    }
}

/// Every sensor found, or why it cannot be read.
pub fn sensors(sources: Sources<'_>) -> Vec<SensorReport> {
    let sysfs = sources.sysfs;
    let mut sensors = rapl::sensors(sysfs);
    sensors.extend(hwmon::sensors(sysfs));
    sensors.extend(battery::sensors(sysfs));
    sensors.extend(sources.gpus.sensors());
    sensors
}

/// The battery that feeds this machine.
pub fn battery(sysfs: &Sysfs) -> Option<BatteryReport> {
    battery::report(sysfs)
}

fn find(wanted: Option<&str>, sources: Sources<'_>) -> Option<Box<dyn EnergyMeter>> {
    let sysfs = sources.sysfs;
    if let Some(wanted) = wanted {
        let mut all = hwmon::meters(sysfs);
        all.extend(rapl::meter(sources));
        all.extend(battery::meters(sysfs));
        return all.into_iter().find(|meter| meter.name() == wanted);
    }
    hwmon::whole_board(sysfs)
        .or_else(|| rapl::meter(sources))
        .or_else(|| hwmon::only_ina(sysfs))
        .or_else(|| battery::meters(sysfs).into_iter().next())
}
