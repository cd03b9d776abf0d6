//! What runs a network's nodes: the processor or a graphics processor with Burn, or another runtime.

mod burn;
#[cfg(feature = "onnxruntime")]
mod onnx_runtime;

use std::fmt::Debug;
use std::sync::Arc;

use schemas::{Accelerator, Millis, Tensor};

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::graph::Graph;

/// A part of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The nodes before a place between the two ends.
    Head(usize),
    /// The nodes from a place between the two ends on.
    Tail(usize),
}

/// Runs parts of one network. Any number of threads may ask at once.
pub(crate) trait Engine: Debug + Send + Sync {
    /// Takes what crosses into a part, of the shapes and types described, and gives what crosses out of it, in order.
    /// Computes on as many threads as rayon's pool around it has.
    fn run(&self, part: Part, given: &[Tensor<'_>]) -> Result<Vec<Tensor<'static>>, ModelError>;

    /// The same, and the time of each node, in order; `None` by an engine that cannot tell. Nodes that are computed at once
    /// count as the first of them.
    fn run_timed(&self, part: Part, given: &[Tensor<'_>]) -> Result<Timed<Vec<Tensor<'static>>>, ModelError> {
        Ok(Timed { made: self.run(part, given)?, layers: None })
    }
}

/// What a part of a network made, and how long each of its layers took.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed<T> {
    /// What it made.
    pub made: T,
    /// The time between each cut and the next, in order; `None` where what runs it cannot tell. Layers that are computed at
    /// once count as the first of them.
    pub layers: Option<Vec<Millis>>,
}

/// A network on an accelerator: its graph and what runs it.
pub(crate) struct Loaded {
    pub(crate) graph: Arc<Graph>,
    pub(crate) engine: Box<dyn Engine>,
}

/// Loads a network.
///
/// # Errors
/// When the file cannot be used, or the accelerator is not there or was not built in.
pub(crate) fn load(bundle: &Bundle, accelerator: Accelerator) -> Result<Loaded, ModelError> {
    match accelerator {
        Accelerator::OnnxRuntime => {
            // Its graph says where the network can be cut.
            let Loaded { graph, .. } = burn::load(bundle, Accelerator::Cpu)?;
            on_onnx_runtime(bundle, graph)
        }
        _ => burn::load(bundle, accelerator),
    }
}

/// The same network, whose graph is known, on another accelerator.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_beside(
    graph: &Arc<Graph>,
    bundle: &Bundle,
    accelerator: Accelerator,
) -> Result<Loaded, ModelError> {
    match accelerator {
        Accelerator::OnnxRuntime => on_onnx_runtime(bundle, graph.clone()),
        _ => burn::load(bundle, accelerator),
    }
}

#[cfg(feature = "onnxruntime")]
fn on_onnx_runtime(bundle: &Bundle, graph: Arc<Graph>) -> Result<Loaded, ModelError> {
    let engine = onnx_runtime::OnnxRuntime::load(bundle, graph.clone())?;
    Ok(Loaded { graph, engine: Box::new(engine) })
}

#[cfg(not(feature = "onnxruntime"))]
fn on_onnx_runtime(_: &Bundle, _: Arc<Graph>) -> Result<Loaded, ModelError> {
    Err(not_built_in(Accelerator::OnnxRuntime))
}

/// The error for an accelerator whose cargo feature is off.
fn not_built_in(accelerator: Accelerator) -> ModelError {
    ModelError::Accelerator { accelerator, reason: format!("build with --features {accelerator} to have it") }
}
