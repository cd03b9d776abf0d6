//! What gateway and optimizer ask of an edge executor, and an edge executor of a cloud executor.

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, InstanceId, ModelName, RequestId};
use crate::units::{ByteCount, Millis, Share};
use crate::v1::configuration::{Accelerator, Configuration, Cut};
use crate::v1::encoded::EncodedTensor;
use crate::v1::energy::{EnergyEntry, Place, StageEnergy};
use crate::v1::inference::Input;
use crate::v1::stage::{StageTime, TimeSource};
use crate::v1::tensor::Tensor;

/// One class and its probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The class's index in the network's output.
    pub index: u32,
    /// Its name, from the bundle's labels; the index as text where the bundle has none.
    pub label: String,
    /// Softmax of the output.
    pub probability: Share,
}

/// `splinter.v1.exec.edge.<model>[.<instance>]`: run one input with one configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecuteRequest<'a> {
    /// The request.
    pub id: RequestId,
    /// The network.
    pub model: ModelName,
    /// The input.
    #[serde(borrow)]
    pub input: Input<'a>,
    /// What to run.
    pub configuration: Configuration,
    /// The cloud executor to ask first for the tail.
    #[serde(default)]
    pub cloud: Option<InstanceId>,
    /// Whether to time each layer, too. That costs a little time.
    #[serde(default)]
    pub profile: bool,
}

/// The time of each layer that ran at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerProfile {
    /// Where they ran.
    pub place: Place,
    /// Whether the times are real or stretched by emulation.
    pub source: TimeSource,
    /// The cut behind which they begin.
    pub from: Cut,
    /// The time between each cut and the next, in order. Layers that are computed at once count as the first of them.
    pub times_ms: Vec<Millis>,
}

/// Why another configuration ran than the one asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fallback {
    /// No cloud executor answered in time, or the codec cannot write this frontier (a value that is not finite): the
    /// edge ran the tail itself, on the exact frontier.
    FinishedAtHome,
    /// The tuner could not be reached or could not set the hardware: it ran with the settings as they were.
    HardwareAsItWas,
}

impl Fallback {
    /// The fallback as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FinishedAtHome => "finished_at_home",
            Self::HardwareAsItWas => "hardware_as_it_was",
        }
    }
}

/// An edge executor's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecuteReply<'a> {
    /// The network's output.
    #[serde(borrow)]
    pub output: Tensor<'a>,
    /// The best classes, best first, at most five.
    pub top: Vec<Classification>,
    /// The configuration that really ran.
    pub configuration: Configuration,
    /// Why it is not the one asked for.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// The cloud executor that ran the tail.
    #[serde(default)]
    pub cloud: Option<InstanceId>,
    /// Bytes of the frontier (or picture) that went to the cloud; zero when nothing did.
    pub sent_bytes: ByteCount,
    /// Where the time went.
    pub stages: Vec<StageTime>,
    /// Where the energy went.
    pub energy: Vec<EnergyEntry>,
    /// The same energy by stage, marginal apart from idle; empty where nothing is known.
    #[serde(default)]
    pub breakdown: Vec<StageEnergy>,
    /// The time of each layer, where it was asked for and the accelerator can tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<LayerProfile>,
}

/// What crosses to the cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TailPayload<'a> {
    /// Cut 0: the input as it came; the cloud does the preprocessing too.
    Input(#[serde(borrow)] Input<'a>),
    /// The cut's frontier as it is, in the order of the cut's description.
    Frontier(#[serde(borrow)] Vec<Tensor<'a>>),
    /// The cut's frontier as a codec wrote it, in the order of the cut's description.
    Encoded(#[serde(borrow)] Vec<EncodedTensor<'a>>),
}

/// `splinter.v1.exec.cloud.<model>[.<instance>]`: run the layers after a cut.
///
/// The first ones had a field `codec` beside the payload; each encoded tensor names its own now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TailRequest<'a> {
    /// The request.
    pub id: RequestId,
    /// The network.
    pub model: ModelName,
    /// The network's digest: head and tail must be of one file.
    pub digest: Digest,
    /// Where the network is cut.
    pub cut: Cut,
    /// What runs it.
    #[serde(default)]
    pub accelerator: Accelerator,
    /// Whether to time each layer, too.
    #[serde(default)]
    pub profile: bool,
    /// What crosses.
    #[serde(borrow)]
    pub payload: TailPayload<'a>,
}

/// A cloud executor's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TailReply<'a> {
    /// The network's output.
    #[serde(borrow)]
    pub output: Tensor<'a>,
    /// The instance that ran it.
    pub instance: InstanceId,
    /// Where the time went, in the cloud.
    pub stages: Vec<StageTime>,
    /// Where the energy went, in the cloud.
    pub energy: Vec<EnergyEntry>,
    /// The same energy by stage, marginal apart from idle; empty where nothing is known.
    #[serde(default)]
    pub breakdown: Vec<StageEnergy>,
    /// The time of each layer, where it was asked for and the accelerator can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<LayerProfile>,
}
