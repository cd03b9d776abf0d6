//! Writing several values so that all of them hold afterwards, or none.

use std::fs;
use std::path::{Path, PathBuf};

use schemas::{SettingWrite, Watts};
use serde::{Deserialize, Serialize};

use crate::error::TunerError;
use crate::gpu::Gpus;
use crate::sysfs::{read_text, write_text};

/// What a file says that has no value to set at present, such as `scaling_setspeed` under another governor.
const UNSUPPORTED: &str = "<unsupported>";

/// What a value is written to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A file of sysfs or of a control group.
    File(PathBuf),
    /// The power limit of a graphics processor, in milliwatts.
    GpuPowerLimit(u32),
    /// The clock a graphics processor is locked to, in megahertz; `default` when it is not.
    GpuClock(u32),
}

impl Target {
    /// The file it is, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::GpuPowerLimit(gpu) => format!("nvml gpu{gpu} power limit (mW)"),
            Self::GpuClock(gpu) => format!("nvml gpu{gpu} locked clock (MHz)"),
        }
    }
}

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Where to.
    pub target: Target,
    /// What.
    pub value: String,
}

impl Write {
    /// A value for a file.
    pub fn file(path: PathBuf, value: impl Into<String>) -> Self {
        Self { target: Target::File(path), value: value.into() }
    }

    /// A power limit.
    pub fn power_limit(gpu: u32, limit: Watts) -> Self {
        Self { target: Target::GpuPowerLimit(gpu), value: format!("{:.0}", limit.get() * 1e3) }
    }
}

/// Reads what a target says now.
pub fn read(target: &Target, gpus: &Gpus) -> Result<String, TunerError> {
    match target {
        Target::File(path) => read_text(path),
        Target::GpuPowerLimit(gpu) => gpus.power_limit_text(*gpu),
        Target::GpuClock(gpu) => Ok(gpus.locked_clock_text(*gpu)),
    }
}

/// Writes a value to a target.
pub fn write(target: &Target, value: &str, gpus: &mut Gpus) -> Result<(), TunerError> {
    match target {
        Target::File(path) => write_text(path, value),
        Target::GpuPowerLimit(gpu) => gpus.set_power_limit(*gpu, value),
        Target::GpuClock(gpu) => gpus.set_locked_clock(*gpu, value),
    }
}

/// Writes that can be taken back, newest first.
#[derive(Debug, Default)]
pub struct Transaction {
    done: Vec<(Target, SettingWrite)>,
}

impl Transaction {
    /// Writes, and remembers what was there.
    pub fn write(&mut self, write: &Write, gpus: &mut Gpus) -> Result<(), TunerError> {
        let from = read(&write.target, gpus)?;
        // Noted before it is tried: a write that fails may have been done in part.
        let note = SettingWrite { file: write.target.in_words(), from, to: write.value.clone() };
        self.done.push((write.target.clone(), note));
        self::write(&write.target, &write.value, gpus)
    }

    /// Everything that was written, in order.
    pub fn finish(self) -> Vec<SettingWrite> {
        self.done.into_iter().map(|(_, note)| note).collect()
    }

    /// Takes everything back. Returns what could not be, in words; `None` when all of it is as before.
    pub fn roll_back(self, gpus: &mut Gpus) -> Option<String> {
        let mut left = Vec::new();
        for (target, note) in self.done.into_iter().rev() {
            if let Err(error) = put_back(&target, &note.from, gpus) {
                left.push(error.in_words());
            }
        }
        (!left.is_empty()).then(|| left.join("; "))
    }
}

/// What a write would do.
pub fn foresee(write: &Write, gpus: &Gpus) -> Result<SettingWrite, TunerError> {
    let from = read(&write.target, gpus)?;
    Ok(SettingWrite { file: write.target.in_words(), from, to: write.value.clone() })
}

/// Writes what was there, unless it is there already. A value that no file takes back is left out: it returns by
/// itself with the governor. A file that is gone (a core taken offline by others) needs nothing put back.
pub fn put_back(target: &Target, text: &str, gpus: &mut Gpus) -> Result<(), TunerError> {
    if text == UNSUPPORTED {
        return Ok(());
    }
    if target.file().is_some_and(|path| !fs::exists(path).unwrap_or(true)) {
        return Ok(());
    }
    if read(target, gpus).is_ok_and(|now| now == text) {
        return Ok(());
    }
    write(target, text, gpus)?;
    let read_back = read(target, gpus)?;
    if read_back == text {
        return Ok(());
    }
    Err(TunerError::NotApplied { what: target.in_words(), asked: text.to_owned(), read_back })
}
