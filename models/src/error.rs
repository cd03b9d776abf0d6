//! What can go wrong between a file and a class.

use std::path::PathBuf;

use schemas::{Accelerator, Codec, Cut, TensorError};

/// Why a bundle, a network or an input was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file of a bundle cannot be read or written.
    #[error("cannot read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// `model.toml` is not what it should be.
    #[error("model.toml of the bundle is not valid")]
    Manifest(#[source] Box<toml::de::Error>),
    /// `model.toml` cannot be written.
    #[error("model.toml of the bundle cannot be written")]
    ManifestNotWritten(#[source] Box<toml::ser::Error>),
    /// The bundle's parts do not fit together, or are beyond a bound.
    #[error("the bundle is refused: {0}")]
    Bundle(String),
    /// A file has another SHA-256 than `model.toml` says.
    #[error("{file} has the SHA-256 {actual}, model.toml says {expected}")]
    WrongDigest {
        /// The file.
        file: String,
        /// What `model.toml` says.
        expected: String,
        /// What the file has.
        actual: String,
    },
    /// The ONNX file cannot be parsed.
    #[error("{file} is not a usable ONNX file: {reason}")]
    Onnx {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The network uses an operator, or a setting of one, that we lack, or whose inputs do not fit it.
    #[error("{file}: node {node:?} ({operator}) cannot be run: {reason}; docs/operators.md says what can")]
    Unsupported {
        /// The operator, as the file calls it.
        operator: String,
        /// The node that uses it.
        node: String,
        /// The file that the node is in.
        file: String,
        /// What exactly is lacking or wrong.
        reason: String,
    },
    /// The network has no such cut.
    #[error("the network has no cut {cut}, its last is {last}")]
    NoSuchCut {
        /// The cut asked for.
        cut: Cut,
        /// The network's last cut.
        last: Cut,
    },
    /// What should run the network cannot.
    #[error("{accelerator} cannot be used: {reason}")]
    Accelerator {
        /// Which one.
        accelerator: Accelerator,
        /// Why, and what to do.
        reason: String,
    },
    /// At the two ends there is only one side.
    #[error("at cut {cut} all is on one side; cuts between the two ends divide a network")]
    NothingToDivide {
        /// The cut asked for.
        cut: Cut,
    },
    /// An input tensor or a frontier is of another count, type or shape than the network wants.
    #[error("the tensors do not fit the network: {0}")]
    WrongTensors(String),
    /// A frontier holds an infinity or NaN, which the codec cannot write.
    #[error("the frontier holds a value that is not finite, {codec} cannot write it")]
    NotFinite {
        /// The codec.
        codec: Codec,
    },
    /// An encoded frontier's data is corrupt, or of another length than its shape says.
    #[error("the frontier does not decode: {0}")]
    Undecodable(String),
    /// A tensor contradicts itself.
    #[error("a tensor is not valid")]
    Tensor(#[from] TensorError),
    /// The picture cannot be decoded.
    #[error("the picture cannot be decoded")]
    Picture(#[source] image::ImageError),
    /// The picture's header announces more pixels than are accepted.
    #[error("a picture of {width}×{height} pixels is refused, the greatest has {greatest} pixels")]
    PictureTooLarge {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// Most pixels accepted.
        greatest: u64,
    },
    /// The picture is empty or holds another number of bytes than its size says.
    #[error("the picture is refused: {0}")]
    WrongPixels(String),
    /// The computation failed inside the backend.
    #[error("the computation failed: {0}")]
    Computation(String),
}

impl ModelError {
    /// Whether the one who sent the input is at fault, rather than this service or the network's file.
    pub fn is_callers_fault(&self) -> bool {
        matches!(
            self,
            Self::NoSuchCut { .. }
                | Self::NothingToDivide { .. }
                | Self::WrongTensors(_)
                | Self::Undecodable(_)
                | Self::Tensor(_)
                | Self::Picture(_)
                | Self::PictureTooLarge { .. }
                | Self::WrongPixels(_)
        )
    }
}
