//! The scheduler's question and answer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{FrontId, InstanceId, ModelName, RequestId};
use crate::units::{Joules, Millis};
use crate::v1::configuration::Configuration;
use crate::v1::inference::Qos;

/// A rule that picks a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PolicyName {
    /// The default: the least energy whose predicted latency, at a quantile, is within the limit; predictions follow
    /// the live link, queues and receipts, and count the cost of changing the hardware.
    Adaptive,
    /// The paper's rule: the least energy within the limit, otherwise the fastest.
    Dynasplit,
    /// Everything in the cloud, always.
    Cloud,
    /// Everything on the edge, always.
    Edge,
    /// The fastest point of the front, always.
    Latency,
    /// The point of least energy, always.
    Energy,
    /// Knows what each configuration will cost this very request: what no policy can beat. In simulations only; no
    /// scheduler has it.
    Oracle,
}

impl PolicyName {
    /// The policies that a scheduler has, in the order tables show them.
    pub const ALL: [Self; 6] =
        [Self::Adaptive, Self::Dynasplit, Self::Cloud, Self::Edge, Self::Latency, Self::Energy];

    /// Those and [`PolicyName::Oracle`]: the policies that a simulation has.
    pub const SIMULATED: [Self; 7] =
        [Self::Adaptive, Self::Dynasplit, Self::Cloud, Self::Edge, Self::Latency, Self::Energy, Self::Oracle];

    /// The name as people type it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adaptive => "adaptive",
            Self::Dynasplit => "dynasplit",
            Self::Cloud => "cloud",
            Self::Edge => "edge",
            Self::Latency => "latency",
            Self::Energy => "energy",
            Self::Oracle => "oracle",
        }
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that no policy has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no policy {0:?}: use adaptive, dynasplit, cloud, edge, latency or energy (oracle in simulations)"
)]
pub struct UnknownPolicy(String);

impl FromStr for PolicyName {
    type Err = UnknownPolicy;
    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        Self::SIMULATED
            .into_iter()
            .find(|policy| policy.as_str() == text)
            .ok_or_else(|| UnknownPolicy(text.chars().take(32).collect()))
    }
}

/// `splinter.v1.plan.<model>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// The request to plan for.
    pub id: RequestId,
    /// The network.
    pub model: ModelName,
    /// What the request asks for.
    pub qos: Qos,
    /// The policy to decide with; `None` = the scheduler's own.
    #[serde(default)]
    pub policy: Option<PolicyName>,
}

/// Why this configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanReason {
    /// The least energy of those within the limit.
    LeastEnergyWithinLimit,
    /// Nothing is within the limit: the fastest.
    FastestBecauseNoneWithinLimit,
    /// The policy always chooses so.
    Fixed,
    /// No cloud executor is there: everything on the edge.
    CloudAbsent,
    /// There is no front for this network yet: everything on the edge.
    NoFront,
    /// The hardware stays as it is set: what would need less energy does not make up for the change.
    HardwareHeld,
    /// Within the limit too, and it shows whether the cloud and the link are well again.
    Explored,
    /// No scheduler answered: the gateway decided by the paper's rule over the last front it saw.
    SchedulerGone,
}

impl PlanReason {
    /// The reason as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeastEnergyWithinLimit => "least_energy_within_limit",
            Self::FastestBecauseNoneWithinLimit => "fastest_because_none_within_limit",
            Self::Fixed => "fixed",
            Self::CloudAbsent => "cloud_absent",
            Self::NoFront => "no_front",
            Self::HardwareHeld => "hardware_held",
            Self::Explored => "explored",
            Self::SchedulerGone => "scheduler_gone",
        }
    }
}

/// The scheduler's answer: what to run and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What to run.
    pub configuration: Configuration,
    /// The edge executor to run it on.
    pub edge: InstanceId,
    /// The cloud executor for the tail; `None` when everything runs on the edge.
    #[serde(default)]
    pub cloud: Option<InstanceId>,
    /// The latency predicted: the front's mean, or with policy `adaptive` its quantile of what is true now. `None`
    /// without a front.
    #[serde(default)]
    pub predicted_latency_ms: Option<Millis>,
    /// The energy predicted; `None` where it is not known.
    #[serde(default)]
    pub predicted_energy_j: Option<Joules>,
    /// The policy that chose.
    pub policy: PolicyName,
    /// Why it chose so.
    pub reason: PlanReason,
    /// The front it chose from.
    #[serde(default)]
    pub front: Option<FrontId>,
}
