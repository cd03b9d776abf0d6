//! The processor's own energy counters (powercap, RAPL), and the power they say it draws.
//!
//! The power is that of whole packages and their memory, over a window, for everything that ran meanwhile: it is
//! *attributed* to whoever asks. A zone that cannot be read is an error, never less power.

use std::collections::VecDeque;
use std::time::Duration;

use schemas::{Joules, SensorKind, SensorReport, Watts};

use crate::error::TunerError;
use crate::sysfs::Sysfs;

const CLASS: &str = "class/powercap";

/// The power is the mean over at least this much time, where that much was sampled.
const WINDOW: Duration = Duration::from_secs(1);

/// A mean over less than this would mostly show the counter's own step of about 1 ms.
const LEAST_SPAN: Duration = Duration::from_millis(100);

/// At most so many samples are kept: 16 a second, four times as many as the sampler takes.
const GREATEST_SAMPLES: usize = 16;

/// One counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its folder, such as `intel-rapl:0`.
    folder: String,
    /// Its name, such as `package-0`.
    name: String,
}

/// The counters under the root, in the order of their folders. `intel-rapl-mmio` is left out: it shows the same
/// packages a second time.
pub fn zones(sysfs: &Sysfs) -> Vec<Zone> {
    let folders = sysfs.names(CLASS).into_iter().filter(|name| name.starts_with("intel-rapl:"));
    folders
        .map(|folder| {
            let name = sysfs.text(format!("{CLASS}/{folder}/name")).unwrap_or_else(|_| folder.clone());
            Zone { folder, name }
        })
        .collect()
}

impl Zone {
    /// Whether its energy belongs into the sum: packages and memory. Cores and graphics are part of a package,
    /// and `psys` holds packages.
    fn adds_up(&self) -> bool {
        self.name.starts_with("package") || self.name == "dram"
    }

    fn counter(&self, sysfs: &Sysfs) -> Result<Counter, TunerError> {
        Ok(Counter {
            microjoules: sysfs.number(format!("{CLASS}/{}/energy_uj", self.folder))?,
            greatest: sysfs.number(format!("{CLASS}/{}/max_energy_range_uj", self.folder))?,
        })
    }

    /// The counter for people, or why it cannot be read.
    pub fn report(&self, sysfs: &Sysfs) -> SensorReport {
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

/// The mean power of the last second.
#[derive(Debug, Default)]
pub struct PowerWindow {
    samples: VecDeque<(Duration, Vec<Counter>)>,
}

impl PowerWindow {
    /// Reads every zone that adds up. `at` is the time since any fixed moment.
    ///
    /// Does nothing on a machine without such zones. When one cannot be read, the window starts again.
    pub fn sample(&mut self, sysfs: &Sysfs, at: Duration) {
        let zones = zones(sysfs).into_iter().filter(Zone::adds_up);
        match zones.map(|zone| zone.counter(sysfs)).collect::<Result<Vec<Counter>, TunerError>>() {
            Ok(counters) if !counters.is_empty() => self.push(at, counters),
            _ => self.samples.clear(),
        }
    }

    /// Takes one reading of all zones.
    pub fn push(&mut self, at: Duration, counters: Vec<Counter>) {
        if self.samples.back().is_some_and(|(_, before)| before.len() != counters.len()) {
            self.samples.clear();
        }
        self.samples.push_back((at, counters));
        // The oldest sample stays while without it the rest would span less than the window.
        while self.samples.get(1).is_some_and(|(second, _)| at.saturating_sub(*second) >= WINDOW)
            || self.samples.len() > GREATEST_SAMPLES
        {
            self.samples.pop_front();
        }
    }

    /// The mean power over the window; `None` before there is one, and while the counters stand still: a
    /// processor that runs this draws something, so they count nothing (as in some virtual machines).
    pub fn mean(&self) -> Option<Watts> {
        let ((start, first), (end, last)) = (self.samples.front()?, self.samples.back()?);
        let span = end.saturating_sub(*start);
        if span < LEAST_SPAN {
            return None;
        }
        let joules: Joules = last.iter().zip(first).map(|(now, before)| now.since(*before)).sum();
        (joules > Joules::ZERO).then(|| Watts::saturating(joules.get() / span.as_secs_f64()))
    }
}
