//! Burn, on a device chosen when a network is loaded.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn_backend::TensorData;
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::DispatchDevice;
use burn_dispatch::devices::FlexDevice;
use schemas::{Accelerator, Millis, Tensor};

use super::{Engine, Loaded, Part, Timed, not_built_in};
use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::graph::{Graph, ValueId, import};
use crate::operators::{B, Primitive, Spare, shape_of};

/// Runs a graph node by node.
#[derive(Debug)]
struct Burn {
    graph: Arc<Graph>,
    device: DispatchDevice,
    /// Whether a node is computed when it is asked for. A graphics processor only takes note of what it is to do, and does it
    /// when the output is read.
    is_prompt: bool,
    /// Of the runs before; a run beside another begins with none.
    spare: Mutex<Spare>,
}

pub(super) fn load(bundle: &Bundle, accelerator: Accelerator) -> Result<Loaded, ModelError> {
    let device = device(accelerator)?;
    let pictures = bundle.preprocessing();
    let plane = [pictures.height as usize, pictures.width as usize];
    let file = format!("{}/model.onnx", bundle.name());
    let graph = Arc::new(import::import(bundle.source(), &file, plane, &device)?);
    let is_prompt = accelerator == Accelerator::Cpu;
    Ok(Loaded {
        graph: graph.clone(),
        engine: Box::new(Burn { graph, device, is_prompt, spare: Mutex::default() }),
    })
}

fn device(accelerator: Accelerator) -> Result<DispatchDevice, ModelError> {
    match accelerator {
        Accelerator::Cpu => Ok(DispatchDevice::Flex(FlexDevice)),
        #[cfg(feature = "wgpu")]
        Accelerator::Wgpu => Ok(burn_dispatch::devices::WgpuDevice::default().into()),
        #[cfg(feature = "cuda")]
        Accelerator::Cuda => Ok(burn_dispatch::devices::CudaDevice::default().into()),
        other => Err(not_built_in(other)),
    }
}

impl Burn {
    /// Runs a part; `done` hears of each node.
    fn run_observed(
        &self,
        part: Part,
        given: &[Tensor<'_>],
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Tensor<'static>>, ModelError> {
        let graph = &self.graph;
        let (takes, gives) = match part {
            Part::Whole => (vec![0], vec![graph.output]),
            Part::Head(place) => (vec![0], graph.wiring.frontier(place)),
            Part::Tail(place) => (graph.wiring.frontier(place), vec![graph.output]),
        };
        let read = |(value, tensor): (ValueId, &Tensor<'_>)| {
            let shape: Vec<usize> = tensor.shape().iter().map(|side| *side as usize).collect();
            let data = TensorData::new(tensor.to_f32()?, shape);
            Ok((value, B::float_from_data(data, &self.device)))
        };
        let given = takes.into_iter().zip(given).map(read).collect::<Result<_, ModelError>>()?;
        let mut spare = self.take_spare();
        let made = graph.run(self.nodes(part), given, &gives, &mut spare, done)?;
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = spare;
        made.into_iter().map(written).collect()
    }

    fn take_spare(&self) -> Spare {
        std::mem::take(&mut *self.spare.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn nodes(&self, part: Part) -> Range<usize> {
        let all = self.graph.nodes.len();
        match part {
            Part::Whole => 0..all,
            Part::Head(place) => 0..place,
            Part::Tail(place) => place..all,
        }
    }
}

impl Engine for Burn {
    fn run(&self, part: Part, given: &[Tensor<'_>]) -> Result<Vec<Tensor<'static>>, ModelError> {
        self.run_observed(part, given, &mut |_| ())
    }

    fn run_timed(&self, part: Part, given: &[Tensor<'_>]) -> Result<Timed<Vec<Tensor<'static>>>, ModelError> {
        if !self.is_prompt {
            return Ok(Timed { made: self.run(part, given)?, layers: None });
        }
        let nodes = self.nodes(part);
        let mut layers = vec![Millis::ZERO; nodes.len()];
        let mut since = Instant::now();
        let made = self.run_observed(part, given, &mut |node| {
            let before = std::mem::replace(&mut since, Instant::now());
            layers[node - nodes.start] = Millis::from(since - before);
        })?;
        Ok(Timed { made, layers: Some(layers) })
    }
}

fn written(tensor: Primitive) -> Result<Tensor<'static>, ModelError> {
    let fault = |e: &dyn std::fmt::Display| ModelError::Computation(e.to_string());
    let shape = shape_of(&tensor).into_iter().map(|side| side as u64).collect();
    let data = burn_backend::try_read_sync(B::float_into_data(tensor))
        .ok_or_else(|| fault(&"the device gives its data asynchronously only"))?
        .map_err(|e| fault(&e))?;
    Ok(Tensor::from_f32(shape, data.as_slice::<f32>().map_err(|e| fault(&e))?)?)
}
