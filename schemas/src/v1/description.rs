//! What an executor says of a network it serves.

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, ModelName};
use crate::units::ByteCount;
use crate::v1::codec::ElementFormat;
use crate::v1::configuration::Cut;
use crate::v1::tensor::{DataType, TensorError};

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
    /// Numbers in the head's weights, as they are used: normalisations folded, what both sides need counted on both.
    #[serde(default)]
    pub parameters_before: u64,
    /// Numbers in the tail's weights.
    #[serde(default)]
    pub parameters_after: u64,
    /// A cut that divides the work alike and has no more bytes cross, so that this one need not be tried.
    #[serde(default)]
    pub dominated_by: Option<Cut>,
}

impl CutDescription {
    /// Bytes that cross with a codec of these elements and without compression: elements and scales, without the
    /// message around them (some 30 bytes a tensor). Exact; what a compression makes of them can only be
    /// measured. At the two ends no codec is used: cut 0 keeps [`CutDescription::bytes`], and nothing crosses the last.
    ///
    /// # Errors
    /// When a tensor's rank is above 8 or its shape overflows.
    pub fn bytes_in(&self, elements: ElementFormat) -> Result<ByteCount, TensorError> {
        if self.cut == Cut::ALL_CLOUD {
            return Ok(self.bytes);
        }
        let bytes =
            |sum: u64, tensor: &TensorSignature| Ok(sum.saturating_add(elements.bytes(&tensor.shape)?));
        self.frontier.iter().try_fold(0, bytes).map(ByteCount)
    }
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
