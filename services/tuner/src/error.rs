//! What can go wrong, as callers match it.

use std::io;
use std::path::PathBuf;

use broker::BrokerError;
use chassis::SettingsError;
use schemas::{Fault, FaultKind, KiloHertz};

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
    /// The clock cannot be set on this machine.
    #[error("the processor's clock cannot be set here: {reason}")]
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
    /// Written, but read back otherwise.
    #[error("{policy} was set to {asked} but reads back {read_back}")]
    NotApplied {
        /// The cpufreq policy.
        policy: String,
        /// The clock asked for.
        asked: KiloHertz,
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
    /// The whole chain in one line, with what helps where that is known: for people who read a report.
    pub fn in_words(&self) -> String {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => {
                format!("{self}: {source}{}", advice(source))
            }
            other => other.to_string(),
        }
    }

    /// The same as it travels.
    pub fn to_fault(&self) -> Fault {
        let kind = match self {
            Self::NotAClock { .. } => FaultKind::BadRequest,
            Self::Unsupported { .. } | Self::NotApplied { .. } | Self::Write { .. } => FaultKind::Unsupported,
            Self::Read { .. } | Self::Unparsable { .. } => FaultKind::Unavailable,
            _ => FaultKind::Internal,
        };
        Fault::new(kind, self.in_words())
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            ": run the tuner as root, or give its user access to this file (a udev rule or a systemd unit)"
        }
        _ => "",
    }
}
