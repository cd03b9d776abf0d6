//! Measuring a machine's power model: idle and active power at each clock, under several loads, read from its own meter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use energy::{FitError, LoadSample, PowerModel};
use schemas::{
    InstanceId, KiloHertz, MeterReading, Millis, NodeId, Setting, Share, TuneOrder, UnixMillis, Watts,
};

use crate::device::Device;
use crate::error::TunerError;
use crate::settings::Settings;

/// How often the meter is read meanwhile.
const SAMPLING: Duration = Duration::from_millis(100);

/// A busy thread works for its share of each of these.
const PERIOD: Duration = Duration::from_millis(10);

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// The machine has no meter, or does not let itself be set or read.
    #[error("the machine cannot be measured")]
    Tuner(#[from] TunerError),
    /// What was measured makes no model.
    #[error("no power model can be made of what was measured")]
    Fit(#[from] FitError),
}

/// What to measure.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationPlan {
    /// The clocks; empty: the clock as it is.
    pub clocks: Vec<KiloHertz>,
    /// The shares of all cores to keep busy, at least [`energy::model::LEAST_SAMPLES`].
    pub loads: Vec<Share>,
    /// How long to wait after each change before measuring: clocks and temperature settle.
    pub settling: Duration,
    /// How long to measure each load at each clock.
    pub measuring: Duration,
}

impl CalibrationPlan {
    /// Idle, quarters and full load at these clocks, measured for so long each.
    pub fn quarters(clocks: Vec<KiloHertz>, measuring: Duration) -> Self {
        let loads = [0.0, 0.25, 0.5, 0.75, 1.0].map(Share::saturating).to_vec();
        Self { clocks, loads, settling: measuring / 5, measuring }
    }

    /// Measurements in all.
    pub fn steps(&self) -> usize {
        self.clocks.len().max(1) * self.loads.len()
    }

    fn clocks(&self) -> Vec<Option<KiloHertz>> {
        if self.clocks.is_empty() { vec![None] } else { self.clocks.iter().copied().map(Some).collect() }
    }
}

/// A machine to be measured. The real one is [`Bench`]; tests have one whose power is known.
pub trait Measurable {
    /// What reads its power.
    fn meter(&self) -> String;

    /// Holds the clock.
    fn set_clock(&mut self, clock: KiloHertz) -> Result<(), TunerError>;

    /// Keeps that share of all cores busy for the time of settling and measuring; returns the share that really was, and
    /// the mean power of the measuring.
    fn run(
        &mut self,
        load: Share,
        settling: Duration,
        measuring: Duration,
    ) -> Result<(Share, Watts), TunerError>;
}

/// Measures a machine and fits its power model. Blocks for the whole time; `progress` hears of each measurement.
pub fn calibrate(
    machine: &mut impl Measurable,
    node: &NodeId,
    plan: &CalibrationPlan,
    mut progress: impl FnMut(LoadSample),
) -> Result<PowerModel, CalibrationError> {
    let mut samples = Vec::new();
    for clock in plan.clocks() {
        if let Some(clock) = clock {
            machine.set_clock(clock)?;
        }
        for load in &plan.loads {
            let (load, power) = machine.run(*load, plan.settling, plan.measuring)?;
            let sample = LoadSample { clock, load, power };
            progress(sample);
            samples.push(sample);
        }
    }
    Ok(PowerModel::fit(node.to_string(), machine.meter(), UnixMillis::now(), &samples)?)
}

/// This machine. Dropped, it is as it was.
#[derive(Debug)]
pub struct Bench {
    device: Device,
    started: Instant,
    holder: InstanceId,
    meter: String,
}

impl Bench {
    /// Finds the machine's meter; an error says why there is none that can be read.
    pub fn open(settings: &Settings, node: &NodeId) -> Result<Self, TunerError> {
        // The model is to be measured, not read back.
        let settings = Settings { power: None, power_model: None, ..settings.clone() };
        let mut device = Device::new(&settings, node)?;
        let started = Instant::now();
        // Counters need two readings, of which the first comes with the looking.
        for _ in 0..3 {
            device.sample(started.elapsed());
            thread::sleep(SAMPLING);
        }
        device.sample(started.elapsed());
        let meter = device.meter()?.name;
        Ok(Self { device, started, holder: InstanceId::fresh(), meter })
    }

    /// The clocks that can be set here, ascending; empty where none can.
    pub fn clocks(&mut self) -> Vec<KiloHertz> {
        self.device.report(self.started.elapsed()).frequencies_khz
    }

    /// Reads the meter for so long, and returns what it said first and last.
    fn read_for(&mut self, time: Duration) -> Result<(MeterReading, MeterReading), TunerError> {
        let until = Instant::now() + time;
        self.device.sample(self.started.elapsed());
        let first = self.device.meter()?;
        while Instant::now() < until {
            thread::sleep(SAMPLING);
            self.device.sample(self.started.elapsed());
        }
        Ok((first, self.device.meter()?))
    }
}

impl Measurable for Bench {
    fn meter(&self) -> String {
        self.meter.clone()
    }

    fn set_clock(&mut self, clock: KiloHertz) -> Result<(), TunerError> {
        let order = TuneOrder {
            holder: self.holder.clone(),
            lease_ms: Millis::saturating(3_600_000.0),
            settings: vec![Setting::CpuFrequency(clock)],
            dry_run: false,
        };
        self.device.apply(&order, self.started.elapsed()).map(drop)
    }

    fn run(
        &mut self,
        load: Share,
        settling: Duration,
        measuring: Duration,
    ) -> Result<(Share, Watts), TunerError> {
        let _busy = Load::start(load);
        thread::sleep(settling);
        let before = CpuTimes::read();
        let (first, last) = self.read_for(measuring)?;
        let seconds = (last.span_ms - first.span_ms).get() / 1e3;
        if seconds <= 0.0 || last.name != first.name {
            let reason = format!("the meter {} gave no reading while it was measured", first.name);
            return Err(TunerError::NoMeter { reason });
        }
        let measured = before.zip(CpuTimes::read()).and_then(|(before, after)| after.busy_since(before));
        let power = Watts::saturating((last.joules - first.joules).get() / seconds);
        Ok((measured.unwrap_or(load), power))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.device.release_all(self.started.elapsed());
    }
}

/// Threads that keep a share of every core busy. They end when this is dropped.
struct Load {
    ended: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Load {
    fn start(load: Share) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let busy = PERIOD.mul_f64(load.get());
        let count = if busy.is_zero() { 0 } else { cores };
        let work = |ended: Arc<AtomicBool>| {
            move || {
                while !ended.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    while start.elapsed() < busy {
                        std::hint::black_box(start.elapsed().as_nanos().wrapping_mul(2_654_435_761));
                    }
                    thread::sleep(PERIOD.saturating_sub(busy));
                }
            }
        };
        let threads = (0..count).map(|_| thread::spawn(work(ended.clone()))).collect();
        Self { ended, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A load that panicked made less load, which was measured.
            drop(thread.join());
        }
    }
}

/// Processor time since boot, all cores together, in the kernel's ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CpuTimes {
    busy: u64,
    all: u64,
}

impl CpuTimes {
    fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// The line `cpu  user nice system idle iowait irq softirq steal guest guest_nice`; guests are part of user.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
        let (idle, waiting) = (ticks.get(3)?, ticks.get(4)?);
        let all = ticks.iter().sum();
        Some(Self { busy: all - idle - waiting, all })
    }

    fn busy_since(self, earlier: Self) -> Option<Share> {
        let all = self.all.checked_sub(earlier.all).filter(|all| *all > 0)?;
        Some(Share::saturating(self.busy.saturating_sub(earlier.busy) as f64 / all as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busy_share_is_read_from_the_kernels_times() {
        let before = CpuTimes::parse("cpu  100 0 50 800 50 0 0 0 10 0\ncpu0 1 1 1 1 1\n").unwrap();
        assert_eq!(before, CpuTimes { busy: 150, all: 1_000 });
        let after = CpuTimes::parse("cpu  150 0 75 850 75 0 0 0 10 0\n").unwrap();
        assert_eq!(after.busy_since(before), Some(Share::new(0.5).unwrap()));
        assert_eq!(before.busy_since(before), None, "no time has passed");
        for nonsense in ["", "cpu0 1 2 3", "cpu  a b c d e"] {
            assert_eq!(CpuTimes::parse(nonsense), None, "{nonsense:?}");
        }
    }
}
