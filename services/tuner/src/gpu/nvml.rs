//! With NVML.

use std::collections::BTreeMap;
use std::fmt;

use nvml_wrapper::enums::device::GpuLockedClocksSetting;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use schemas::{KiloHertz, Knob, KnobReport, KnobSupport, SensorKind, SensorReport, Setting, Watts};
use tracing::debug;

use crate::error::TunerError;
use crate::transaction::{Target, Write};

/// The clock is not locked.
const DEFAULT: &str = "default";

/// The graphics processors that NVML shows.
pub struct Gpus {
    nvml: Option<Nvml>,
    /// The clocks that were locked through this: NVML sets a lock and has no way to read it.
    locked: BTreeMap<u32, String>,
}

impl fmt::Debug for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gpus").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl Gpus {
    pub fn find() -> Self {
        let nvml = Nvml::init().inspect_err(|error| debug!(%error, "no NVML here"));
        Self { nvml: nvml.ok(), locked: BTreeMap::new() }
    }

    pub fn power_limit_text(&self, gpu: u32) -> Result<String, TunerError> {
        let limit = self.device(gpu)?.power_management_limit();
        limit.map(|limit| limit.to_string()).map_err(|error| failed(gpu, "its power limit", &error))
    }

    pub fn locked_clock_text(&self, gpu: u32) -> String {
        self.locked.get(&gpu).cloned().unwrap_or_else(|| DEFAULT.to_owned())
    }

    pub fn set_power_limit(&mut self, gpu: u32, milliwatts: &str) -> Result<(), TunerError> {
        let milliwatts = number(milliwatts)?;
        let set = self.device(gpu)?.set_power_management_limit(milliwatts);
        set.map_err(|error| failed(gpu, "setting its power limit", &error))
    }

    pub fn set_locked_clock(&mut self, gpu: u32, megahertz: &str) -> Result<(), TunerError> {
        let mut device = self.device(gpu)?;
        let set = if megahertz == DEFAULT {
            device.reset_gpu_locked_clocks()
        } else {
            let clock = number(megahertz)?;
            let both = GpuLockedClocksSetting::Numeric { min_clock_mhz: clock, max_clock_mhz: clock };
            device.set_gpu_locked_clocks(both)
        };
        set.map_err(|error| failed(gpu, "locking its clock", &error))?;
        drop(device);
        self.locked.insert(gpu, megahertz.to_owned());
        Ok(())
    }

    pub fn plan_power_limit(&self, gpu: u32, limit: Watts) -> Result<Vec<Write>, TunerError> {
        let device = self.device(gpu)?;
        let allowed = device.power_management_limit_constraints();
        let allowed = allowed.map_err(|error| failed(gpu, "the range of its power limit", &error))?;
        let write = Write::power_limit(gpu, limit);
        let wanted = number(&write.value)?;
        if !(allowed.min_limit..=allowed.max_limit).contains(&wanted) {
            let watts = |milliwatts: u32| f64::from(milliwatts) / 1e3;
            let (least, greatest) = (watts(allowed.min_limit), watts(allowed.max_limit));
            let problem = format!("gpu {gpu} takes a power limit of {least} to {greatest} W, not {limit}");
            return Err(TunerError::OutOfRange { problem });
        }
        Ok(if self.power_limit_text(gpu)? == write.value { Vec::new() } else { vec![write] })
    }

    pub fn plan_clock(&self, gpu: u32, clock: KiloHertz) -> Result<Vec<Write>, TunerError> {
        self.device(gpu)?;
        let value = megahertz(clock);
        let same = self.locked_clock_text(gpu) == value;
        Ok(if same { Vec::new() } else { vec![Write { target: Target::GpuClock(gpu), value }] })
    }

    pub fn verify_power_limit(&self, gpu: u32, limit: Watts) -> Result<(), TunerError> {
        let (asked, now) = (Write::power_limit(gpu, limit).value, self.power_limit_text(gpu)?);
        if asked == now {
            return Ok(());
        }
        Err(TunerError::NotApplied { what: format!("gpu {gpu} power limit (mW)"), asked, read_back: now })
    }

    /// NVML accepts or refuses a lock, and cannot read it: accepted is all that can be known.
    pub fn verify_clock(&self, gpu: u32, clock: KiloHertz) -> Result<(), TunerError> {
        let (asked, now) = (megahertz(clock), self.locked_clock_text(gpu));
        if asked == now {
            return Ok(());
        }
        Err(TunerError::NotApplied { what: format!("gpu {gpu} locked clock (MHz)"), asked, read_back: now })
    }

    pub fn knobs(&self) -> Vec<KnobReport> {
        if self.count() == 0 {
            return Vec::new();
        }
        // Rights are not checked without writing: NVML says so when it is asked.
        let report = |knob| KnobReport { knob, support: KnobSupport::Supported, now: self.now(knob) };
        vec![report(Knob::GpuPowerLimit), report(Knob::GpuClock)]
    }

    pub fn now(&self, knob: Knob) -> Vec<Setting> {
        let now = |gpu: u32| match knob {
            Knob::GpuPowerLimit => {
                let milliwatts = self.device(gpu).ok()?.power_management_limit().ok()?;
                let limit_w = Watts::saturating(f64::from(milliwatts) / 1e3);
                Some(Setting::GpuPowerLimit { gpu, limit_w })
            }
            Knob::GpuClock => {
                let locked = self.locked_clock_text(gpu).parse().ok()?;
                Some(Setting::GpuClock { gpu, clock_khz: KiloHertz::from_megahertz(locked) })
            }
            _ => None,
        };
        (0..self.count()).filter_map(now).collect()
    }

    pub fn sensors(&self) -> Vec<SensorReport> {
        let sensor = |gpu: u32| {
            let reading = self.device(gpu).and_then(|device| {
                let power = device.power_usage().map_err(|error| failed(gpu, "its power", &error))?;
                Ok(format!("{:.3} W", f64::from(power) / 1e3))
            });
            let name = self.device(gpu).ok().and_then(|device| device.name().ok());
            SensorReport {
                name: format!("gpu{gpu} {}", name.unwrap_or_default()).trim().to_owned(),
                kind: SensorKind::Gpu,
                reading: reading.map_err(|error| error.in_words()),
            }
        };
        (0..self.count()).map(sensor).collect()
    }

    /// Millijoules counted by each since its driver was loaded.
    pub fn energy(&self) -> Result<Vec<u64>, TunerError> {
        let counted = |gpu| {
            let energy = self.device(gpu)?.total_energy_consumption();
            energy.map_err(|error| failed(gpu, "its energy", &error))
        };
        (0..self.count()).map(counted).collect()
    }

    fn count(&self) -> u32 {
        self.nvml.as_ref().and_then(|nvml| nvml.device_count().ok()).unwrap_or(0)
    }

    fn device(&self, gpu: u32) -> Result<Device<'_>, TunerError> {
        let nvml = self.nvml.as_ref().ok_or_else(|| {
            TunerError::unsupported("NVML's library is not here: no NVIDIA driver".to_owned())
        })?;
        nvml.device_by_index(gpu).map_err(|error| failed(gpu, "finding it", &error))
    }
}

fn megahertz(clock: KiloHertz) -> String {
    (clock.0 / 1_000).to_string()
}

fn number(text: &str) -> Result<u32, TunerError> {
    text.parse().map_err(|_| TunerError::OutOfRange { problem: format!("{text:?} is no whole number") })
}

fn failed(gpu: u32, what: &str, error: &NvmlError) -> TunerError {
    TunerError::InWords { text: format!("gpu {gpu}, {what}: {error}") }
}
