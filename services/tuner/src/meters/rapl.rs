//! The processor's own energy counters (powercap, RAPL), and those of graphics processors, which count other chips.
//!
//! Counted are whole packages and their memory. Cores and graphics are part of a package, `psys` holds packages, and
//! `intel-rapl-mmio` shows the same packages a second time: none of these are added. One that cannot be read is an error,
//! never less energy.

use std::time::Duration;

use schemas::{Joules, SensorKind, SensorReport};

use super::{EnergyMeter, Sources};
use crate::error::TunerError;
use crate::sysfs::Sysfs;

const CLASS: &str = "class/powercap";

/// One counter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Zone {
    /// Its folder, such as `intel-rapl:0`.
    folder: String,
    /// Its name, such as `package-0`.
    name: String,
}

/// The counters under the root, in the order of their folders.
fn zones(sysfs: &Sysfs) -> Vec<Zone> {
    let folders = sysfs.names(CLASS).into_iter().filter(|name| name.starts_with("intel-rapl:"));
    folders
        .map(|folder| {
            let name = sysfs.text(format!("{CLASS}/{folder}/name")).unwrap_or_else(|_| folder.clone());
            Zone { folder, name }
        })
        .collect()
}

/// Every counter for people, or why it cannot be read.
pub(super) fn sensors(sysfs: &Sysfs) -> Vec<SensorReport> {
    zones(sysfs).iter().map(|zone| zone.report(sysfs)).collect()
}

/// The meter of packages, memory and graphics processors; `None` where there are none.
pub(super) fn meter(sources: Sources<'_>) -> Option<Box<dyn EnergyMeter>> {
    let zones: Vec<Zone> = zones(sources.sysfs).into_iter().filter(Zone::adds_up).collect();
    let gpus = sources.gpus.energy().map_or(0, |gpus| gpus.len());
    if zones.is_empty() && gpus == 0 {
        return None;
    }
    let mut parts: Vec<String> = zones.iter().map(|zone| zone.name.clone()).collect();
    parts.dedup();
    let mut name = if parts.is_empty() { String::new() } else { format!("rapl {}", parts.join(" + ")) };
    if gpus > 0 {
        let nvml = format!("nvml {gpus} gpu");
        name = if name.is_empty() { nvml } else { format!("{name} + {nvml}") };
    }
    Some(Box::new(Rapl { name, zones, last: None, joules: Joules::ZERO, span: Duration::ZERO }))
}

impl Zone {
    /// Whether its energy belongs into the sum.
    fn adds_up(&self) -> bool {
        self.name.starts_with("package") || self.name == "dram"
    }

    fn counter(&self, sysfs: &Sysfs) -> Result<Counter, TunerError> {
        Ok(Counter {
            microjoules: sysfs.number(format!("{CLASS}/{}/energy_uj", self.folder))?,
            greatest: sysfs.number(format!("{CLASS}/{}/max_energy_range_uj", self.folder))?,
        })
    }

    fn report(&self, sysfs: &Sysfs) -> SensorReport {
        let reading = self.counter(sysfs).map(|counter| {
            format!(
                "{:.3} J counted, wraps at {:.0} J",
                counter.microjoules as f64 / 1e6,
                counter.greatest as f64 / 1e6
            )
        });
        SensorReport {
            name: self.name.clone(),
            kind: SensorKind::Rapl,
            reading: reading.map_err(|error| error.in_words()),
        }
    }
}

/// A counter's value, and the one after which it starts again at zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// Microjoules counted.
    pub microjoules: u64,
    /// The greatest value.
    pub greatest: u64,
}

impl Counter {
    /// The energy since an earlier value, across at most one wrap.
    pub fn since(self, earlier: Self) -> Joules {
        let microjoules = if self.microjoules >= earlier.microjoules {
            self.microjoules - earlier.microjoules
        } else {
            earlier.greatest.saturating_sub(earlier.microjoules).saturating_add(self.microjoules)
        };
        Joules::saturating(microjoules as f64 / 1e6)
    }
}

#[derive(Debug)]
struct Rapl {
    name: String,
    zones: Vec<Zone>,
    last: Option<(Duration, Vec<Counter>)>,
    joules: Joules,
    span: Duration,
}

impl EnergyMeter for Rapl {
    fn name(&self) -> &str {
        &self.name
    }

    fn sample(&mut self, sources: Sources<'_>, at: Duration) -> Result<(), TunerError> {
        let mut counters =
            self.zones.iter().map(|zone| zone.counter(sources.sysfs)).collect::<Result<Vec<_>, _>>()?;
        let gpus = sources.gpus.energy()?.into_iter().map(|millijoules| Counter {
            microjoules: millijoules.saturating_mul(1_000),
            greatest: u64::MAX,
        });
        counters.extend(gpus);
        if let Some((before, earlier)) = &self.last
            && earlier.len() == counters.len()
        {
            self.joules += counters.iter().zip(earlier).map(|(now, before)| now.since(*before)).sum();
            self.span += at.saturating_sub(*before);
        }
        self.last = Some((at, counters));
        Ok(())
    }

    fn count(&self) -> (Joules, Duration) {
        (self.joules, self.span)
    }
}
