//! What a client sends and gets.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{FrontId, ModelName, RequestId};
use crate::units::{Millis, Share};
use crate::v1::configuration::{Configuration, Cut};
use crate::v1::energy::EnergyEntry;
use crate::v1::execution::{Classification, Fallback};
use crate::v1::plan::{PlanReason, PolicyName};
use crate::v1::stage::StageTime;
use crate::v1::tensor::{Tensor, deserialize_bin, serialize_bin};

/// What becomes of a request whose limit nothing is likely to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// It is run as well as can be, and labelled.
    #[default]
    Soft,
    /// It is refused at once, with what would be feasible. Policy `adaptive` only; the others run it.
    Hard,
}

impl LimitKind {
    /// Whether it is the default, which old messages mean and new ones leave out.
    pub fn is_soft(&self) -> bool {
        *self == Self::Soft
    }

    /// The kind as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no kind of limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use soft or hard")]
pub struct UnknownLimitKind;

impl FromStr for LimitKind {
    type Err = UnknownLimitKind;

    fn from_str(text: &str) -> Result<Self, UnknownLimitKind> {
        [Self::Soft, Self::Hard].into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownLimitKind)
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Qos {
    /// The latency limit.
    pub latency_ms: Millis,
    /// Least accuracy of the chosen configuration.
    #[serde(default)]
    pub accuracy_floor: Option<Share>,
    /// Privacy floor: the least cut, so that the picture itself and early features stay on the edge.
    #[serde(default)]
    pub least_cut: Option<Cut>,
    /// Whether the request is refused when nothing is likely to keep the limit.
    #[serde(default, skip_serializing_if = "LimitKind::is_soft")]
    pub limit: LimitKind,
    /// How much less energy counts than a shorter time, among configurations within the limit: 1 (as when it is
    /// `None`) takes the least energy, 0 the fastest. Policy `adaptive` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_weight: Option<Share>,
}

impl Qos {
    /// A soft latency limit and nothing else.
    pub const fn within(latency_ms: Millis) -> Self {
        Self {
            latency_ms,
            accuracy_floor: None,
            least_cut: None,
            limit: LimitKind::Soft,
            energy_weight: None,
        }
    }
}

/// What is to be classified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input<'a> {
    /// A JPEG or PNG file's bytes, as they came.
    Encoded {
        /// The file's bytes.
        #[serde(borrow, serialize_with = "serialize_bin", deserialize_with = "deserialize_bin")]
        bytes: Cow<'a, [u8]>,
    },
    /// RGB pixels, row by row, three bytes a pixel.
    Pixels {
        /// Rows.
        height: u32,
        /// Pixels a row.
        width: u32,
        /// `height × width × 3` bytes.
        #[serde(borrow, serialize_with = "serialize_bin", deserialize_with = "deserialize_bin")]
        rgb: Cow<'a, [u8]>,
    },
    /// The network's input tensor, already preprocessed by the client.
    Tensor(#[serde(borrow)] Tensor<'a>),
}

/// `splinter.v1.infer.<model>`, MessagePack form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InferRequest<'a> {
    /// What is to be classified.
    #[serde(borrow)]
    pub input: Input<'a>,
    /// What the client asks for; `None` = the gateway's default limit.
    #[serde(default)]
    pub qos: Option<Qos>,
    /// The policy to decide with; `None` = the scheduler's own.
    #[serde(default)]
    pub policy: Option<PolicyName>,
}

/// The answer to an inference request. Also answered as JSON, with the same names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InferReply {
    /// The request.
    pub id: RequestId,
    /// The network that answered.
    pub model: ModelName,
    /// The best classes, best first, at most five.
    pub top: Vec<Classification>,
    /// From the gateway's receipt of the request to its answer.
    pub latency_ms: Millis,
    /// Whether the latency is within the limit asked for.
    pub within_limit: bool,
    /// The limit it was held against.
    pub limit_ms: Millis,
    /// The configuration that really ran.
    pub configuration: Configuration,
    /// Why another configuration ran than the planned one.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// The policy that chose.
    pub policy: PolicyName,
    /// Why it chose so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<PlanReason>,
    /// The front it chose from; `None` when there was none yet.
    #[serde(default)]
    pub front: Option<FrontId>,
    /// Where the time went.
    pub stages: Vec<StageTime>,
    /// Where the energy went; empty when nothing measures or models it here.
    pub energy: Vec<EnergyEntry>,
}
