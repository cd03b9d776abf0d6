//! The network that ships with Splinter: labelled pictures drawn from a seed, the program that trains on them
//! (feature `train`), and the bundle that came out of it.
//!
//! Without the feature `train` this crate has no dependency at all.

pub mod pictures;
#[cfg(feature = "train")]
pub mod train;

/// The classes' names, in the order of the network's output.
pub const CLASS_NAMES: [&str; 10] =
    ["circle", "square", "triangle", "star", "cross", "ring", "stripes", "checkerboard", "dots", "spiral"];

/// The shipped bundle's files, as they lie in `bundle/`.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedBundle {
    /// `model.toml`: name, digests, preprocessing.
    pub model_toml: &'static str,
    /// The network.
    pub onnx: &'static [u8],
    /// The classes' names, one a line.
    pub labels: &'static str,
}

/// The shipped bundle, embedded into the program.
pub fn bundle() -> EmbeddedBundle {
    EmbeddedBundle {
        model_toml: include_str!("../bundle/model.toml"),
        onnx: include_bytes!("../bundle/model.onnx"),
        labels: include_str!("../bundle/labels.txt"),
    }
}
