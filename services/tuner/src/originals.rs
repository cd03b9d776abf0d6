//! How things were before the tuner set them, on disk before they are set: so that they return when the tuner is
//! killed and started again.
//!
//! The file lies in a folder that lives as long as the settings do: sysfs forgets everything at a reboot, and so should
//! this. A file of another boot is thrown away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use schemas::Knob;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::error::TunerError;
use crate::transaction::Target;

/// A file larger than this is not one of ours: 4096 cores' clocks take less.
const GREATEST_FILE: u64 = 4 << 20;

/// What one target said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// The knob it is part of.
    pub knob: Knob,
    /// Where it was read.
    pub target: Target,
    /// What it said.
    pub text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journal {
    /// The running kernel's boot, as it names it.
    boot: String,
    originals: Vec<Original>,
}

/// The originals of everything that is set, in memory and on disk.
#[derive(Debug)]
pub struct Originals {
    file: PathBuf,
    kept: Vec<Original>,
}

impl Originals {
    /// What an earlier tuner left in the file: what it set and did not bring back. Whatever is wrong with the file is
    /// said and put aside; a tuner that does not start would help nobody.
    ///
    /// `may_restore` says which targets this tuner would set itself: anything else in the file is ignored, since whoever
    /// can write to it must not get to write everywhere.
    pub fn load(file: PathBuf, may_restore: impl Fn(&Target) -> bool) -> Self {
        let mut kept = match read(&file) {
            Ok(Some(journal)) if journal.boot == boot() => journal.originals,
            Ok(_) => Vec::new(),
            Err(error) => {
                warn!(file = %file.display(), %error, "the state of an earlier tuner is not readable, put aside");
                let aside = file.with_extension("unreadable");
                if let Err(error) = fs::rename(&file, &aside) {
                    warn!(%error, "nor can it be put aside");
                }
                Vec::new()
            }
        };
        kept.retain(|original| {
            let ours = may_restore(&original.target);
            if !ours {
                warn!(target = ?original.target, "not a setting of this tuner, ignored in its state file");
            }
            ours
        });
        Self { file, kept }
    }

    /// Notes how things were, unless an earlier state is known already, and returns what was new. On disk when this
    /// returns without an error.
    pub fn note(&mut self, originals: Vec<Original>) -> Result<Vec<Original>, TunerError> {
        let mut new: Vec<Original> = Vec::new();
        for original in originals {
            if !self.kept.iter().chain(&new).any(|known| known.target == original.target) {
                new.push(original);
            }
        }
        if new.is_empty() {
            return Ok(new);
        }
        self.kept.extend(new.iter().cloned());
        match self.save() {
            Ok(()) => Ok(new),
            Err(error) => {
                self.kept.retain(|kept| !new.contains(kept));
                Err(error)
            }
        }
    }

    /// The originals of a knob, in the order in which they were noted.
    pub fn of(&self, knob: Knob) -> Vec<Original> {
        self.kept.iter().filter(|original| original.knob == knob).cloned().collect()
    }

    /// The knobs that have originals.
    pub fn knobs(&self) -> Vec<Knob> {
        let mut knobs: Vec<Knob> = self.kept.iter().map(|original| original.knob).collect();
        knobs.sort_unstable();
        knobs.dedup();
        knobs
    }

    /// These are as they were again.
    pub fn forget(&mut self, originals: &[Original]) -> Result<(), TunerError> {
        let before = self.kept.len();
        self.kept.retain(|kept| !originals.contains(kept));
        if self.kept.len() == before { Ok(()) } else { self.save() }
    }

    fn save(&self) -> Result<(), TunerError> {
        let failed = |source| TunerError::State { file: self.file.clone(), source };
        if self.kept.is_empty() {
            return match fs::remove_file(&self.file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
                _ => Ok(()),
            };
        }
        let journal = Journal { boot: boot(), originals: self.kept.clone() };
        let text = serde_json::to_vec_pretty(&journal).map_err(|error| failed(error.into()))?;
        write_whole(&self.file, &text).map_err(failed)
    }
}

fn read(file: &Path) -> io::Result<Option<Journal>> {
    match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(metadata) if metadata.len() > GREATEST_FILE => return Err(io::ErrorKind::FileTooLarge.into()),
        Ok(_) => {}
    }
    Ok(Some(serde_json::from_slice(&fs::read(file)?)?))
}

/// No reader sees half of it. It need not outlive a loss of power: sysfs does not either.
fn write_whole(file: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let aside = file.with_extension("new");
    fs::write(&aside, text)?;
    fs::rename(aside, file)
}

/// The kernel's name of this boot; empty where it has none, then every boot is taken for the same.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| String::new(), |id| id.trim().to_owned())
}
