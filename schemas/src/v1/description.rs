//! What an executor says of a network it serves.

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, ModelName};
use crate::units::ByteCount;
use crate::v1::configuration::Cut;
use crate::v1::tensor::DataType;

/// The name, type and shape of a tensor for a batch of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorSignature {
    /// The tensor's name in the ONNX file.
    pub name: String,
    /// The type of its elements.
    #[serde(rename = "dtype")]
    pub data_type: DataType,
    /// Its dimensions, outermost first.
    pub shape: Vec<u64>,
}

/// One place to cut a network, with what crosses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutDescription {
    /// The place.
    pub cut: Cut,
    /// The node after which it lies, as the ONNX file names it; `input` and `output` at the two ends.
    pub name: String,
    /// The frontier's tensors; empty at the last cut.
    pub frontier: Vec<TensorSignature>,
    /// The frontier's bytes as `f32` tensors; at cut 0 those of the network's input as `u8` pixels; 0 at the last cut.
    pub bytes: ByteCount,
    /// Multiply-accumulates of the head.
    pub macs_before: u64,
    /// Multiply-accumulates of the tail.
    pub macs_after: u64,
}

/// `splinter.v1.describe.<model>`: a network as an executor serves it. The request has an empty body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// The name it is served under.
    pub name: ModelName,
    /// SHA-256 of its ONNX file.
    pub digest: Digest,
    /// Its input.
    pub input: TensorSignature,
    /// Its output.
    pub output: TensorSignature,
    /// The classes' names, in the order of the output; empty when the bundle has none.
    pub labels: Vec<String>,
    /// Every cut, in topological order: the first is all-cloud, the last all-edge.
    pub cuts: Vec<CutDescription>,
}
