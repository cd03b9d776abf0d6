//! What the optimizer is asked, says on the way, and answers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ids::{ModelName, NodeId};
use crate::units::Share;
use crate::v1::front::{Front, Measurement};
use crate::v1::tensor::{deserialize_bin, serialize_bin};

/// A picture and, where it is known, its class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelledPicture<'a> {
    /// A JPEG or PNG file's bytes.
    #[serde(borrow, serialize_with = "serialize_bin", deserialize_with = "deserialize_bin")]
    pub bytes: Cow<'a, [u8]>,
    /// The class's index in the network's output.
    #[serde(default)]
    pub class: Option<u32>,
}

/// `splinter.v1.optimize.<model>`: measure this network and publish its front.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizeRequest<'a> {
    /// The network.
    pub model: ModelName,
    /// The pictures to measure with, in turn.
    #[serde(borrow)]
    pub pictures: Vec<LabelledPicture<'a>>,
    /// Requests measured for each configuration, after warm-up; at least 1.
    pub samples: u32,
    /// The most requests measured for a configuration whose latencies vary; `None` measures just `samples`.
    #[serde(default)]
    pub most_samples: Option<u32>,
    /// How to search.
    #[serde(default)]
    pub search: SearchWishes,
}

/// How an optimizer is to search; what is `None` is left to its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SearchWishes {
    /// What to do.
    #[serde(default)]
    pub task: OptimizeTask,
    /// The strategy's name.
    #[serde(default)]
    pub strategy: Option<String>,
    /// Its seed.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The most to measure, as a share of the legal configurations.
    #[serde(default)]
    pub budget: Option<Share>,
    /// The space, as the text of a `space.toml`; cuts and whatever else it does not name are the network's and the
    /// machines' own.
    #[serde(default)]
    pub space: Option<String>,
    /// The edge machine to measure; the first of the present ones without it.
    #[serde(default)]
    pub edge: Option<NodeId>,
    /// The cloud machine to measure.
    #[serde(default)]
    pub cloud: Option<NodeId>,
}

/// What an optimizer is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OptimizeTask {
    /// Measure the network; a campaign of the same kind that was broken off goes on.
    #[default]
    Measure,
    /// The same from the beginning, whatever an earlier campaign left.
    MeasureAfresh,
    /// Measure again what live requests show to have drifted.
    Refresh,
}

/// `splinter.v1.event.optimize`: how far the measuring is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizeProgress {
    /// The network.
    pub model: ModelName,
    /// Configurations measured.
    pub done: u32,
    /// Configurations to measure in all.
    pub total: u32,
    /// The last one measured.
    pub last: Measurement,
}

/// The optimizer's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizeReply {
    /// The front as it was published.
    pub front: Front,
    /// Everything that was measured, in order.
    pub measurements: Vec<Measurement>,
    /// Samples that a campaign which was broken off had taken before.
    #[serde(default)]
    pub resumed_samples: u32,
    /// What a person should know of how it went, in words.
    #[serde(default)]
    pub notes: Vec<String>,
}
