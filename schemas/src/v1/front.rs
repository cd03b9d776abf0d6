//! Measurements and the front.

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, FrontId, ModelName, NodeId};
use crate::units::{ByteCount, Joules, Millis, Share, UnixMillis};
use crate::v1::configuration::{Configuration, Cut};
use crate::v1::energy::{EnergyEntry, total_joules};
use crate::v1::stage::StageTime;

/// The distribution of a configuration's latencies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Arithmetic mean.
    pub mean_ms: Millis,
    /// Median.
    pub p50_ms: Millis,
    /// 95th percentile, by nearest rank.
    pub p95_ms: Millis,
    /// Sample standard deviation; zero for one sample.
    pub deviation_ms: Millis,
}

/// The share of right answers, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Right answers / pictures.
    pub share: Share,
    /// Labelled pictures it was measured on.
    pub pictures: u32,
}

/// One configuration as it was measured over the live pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The configuration.
    pub configuration: Configuration,
    /// The cut's name.
    pub cut_name: String,
    /// The edge executor's time from the request's arrival to its answer, hardware change excluded.
    pub latency: LatencySummary,
    /// Mean time of each stage.
    pub stages: Vec<StageTime>,
    /// Mean joules of one request; empty when nothing measures or models them.
    pub energy: Vec<EnergyEntry>,
    /// Accuracy, where the pictures had labels.
    #[serde(default)]
    pub accuracy: Option<Accuracy>,
    /// Bytes sent to the cloud.
    pub sent_bytes: ByteCount,
    /// Requests measured.
    pub samples: u32,
}

impl Measurement {
    /// All joules of one request; `None` when unknown.
    pub fn joules(&self) -> Option<Joules> {
        total_joules(&self.energy)
    }
}

/// The non-dominated configurations of one network on one edge/cloud pair, with their provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Front {
    /// This front.
    pub id: FrontId,
    /// The network.
    pub model: ModelName,
    /// SHA-256 of the ONNX file that was measured.
    pub digest: Digest,
    /// The network's last cut: everything on the edge.
    pub last_cut: Cut,
    /// The edge machine.
    pub edge: NodeId,
    /// The device the edge machine played.
    #[serde(default)]
    pub emulates: Option<String>,
    /// The cloud machine.
    pub cloud: NodeId,
    /// The non-dominated configurations, in the order they were measured.
    pub points: Vec<Measurement>,
    /// Baseline: everything in the cloud, edge at its highest clock. Measured, maybe dominated.
    pub all_cloud: Measurement,
    /// Baseline: everything on the edge at its highest clock. Measured, maybe dominated.
    pub all_edge: Measurement,
    /// Configurations measured to find the front.
    pub measured: u32,
    /// When the measuring began.
    pub started_at: UnixMillis,
    /// When it ended.
    pub ended_at: UnixMillis,
    /// The optimizer's software version.
    pub software: String,
}
