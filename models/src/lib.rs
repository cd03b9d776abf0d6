//! ONNX networks on Burn: loaded at run time, run whole or cut in two.
//!
//! A [`Bundle`] is a network's files (ONNX, preprocessing, labels). [`Network::load`] turns it into a
//! [`Network`], which lists its cuts ([`Network::describe`]) and runs the [`head`](Network::head) before and
//! the [`tail`](Network::tail) after any of them. [`preprocess`] makes the input tensor of a picture,
//! [`classify`] the classes of an output. [`codec`] writes what crosses a cut for the wire.
//!
//! Everything here computes on the calling thread (and rayon's pool) and blocks it: asynchronous callers
//! bring a thread of their own. To compute on one thread only, call from inside a one-thread
//! `rayon::ThreadPool::install`.

mod bundle;
mod classification;
pub mod codec;
mod cuts;
mod engine;
mod error;
mod graph;
mod guard;
mod kernels;
mod network;
mod operators;
mod preprocessing;
mod preset;
mod pruning;
mod source;
mod split;

pub use bundle::{Bundle, GREATEST_ONNX_BYTES};
pub use classification::{GREATEST_CLASSES_LISTED, classify};
pub use engine::Timed;
pub use error::ModelError;
pub use network::{GREATEST_BATCH, Network};
pub use preprocessing::{Channels, GREATEST_PICTURE_PIXELS, Preprocessing, preprocess};
pub use preset::{Preset, UnknownPreset};
pub use pruning::{DominatedCut, dominated};
pub use schemas::Accelerator;
pub use split::Halves;
