//! The edge's joules: what its power is, and how long it computed. The accounting itself is the crate `energy`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use energy::{Attribution, Window};
use schemas::{DevicePower, EnergySource, HardwareReport, KiloHertz, MeterReading, Millis};

/// Clocks that are told apart at most; a processor with more (a span set in small steps) shares the last one's power.
const GREATEST_CLOCKS: usize = 64;

/// For how long the compute thread has worked. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Busy(Arc<Mutex<Worked>>);

#[derive(Debug, Default)]
struct Worked {
    before: Duration,
    since: Option<Instant>,
}

impl Busy {
    /// The compute thread works until the guard is dropped. There is one such thread.
    pub(crate) fn begin(&self) -> Working<'_> {
        self.lock().since = Some(Instant::now());
        Working(self)
    }

    /// Until now, work under way included.
    pub(crate) fn total(&self) -> Duration {
        let worked = self.lock();
        worked.before + worked.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, Worked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work under way.
pub(crate) struct Working<'a>(&'a Busy);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut worked = self.0.lock();
        let since = worked.since.take();
        worked.before += since.map_or(Duration::ZERO, |since| since.elapsed());
    }
}

/// What the meter said, and how things were then.
#[derive(Debug)]
struct Noted {
    reading: MeterReading,
    busy: Duration,
    clock: Option<KiloHertz>,
    changes: u64,
}

/// What the machine's meter teaches about its power at each clock.
#[derive(Debug, Default)]
pub(crate) struct PowerBook {
    by_clock: BTreeMap<Option<KiloHertz>, Attribution>,
    last: Option<Noted>,
}

impl PowerBook {
    /// Takes a report, with the time computed until then and how often the clock was changed. A window in which it was
    /// changed teaches nothing.
    pub(crate) fn note(&mut self, report: &HardwareReport, busy: Duration, changes: u64) {
        let clock = report.frequency_khz;
        let Some(reading) = report.meter.clone() else {
            self.last = None;
            return;
        };
        let noted = Noted { reading, busy, clock, changes };
        if let Some(last) = &self.last
            && last.clock == clock
            && last.changes == changes
            && let Some(window) =
                Window::between(&last.reading, &noted.reading, Millis::from(busy.saturating_sub(last.busy)))
            && (self.by_clock.len() < GREATEST_CLOCKS || self.by_clock.contains_key(&clock))
        {
            self.by_clock.entry(clock).or_default().push(window, noted.reading.relative_error);
        }
        self.last = Some(noted);
    }

    /// The machine's power: as the tuner says where that is modelled or emulated; else what its meter taught at this
    /// clock; before it has, the tuner's mean.
    pub(crate) fn power(&self, report: &HardwareReport) -> Option<DevicePower> {
        let told = report.power;
        if told.is_some_and(|power| power.source != EnergySource::Attributed) {
            return told;
        }
        let learned = self.by_clock.get(&report.frequency_khz).and_then(Attribution::split);
        learned.map(DevicePower::from).or(told)
    }
}

#[cfg(test)]
mod tests {
    use schemas::{Joules, NodeId, Share, Watts};

    use super::*;

    fn report(joules: f64, seconds: f64, power: Option<DevicePower>) -> HardwareReport {
        HardwareReport {
            node: NodeId::new("pi").unwrap(),
            emulates: None,
            cores: 4,
            frequencies_khz: Vec::new(),
            frequency_khz: None,
            governor: None,
            slowdown: None,
            power,
            knobs: Vec::new(),
            sensors: Vec::new(),
            meter: Some(MeterReading {
                name: "virtual".into(),
                joules: Joules::new(joules).unwrap(),
                span_ms: Millis::new(seconds * 1e3).unwrap(),
                resolution_ms: Millis::new(250.0).unwrap(),
                relative_error: Share::ZERO,
            }),
            battery: None,
            leases: Vec::new(),
        }
    }

    fn told(source: EnergySource) -> DevicePower {
        let watts = Watts::new(7.0).unwrap();
        DevicePower { active_w: watts, waiting_w: watts, source, idle_w: None, uncertainty_w: None }
    }

    /// A machine of 3 W idle and 5 W more while it computes, busy for 0 to 4 fifths of each window of 2 s.
    fn taught(changes: impl Fn(u64) -> u64) -> PowerBook {
        let mut book = PowerBook::default();
        let (mut joules, mut busy) = (0.0, 0.0);
        for step in 0..30_u32 {
            book.note(
                &report(joules, f64::from(step) * 2.0, None),
                Duration::from_secs_f64(busy),
                changes(step.into()),
            );
            let worked = f64::from(step % 5) * 0.4;
            busy += worked;
            joules += 2.0 * 3.0 + worked * 5.0;
        }
        book
    }

    #[test]
    fn the_meter_teaches_idle_and_computing() {
        let mean = report(1.0, 1.0, Some(told(EnergySource::Attributed)));
        let power = taught(|_| 0).power(&mean).unwrap();
        assert!((power.idle_w.unwrap().get() - 3.0).abs() < 1e-6, "{power:?}");
        assert!((power.active_w.get() - 8.0).abs() < 1e-6, "{power:?}");
        assert_eq!(power.source, EnergySource::Attributed);
    }

    #[test]
    fn windows_with_a_change_teach_nothing_and_the_mean_stays() {
        let mean = report(1.0, 1.0, Some(told(EnergySource::Attributed)));
        assert_eq!(taught(|step| step).power(&mean), mean.power);
    }

    #[test]
    fn what_is_modelled_or_emulated_stays_so() {
        for source in [EnergySource::Modelled, EnergySource::Emulated] {
            let report = report(1.0, 1.0, Some(told(source)));
            assert_eq!(taught(|_| 0).power(&report), report.power);
        }
    }

    #[test]
    fn work_is_counted_while_it_runs_and_after() {
        let busy = Busy::default();
        assert_eq!(busy.total(), Duration::ZERO);
        let working = busy.begin();
        std::thread::sleep(Duration::from_millis(2));
        assert!(busy.total() >= Duration::from_millis(2));
        drop(working);
        let total = busy.total();
        assert!(total >= Duration::from_millis(2) && busy.total() == total);
    }
}
