//! The processor time of a control group (cgroup v2, `cpu.max`): a knob that works in containers and virtual machines.
//!
//! `cpu.max` holds a quota and a period in microseconds: the group may use the processor for so long in each period;
//! `max` is no limit.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use schemas::{CpuQuota, Setting};

use crate::error::TunerError;
use crate::sysfs::{check_writable, parse_number, read_text};
use crate::transaction::Write;

/// The kernel's default period. Quotas are written with it unless the group has another one.
const PERIOD: u64 = 100_000;

/// The kernel takes no quota below 1 ms.
const LEAST_QUOTA: u64 = 1_000;

/// A control group whose processor time can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlGroup {
    file: PathBuf,
}

/// What `cpu.max` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CpuMax {
    /// `None` for `max`.
    quota: Option<u64>,
    period: u64,
}

impl ControlGroup {
    /// The group in that folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self { file: folder.join("cpu.max") }
    }

    /// Its `cpu.max`.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether this process may set it; nothing is written.
    pub fn check_permission(&self) -> Result<(), TunerError> {
        self.read()?;
        check_writable(&self.file)
    }

    /// The quota now, as a setting.
    pub fn now(&self) -> Result<Setting, TunerError> {
        Ok(Setting::CpuQuota(self.read()?.quota()))
    }

    /// What must be written so that the group has this quota.
    pub fn plan(&self, wanted: CpuQuota) -> Result<Vec<Write>, TunerError> {
        let now = self.read()?;
        let wanted = CpuMax::of(wanted, now.period)?;
        // Also when the quota is written with another period, as 50 of 200 ms for 25 of 100 ms.
        if now.quota() == wanted.quota() {
            return Ok(Vec::new());
        }
        Ok(vec![Write::file(self.file.clone(), wanted.text())])
    }

    /// Reads back whether the group has this quota.
    pub fn verify(&self, wanted: CpuQuota) -> Result<(), TunerError> {
        let now = self.read()?;
        if now.quota() == CpuMax::of(wanted, now.period)?.quota() {
            return Ok(());
        }
        let what = self.file.display().to_string();
        Err(TunerError::NotApplied { what, asked: wanted.to_string(), read_back: now.text() })
    }

    fn read(&self) -> Result<CpuMax, TunerError> {
        let text = read_text(&self.file)?;
        let mut words = text.split_whitespace();
        let quota = match words.next() {
            Some("max") => None,
            quota => Some(parse_number(&self.file, quota.unwrap_or_default())?),
        };
        let period = words.next().map_or(Ok(PERIOD), |word| parse_number(&self.file, word))?;
        Ok(CpuMax { quota, period: period.max(1) })
    }
}

impl CpuMax {
    fn of(quota: CpuQuota, period: u64) -> Result<Self, TunerError> {
        let quota = match quota {
            CpuQuota::Unlimited => None,
            CpuQuota::Millicores(millicores) => Some(u64::from(millicores.get()) * period / 1_000),
        };
        if quota.is_some_and(|quota| quota < LEAST_QUOTA) {
            let problem =
                format!("a quota below 1 ms of each {period} µs is too little: ask for more millicores");
            return Err(TunerError::OutOfRange { problem });
        }
        Ok(Self { quota, period })
    }

    fn quota(self) -> CpuQuota {
        let millicores = self.quota.map(|quota| u32::try_from(quota.saturating_mul(1_000) / self.period));
        match millicores {
            None => CpuQuota::Unlimited,
            Some(millicores) => CpuQuota::Millicores(
                NonZeroU32::new(millicores.unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN),
            ),
        }
    }

    fn text(self) -> String {
        let quota = self.quota.map_or_else(|| "max".to_owned(), |quota| quota.to_string());
        format!("{quota} {}", self.period)
    }
}
