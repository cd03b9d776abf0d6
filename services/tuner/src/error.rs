//! What can go wrong, as callers match it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use broker::BrokerError;
use chassis::SettingsError;
use schemas::{Fault, FaultKind, InstanceId, KiloHertz, Knob, Millis};

/// An error of the tuner.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TunerError {
    /// Settings that make no sense.
    #[error("the tuner does not start")]
    Settings {
        /// Which, and what would.
        source: SettingsError,
    },
    /// Something cannot be set on this machine.
    #[error("it cannot be set here: {reason}")]
    Unsupported {
        /// Why, and what would help.
        reason: String,
    },
    /// A clock that this machine does not have.
    #[error("{asked} is not a clock of this machine: allowed are {allowed}")]
    NotAClock {
        /// The clock asked for.
        asked: KiloHertz,
        /// The clocks there are, in words.
        allowed: String,
    },
    /// A value outside of what the machine takes.
    #[error("{problem}")]
    OutOfRange {
        /// The value, and what would be right.
        problem: String,
    },
    /// Somebody else has it.
    #[error("{knob} is held by {holder} for another {:.1} s", .remaining.as_secs_f64())]
    Held {
        /// What is held.
        knob: Knob,
        /// By whom.
        holder: InstanceId,
        /// For how long.
        remaining: Duration,
    },
    /// The lease asked for is too short or too long.
    #[error("a lease of {asked} is not given: ask for 1 ms to {greatest_s} s")]
    LeaseLength {
        /// The time asked for.
        asked: Millis,
        /// The longest there is, in seconds.
        greatest_s: u64,
    },
    /// A setting failed, and what was written before it could not all be taken back.
    #[error("{cause}; and it could not all be taken back: {left}")]
    NotRolledBack {
        /// Why it failed.
        cause: Box<TunerError>,
        /// What stayed, in words.
        left: String,
    },
    /// The original state cannot be kept on disk: nothing is set then, as a crash would leave it set for good.
    #[error("the original state cannot be kept in {} (tuner.state_dir)", .file.display())]
    State {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The settings' power model cannot be used.
    #[error("the power model {} cannot be used: {problem}", .file.display())]
    PowerModel {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// No meter of this machine can be read.
    #[error("{reason}")]
    NoMeter {
        /// What was looked for, and what would help.
        reason: String,
    },
    /// An error that was found before, or by a library.
    #[error("{text}")]
    InWords {
        /// The whole of it.
        text: String,
    },
    /// Written, but read back otherwise.
    #[error("{what} was set to {asked} but reads back {read_back}")]
    NotApplied {
        /// What was set.
        what: String,
        /// The value asked for.
        asked: String,
        /// What it says instead.
        read_back: String,
    },
    /// A file of sysfs that cannot be read.
    #[error("failed to read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of sysfs that holds something else than it should.
    #[error("{} holds {text:?}, expected {expected}", .path.display())]
    Unparsable {
        /// The file.
        path: PathBuf,
        /// The start of its content.
        text: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The broker does not let the tuner start.
    #[error("the tuner failed at {step}")]
    Broker {
        /// What it was doing.
        step: &'static str,
        /// Why.
        source: BrokerError,
    },
    /// The system gives no thread to sample with.
    #[error("failed to start the sampling thread")]
    NoThread {
        /// Why.
        source: io::Error,
    },
    /// The work on the files ended before it was done: a defect, or the end of the program.
    #[error("the work on the hardware was interrupted")]
    Interrupted,
    /// A file of sysfs that cannot be written.
    #[error("failed to write {value:?} to {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What was to be written.
        value: String,
        /// Why.
        source: io::Error,
    },
}

impl TunerError {
    pub(crate) fn unsupported(reason: String) -> Self {
        Self::Unsupported { reason }
    }

    /// The whole chain in one line, with what helps where that is known: for people who read a report.
    pub fn in_words(&self) -> String {
        match self {
            Self::Read { source, path } => format!("{self}: {source}{}", advice(source, path)),
            Self::Write { source, path, .. } => format!("{self}: {source}{}", advice(source, path)),
            Self::State { source, .. } => format!("{self}: {source}"),
            other => other.to_string(),
        }
    }

    /// The same as it travels.
    pub fn to_fault(&self) -> Fault {
        let kind = match self {
            Self::NotAClock { .. } | Self::OutOfRange { .. } | Self::LeaseLength { .. } => {
                FaultKind::BadRequest
            }
            Self::Unsupported { .. }
            | Self::NotApplied { .. }
            | Self::NotRolledBack { .. }
            | Self::Write { .. }
            | Self::State { .. }
            | Self::InWords { .. } => FaultKind::Unsupported,
            Self::Read { .. } | Self::Unparsable { .. } | Self::NoMeter { .. } => FaultKind::Unavailable,
            Self::Held { .. } => FaultKind::Overloaded,
            _ => FaultKind::Internal,
        };
        let retry_after_ms = match self {
            Self::Held { remaining, .. } => Some((*remaining).into()),
            _ => None,
        };
        Fault { retry_after_ms, ..Fault::new(kind, self.in_words()) }
    }
}

fn advice(error: &io::Error, path: &Path) -> &'static str {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return "";
    }
    if path.ends_with("energy_uj") {
        return ": since CVE-2020-8694 the kernel lets only root read energy counters; give the tuner's user read \
                access to this file (docs/tuner.md has the udev rule)";
    }
    ": run the tuner as root, or give its user access to this file (docs/tuner.md has udev rules and a systemd unit)"
}
