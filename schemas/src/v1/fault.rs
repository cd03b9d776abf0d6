//! Errors on the wire: a kind that programs match, a message that people read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::{Joules, Millis};

/// What went wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The request itself is wrong: do not send it again.
    BadRequest,
    /// No executor serves a model of that name.
    UnknownModel,
    /// All credits are used up: try again after a while, or elsewhere.
    Overloaded,
    /// The instance is leaving: try another one at once.
    Draining,
    /// The deadline passed before the work was done.
    DeadlineExceeded,
    /// Nobody who could do it is reachable now.
    Unavailable,
    /// This machine does not have what was asked of it.
    Unsupported,
    /// Nothing that may run now is likely to keep the hard latency limit.
    Infeasible,
    /// A defect of ours.
    Internal,
}

impl FaultKind {
    /// The kind as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnknownModel => "unknown_model",
            Self::Overloaded => "overloaded",
            Self::Draining => "draining",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::Infeasible => "infeasible",
            Self::Internal => "internal",
        }
    }

    /// Whether another instance may still do it.
    pub const fn another_may_do_it(self) -> bool {
        matches!(self, Self::Overloaded | Self::Draining | Self::Unavailable | Self::Internal)
    }
}

/// The best that could be done for a request that was refused as infeasible.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Feasible {
    /// The least latency limit that would be accepted now.
    pub latency_ms: Millis,
    /// What it is predicted to cost; `None` where it is not known.
    #[serde(default)]
    pub energy_j: Option<Joules>,
}

/// A typed error as it travels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub struct Fault {
    /// What went wrong, for programs.
    pub kind: FaultKind,
    /// What went wrong, where, and what to do, for people.
    pub message: String,
    /// When trying again may help.
    #[serde(default)]
    pub retry_after_ms: Option<Millis>,
    /// With [`FaultKind::Infeasible`]: what would be feasible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feasible: Option<Feasible>,
}

impl Fault {
    /// A fault without a retry time.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after_ms: None, feasible: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}
