//! Measurements and the front.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, FrontId, ModelName, NodeId};
use crate::units::{ByteCount, Joules, Millis, Share, UnixMillis};
use crate::v1::codec::Codec;
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

/// What the loss of a codec was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossBasis {
    /// Right answers of the exact frontier less those with the codec, on labelled pictures.
    Accuracy,
    /// Answers that differ from those of the exact frontier; the accuracy cannot fall by more.
    Agreement,
}

/// What a codec costs at a cut.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CodecLoss {
    /// The share of the answers that is lost; zero for a codec that happens to gain.
    pub share: Share,
    /// What was compared.
    pub basis: LossBasis,
    /// Pictures it was measured on.
    pub pictures: u32,
}

/// A codec that was measured at a cut and is not offered there, with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WithheldCodec {
    /// The cut.
    pub cut: Cut,
    /// The codec.
    pub codec: Codec,
    /// What it costs; `None` when the answers could not be compared.
    #[serde(default)]
    pub loss: Option<CodecLoss>,
    /// The loss up to which it would have been offered.
    pub greatest_loss: Share,
}

impl fmt::Display for WithheldCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cut, codec, loss, greatest_loss } = self;
        let percent = |share: Share| share.get() * 100.0;
        let Some(CodecLoss { share, basis, pictures }) = loss else {
            return write!(f, "{codec} at cut {cut}: its answers could not be compared with those of f32");
        };
        let what = match basis {
            LossBasis::Accuracy => "accuracy lost",
            LossBasis::Agreement => "of the answers changed",
        };
        let (share, greatest) = (percent(*share), percent(*greatest_loss));
        write!(
            f,
            "{codec} at cut {cut}: {share:.1} % {what} on {pictures} pictures, at most {greatest:.1} % is set"
        )
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
    /// The codecs that cost too much accuracy to be offered, cut by cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<WithheldCodec>,
    /// Configurations measured to find the front.
    pub measured: u32,
    /// When the measuring began.
    pub started_at: UnixMillis,
    /// When it ended.
    pub ended_at: UnixMillis,
    /// The optimizer's software version.
    pub software: String,
}
