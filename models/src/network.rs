//! A network ready to run, whole or cut.

use std::sync::Arc;

use burn_backend::TensorData;
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::DispatchDevice;
use burn_dispatch::devices::FlexDevice;
use schemas::{
    ByteCount, Cut, CutDescription, DataType, Digest, ModelDescription, ModelName, Tensor, TensorSignature,
};

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::graph::{Graph, ValueId, import};
use crate::operators::{B, Primitive};

/// What a network runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Device {
    /// This machine's processor, on rayon's threads.
    #[default]
    Cpu,
}

impl Device {
    fn of_burn(self) -> DispatchDevice {
        match self {
            Self::Cpu => DispatchDevice::Flex(FlexDevice),
        }
    }
}

/// A network ready to run. Clones share everything; any number of threads may run it at once.
#[derive(Debug, Clone)]
pub struct Network(Arc<Loaded>);

#[derive(Debug)]
struct Loaded {
    graph: Graph,
    device: DispatchDevice,
    digest: Digest,
    last_cut: Cut,
}

impl Network {
    /// Parses the bundle's ONNX file, folds its constants and runs it once. Takes as long as a few inferences.
    ///
    /// # Errors
    /// When the file is corrupt, uses an operator or a setting that we lack, or takes pictures of another size
    /// than the bundle's preprocessing makes.
    pub fn load(bundle: &Bundle, device: Device) -> Result<Self, ModelError> {
        let device = device.of_burn();
        let file = format!("{}/model.onnx", bundle.name());
        let pictures = bundle.preprocessing();
        let plane = [pictures.height as usize, pictures.width as usize];
        let graph = import::import(bundle.onnx(), &file, plane, &device)?;
        let input = &graph.values[0].shape;
        if input[2..] != plane {
            return Err(ModelError::Bundle(format!(
                "{file} takes pictures of {}×{}, model.toml makes them {}×{}; set width and height there",
                input[3], input[2], plane[1], plane[0]
            )));
        }
        let last_cut = u16::try_from(graph.wiring.last_cut())
            .map(Cut)
            .map_err(|_| ModelError::Bundle("the network has more than 65 535 nodes".to_owned()))?;
        Ok(Self(Arc::new(Loaded { graph, device, digest: bundle.digest().clone(), last_cut })))
    }

    /// The cut with every node in the head.
    pub fn last_cut(&self) -> Cut {
        self.0.last_cut
    }

    /// Says what it is and where it can be cut.
    pub fn describe(&self, name: &ModelName, labels: &[String]) -> ModelDescription {
        let graph = &self.0.graph;
        ModelDescription {
            name: name.clone(),
            digest: self.0.digest.clone(),
            input: self.signature(0),
            output: self.signature(graph.output),
            labels: labels.to_vec(),
            cuts: (0..=self.0.last_cut.0).map(|cut| self.describe_cut(cut)).collect(),
        }
    }

    fn describe_cut(&self, cut: u16) -> CutDescription {
        let graph = &self.0.graph;
        let place = usize::from(cut);
        let last = cut == self.0.last_cut.0;
        let values = if last { Vec::new() } else { graph.wiring.frontier(place) };
        let elements: usize = values.iter().map(|value| self.elements(*value)).sum();
        // The input crosses as the picture's pixels, a byte each; all else as f32.
        let bytes = if place == 0 { elements } else { elements * DataType::F32.size() };
        let (before, after) = graph.nodes.split_at(place);
        CutDescription {
            cut: Cut(cut),
            name: match before.last() {
                None => "input".to_owned(),
                Some(_) if last => "output".to_owned(),
                Some(node) => node.name.clone(),
            },
            frontier: values.iter().map(|value| self.signature(*value)).collect(),
            bytes: ByteCount(bytes as u64),
            macs_before: before.iter().map(|node| node.macs).sum(),
            macs_after: after.iter().map(|node| node.macs).sum(),
        }
    }

    /// The tensors that cross a cut, in the order of [`Network::head`]: what [`crate::codec::decode`] expects.
    ///
    /// # Errors
    /// When there is no such cut.
    pub fn frontier(&self, cut: Cut) -> Result<Vec<TensorSignature>, ModelError> {
        let values = self.0.graph.wiring.frontier(self.place(cut)?);
        Ok(values.into_iter().map(|value| self.signature(value)).collect())
    }

    fn elements(&self, value: ValueId) -> usize {
        self.0.graph.values[value].shape.iter().product()
    }

    fn signature(&self, value: ValueId) -> TensorSignature {
        let info = &self.0.graph.values[value];
        let shape = info.shape.iter().map(|side| *side as u64).collect();
        TensorSignature { name: info.name.clone(), data_type: DataType::F32, shape }
    }

    /// Runs the nodes before a cut and gives the tensors that cross it, in the order of its description.
    /// At cut 0 that is the input itself, at the last cut the network's output.
    ///
    /// # Errors
    /// When there is no such cut, or the input is not 1 × C × H × W `f32` as described.
    pub fn head(&self, cut: Cut, input: &Tensor<'_>) -> Result<Vec<Tensor<'static>>, ModelError> {
        let place = self.place(cut)?;
        let frontier = self.0.graph.wiring.frontier(place);
        let given = self.take(&[0], std::slice::from_ref(input))?;
        let made = self.0.graph.run(0..place, given, &frontier)?;
        frontier.iter().zip(made).map(|(value, tensor)| self.give(*value, tensor)).collect()
    }

    /// Runs the nodes after a cut on what [`Network::head`] of the same cut gave.
    ///
    /// # Errors
    /// When there is no such cut, or the frontier's count, types or shapes are not as described; nothing is
    /// allocated for it then.
    pub fn tail(&self, cut: Cut, frontier: &[Tensor<'_>]) -> Result<Tensor<'static>, ModelError> {
        let place = self.place(cut)?;
        let graph = &self.0.graph;
        let given = self.take(&graph.wiring.frontier(place), frontier)?;
        let made = graph.run(place..graph.nodes.len(), given, &[graph.output])?;
        let output = made.into_iter().next();
        self.give(graph.output, output.ok_or_else(|| ModelError::Computation("no output".to_owned()))?)
    }

    /// Runs the whole network.
    ///
    /// # Errors
    /// When the input is not 1 × C × H × W `f32` as described.
    pub fn run(&self, input: &Tensor<'_>) -> Result<Tensor<'static>, ModelError> {
        self.tail(Cut::ALL_CLOUD, std::slice::from_ref(input))
    }

    fn place(&self, cut: Cut) -> Result<usize, ModelError> {
        let last = self.0.last_cut;
        if cut > last { Err(ModelError::NoSuchCut { cut, last }) } else { Ok(usize::from(cut.0)) }
    }

    fn take(
        &self,
        values: &[ValueId],
        tensors: &[Tensor<'_>],
    ) -> Result<Vec<(ValueId, Primitive)>, ModelError> {
        if values.len() != tensors.len() {
            let reason = format!("{} tensors where {} are expected", tensors.len(), values.len());
            return Err(ModelError::WrongTensors(reason));
        }
        for (value, tensor) in values.iter().zip(tensors) {
            let expected = self.signature(*value);
            if tensor.data_type() != expected.data_type || tensor.shape() != expected.shape {
                let (kind, shape) = (tensor.data_type(), tensor.shape());
                return Err(ModelError::WrongTensors(format!(
                    "{} is {kind:?} {shape:?} where {:?} {:?} is expected",
                    expected.name, expected.data_type, expected.shape
                )));
            }
        }
        let convert = |(value, tensor): (&ValueId, &Tensor<'_>)| {
            let shape = self.0.graph.values[*value].shape.clone();
            let data = TensorData::new(tensor.to_f32()?, shape);
            Ok((*value, B::float_from_data(data, &self.0.device)))
        };
        values.iter().zip(tensors).map(convert).collect()
    }

    fn give(&self, value: ValueId, tensor: Primitive) -> Result<Tensor<'static>, ModelError> {
        let fault = |e: &dyn std::fmt::Display| ModelError::Computation(e.to_string());
        let data = burn_backend::try_read_sync(B::float_into_data(tensor))
            .ok_or_else(|| fault(&"the device gives its data asynchronously only"))?
            .map_err(|e| fault(&e))?;
        let shape = self.signature(value).shape;
        Ok(Tensor::from_f32(shape, data.as_slice::<f32>().map_err(|e| fault(&e))?)?)
    }
}
