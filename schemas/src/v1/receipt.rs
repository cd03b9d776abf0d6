//! `splinter.v1.receipt.<model>`: what one request cost. Exactly one a request.

use serde::{Deserialize, Serialize};

use crate::ids::{FrontId, InstanceId, ModelName, NodeId, RequestId};
use crate::units::{ByteCount, Joules, Millis, UnixMillis};
use crate::v1::configuration::Configuration;
use crate::v1::energy::{EnergyEntry, StageEnergy};
use crate::v1::execution::Fallback;
use crate::v1::fault::FaultKind;
use crate::v1::inference::Qos;
use crate::v1::plan::{PlanReason, PolicyName};
use crate::v1::stage::StageTime;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a result within the latency limit.
    Within,
    /// With a result, after the latency limit.
    Late,
    /// With a typed error.
    Failed(FaultKind),
}

impl Outcome {
    /// `within`, `late`, or the kind of the error.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Late => "late",
            Self::Failed(kind) => kind.as_str(),
        }
    }
}

/// What one request cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The request.
    pub id: RequestId,
    /// The network.
    pub model: ModelName,
    /// How it ended.
    pub outcome: Outcome,
    /// What it asked for; `None` when it was refused before that was known.
    #[serde(default)]
    pub qos: Option<Qos>,
    /// From the gateway's receipt of the request to its answer.
    pub latency_ms: Millis,
    /// The configuration that was planned.
    #[serde(default)]
    pub planned: Option<Configuration>,
    /// The latency that was predicted.
    #[serde(default)]
    pub predicted_latency_ms: Option<Millis>,
    /// The energy that was predicted.
    #[serde(default)]
    pub predicted_energy_j: Option<Joules>,
    /// The configuration that ran.
    #[serde(default)]
    pub executed: Option<Configuration>,
    /// Why another one ran than the planned one.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// The policy that chose.
    #[serde(default)]
    pub policy: Option<PolicyName>,
    /// Why it chose so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<PlanReason>,
    /// The front it chose from.
    #[serde(default)]
    pub front: Option<FrontId>,
    /// The edge executor.
    #[serde(default)]
    pub edge: Option<InstanceId>,
    /// The cloud executor.
    #[serde(default)]
    pub cloud: Option<InstanceId>,
    /// Bytes sent to the cloud.
    pub sent_bytes: ByteCount,
    /// Where the time went.
    pub stages: Vec<StageTime>,
    /// Where the energy went, with place and source.
    pub energy: Vec<EnergyEntry>,
    /// The same energy by stage, marginal apart from idle, with its uncertainty; empty where nothing is known.
    #[serde(default)]
    pub breakdown: Vec<StageEnergy>,
    /// The machine of the gateway.
    pub node: NodeId,
    /// When the request arrived.
    pub at: UnixMillis,
}

impl Receipt {
    /// Of a request that has just arrived at a gateway: nothing is known of it yet, and it has failed as `internal` until somebody
    /// knows better.
    pub const fn opened(id: RequestId, model: ModelName, node: NodeId, at: UnixMillis) -> Self {
        Self {
            id,
            model,
            outcome: Outcome::Failed(FaultKind::Internal),
            qos: None,
            latency_ms: Millis::ZERO,
            planned: None,
            predicted_latency_ms: None,
            predicted_energy_j: None,
            executed: None,
            fallback: None,
            policy: None,
            reason: None,
            front: None,
            edge: None,
            cloud: None,
            sent_bytes: ByteCount(0),
            stages: Vec::new(),
            energy: Vec::new(),
            breakdown: Vec::new(),
            node,
            at,
        }
    }
}
