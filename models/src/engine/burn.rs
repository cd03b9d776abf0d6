//! Burn, on a device chosen when a network is loaded.

use std::sync::Arc;

use burn_backend::TensorData;
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::DispatchDevice;
use burn_dispatch::devices::FlexDevice;
use schemas::{Accelerator, Tensor};

use super::{Engine, Loaded, Part, not_built_in};
use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::graph::{Graph, ValueId, import};
use crate::operators::{B, Primitive, shape_of};

/// Runs a graph node by node.
#[derive(Debug)]
struct Burn {
    graph: Arc<Graph>,
    device: DispatchDevice,
}

pub(super) fn load(bundle: &Bundle, accelerator: Accelerator) -> Result<Loaded, ModelError> {
    let device = device(accelerator)?;
    let pictures = bundle.preprocessing();
    let plane = [pictures.height as usize, pictures.width as usize];
    let file = format!("{}/model.onnx", bundle.name());
    let graph = Arc::new(import::import(bundle.source(), &file, plane, &device)?);
    Ok(Loaded { graph: graph.clone(), engine: Box::new(Burn { graph, device }) })
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

impl Engine for Burn {
    fn run(&self, part: Part, given: &[Tensor<'_>]) -> Result<Vec<Tensor<'static>>, ModelError> {
        let graph = &self.graph;
        let (nodes, takes, gives) = match part {
            Part::Whole => (0..graph.nodes.len(), vec![0], vec![graph.output]),
            Part::Head(place) => (0..place, vec![0], graph.wiring.frontier(place)),
            Part::Tail(place) => (place..graph.nodes.len(), graph.wiring.frontier(place), vec![graph.output]),
        };
        let read = |(value, tensor): (ValueId, &Tensor<'_>)| {
            let shape: Vec<usize> = tensor.shape().iter().map(|side| *side as usize).collect();
            let data = TensorData::new(tensor.to_f32()?, shape);
            Ok((value, B::float_from_data(data, &self.device)))
        };
        let given = takes.into_iter().zip(given).map(read).collect::<Result<_, ModelError>>()?;
        graph.run(nodes, given, &gives)?.into_iter().map(written).collect()
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
