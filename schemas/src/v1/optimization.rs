//! What the optimizer is asked, says on the way, and answers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ids::ModelName;
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
}
