//! Traces of what a running system was asked.
//!
//! Receipts come when requests end, and a trace has its requests by when they arrived: it can only be written when the last receipt is
//! there. Until then every request is a line of JSON in `FILE.partial`, written at once. Neither the name nor the content is that of a
//! trace, so a recording that was cut off is never taken for a whole one.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemas::{Millis, ModelName, Qos, Receipt, UnixMillis};
use serde::{Deserialize, Serialize};

use super::{Trace, TraceRequest};
use crate::error::LoadgenError;
use crate::json::Lines;

/// The ending of a file whose recording goes on or was cut off.
pub(super) const PARTIAL: &str = "partial";

/// A recording that goes on. It holds nothing but counters, however long it takes.
#[derive(Debug)]
pub struct Capture {
    path: PathBuf,
    file: File,
    requests: usize,
    without_limit: usize,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Captured {
    at: UnixMillis,
    model: ModelName,
    qos: Qos,
}

impl Capture {
    /// Requests of one capture at most, since a trace is read into memory: some hundred megabytes.
    pub const MOST: usize = 1_000_000;

    /// Begins a recording for a trace of this name.
    ///
    /// # Errors
    /// An earlier recording for it is there, going on or cut off, or the file cannot be made.
    pub fn begin(trace: &Path) -> Result<Self, LoadgenError> {
        let path = partial(trace);
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => {
                locked(&file, &path)?;
                Ok(Self { path, file, requests: 0, without_limit: 0 })
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                CutOff::find(trace)?;
                Err(LoadgenError::RecordingCutOff { partial: path, trace: trace.to_owned() })
            }
            Err(source) => Err(LoadgenError::UnwritableResults { path, source }),
        }
    }

    /// Takes note of a request. One that was refused before its limit was known is only counted, and so is what comes beyond
    /// [`Capture::MOST`].
    ///
    /// # Errors
    /// The file cannot be written, as on a full disk. What was written before stays.
    pub fn add(&mut self, receipt: &Receipt) -> Result<(), LoadgenError> {
        let Some(qos) = receipt.qos.filter(|_| self.requests < Self::MOST) else {
            self.without_limit += 1;
            return Ok(());
        };
        let captured = Captured { at: receipt.at, model: receipt.model.clone(), qos };
        let unwritable = |source| LoadgenError::UnwritableResults { path: self.path.clone(), source };
        let mut line = serde_json::to_vec(&captured).map_err(|error| unwritable(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(unwritable)?;
        self.requests += 1;
        Ok(())
    }

    /// Requests that were noted.
    pub fn len(&self) -> usize {
        self.requests
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.requests == 0
    }

    /// Requests that were only counted.
    pub fn without_limit(&self) -> usize {
        self.without_limit
    }

    /// Ends it. What was captured is there until it is removed.
    pub fn end(self) -> CutOff {
        CutOff { path: self.path, _locked: self.file }
    }
}

/// What a recording left when it ended or was cut off. While this lives nobody else takes it.
#[derive(Debug)]
pub struct CutOff {
    path: PathBuf,
    _locked: File,
}

impl CutOff {
    /// What the recording for a trace of this name left.
    ///
    /// # Errors
    /// There is nothing, or the recording goes on.
    pub fn find(trace: &Path) -> Result<Self, LoadgenError> {
        let path = partial(trace);
        let unreadable = |source| LoadgenError::Unreadable { path: path.clone(), source };
        let file = File::open(&path).map_err(unreadable)?;
        locked(&file, &path)?;
        Ok(Self { path, _locked: file })
    }

    /// Its trace; a last line that was torn is left out. Times are counted from the first arrival, by the gateways' clocks, to the
    /// millisecond.
    ///
    /// # Errors
    /// It holds no request, or cannot be read: the line and column are named.
    pub fn trace(&self) -> Result<Trace, LoadgenError> {
        let mut names: HashMap<ModelName, Arc<ModelName>> = HashMap::new();
        let mut requests = Vec::new();
        for captured in Lines::<Captured>::open(&self.path, true)? {
            let Captured { at, model, qos } = captured?;
            let model = names.entry(model.clone()).or_insert_with(|| Arc::new(model)).clone();
            requests.push((at, model, qos));
        }
        requests.sort_by_key(|(at, ..)| *at);
        let Some(&(begin, ..)) = requests.first() else {
            return Err(LoadgenError::Empty { path: self.path.clone(), what: "request" });
        };
        let request = |(query, (at, model, qos)): (u64, (UnixMillis, Arc<ModelName>, Qos))| TraceRequest {
            at: Some(Millis::from(at.remaining_at(begin))),
            query,
            model,
            tenant: None,
            qos,
        };
        Trace::new((0..).zip(requests).map(request).collect())
    }

    /// Removes it, when its trace is written or it holds nothing.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(self) -> Result<(), LoadgenError> {
        let Self { path, .. } = self;
        fs::remove_file(&path).map_err(|source| LoadgenError::UnwritableResults { path, source })
    }
}

/// Locks the file of a recording. The lock goes with its process, also when that is killed.
fn locked(file: &File, path: &Path) -> Result<(), LoadgenError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(LoadgenError::RecordingGoesOn(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(LoadgenError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Where the recording for a trace is, as long as that trace is not there.
pub fn partial(trace: &Path) -> PathBuf {
    let mut name = trace.to_owned().into_os_string();
    name.push(".");
    name.push(PARTIAL);
    name.into()
}

#[cfg(test)]
mod tests;
