//! Who is there: one entry an instance in the bucket `splinter-nodes`, renewed each second.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, InstanceId, ModelName, NodeId};
use crate::units::UnixMillis;
use crate::v1::configuration::{Accelerator, Cut};
use crate::v1::description::TensorSignature;
use crate::v1::hardware::HardwareReport;

/// A kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// The way in.
    Gateway,
    /// The policy as a service.
    Scheduler,
    /// Runs heads.
    EdgeExecutor,
    /// Runs tails.
    CloudExecutor,
    /// Sets the hardware.
    Tuner,
    /// Measures and searches.
    Optimizer,
}

impl ServiceKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Gateway,
        Self::Scheduler,
        Self::EdgeExecutor,
        Self::CloudExecutor,
        Self::Tuner,
        Self::Optimizer,
    ];

    /// The name, one subject token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Scheduler => "scheduler",
            Self::EdgeExecutor => "edge-executor",
            Self::CloudExecutor => "cloud-executor",
            Self::Tuner => "tuner",
            Self::Optimizer => "optimizer",
        }
    }
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Takes work.
    Ready,
    /// Is leaving: send it nothing new.
    Draining,
}

/// A network an executor has loaded and warmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedModel {
    /// The name it is served under.
    pub name: ModelName,
    /// SHA-256 of its ONNX file.
    pub digest: Digest,
    /// Its last cut: everything on the edge.
    pub last_cut: Cut,
    /// Its input.
    pub input: TensorSignature,
    /// Its output.
    pub output: TensorSignature,
    /// What can run it there; the first is taken where nothing is asked for.
    #[serde(default = "processor_only")]
    pub accelerators: Vec<Accelerator>,
}

/// What the first executors had, which did not say so.
fn processor_only() -> Vec<Accelerator> {
    vec![Accelerator::Cpu]
}

/// One instance, as it last said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// What it is.
    pub service: ServiceKind,
    /// Which one it is.
    pub instance: InstanceId,
    /// The machine it runs on.
    pub node: NodeId,
    /// Its software version.
    pub version: String,
    /// Where it is in its life.
    pub state: ServiceState,
    /// Requests it would take now.
    pub credits: u32,
    /// Requests it takes at most at once.
    pub capacity: u32,
    /// The networks it serves; empty for services that serve none.
    #[serde(default)]
    pub models: Vec<ServedModel>,
    /// The machine's hardware, as the tuner reports it.
    #[serde(default)]
    pub hardware: Option<HardwareReport>,
    /// When it said so.
    pub at: UnixMillis,
}
