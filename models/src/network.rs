//! A network ready to run, whole or cut.

use std::sync::Arc;

use schemas::{
    Accelerator, ByteCount, Cut, CutDescription, DataType, Digest, ModelDescription, ModelName, Tensor,
    TensorSignature,
};

use crate::bundle::Bundle;
use crate::engine::{self, Engine, Loaded, Part, Timed};
use crate::error::ModelError;
use crate::graph::{Graph, ValueId, file};
use crate::pruning;
use crate::split::{self, Halves};

/// Most pictures of one run: activations take a picture's memory times this, and nobody waits for more.
pub const GREATEST_BATCH: usize = 64;

/// A network ready to run. Clones share everything; any number of threads may run it at once.
#[derive(Debug, Clone)]
pub struct Network(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    graph: Arc<Graph>,
    engine: Box<dyn Engine>,
    accelerator: Accelerator,
    digest: Digest,
    last_cut: Cut,
}

impl Network {
    /// Parses the bundle's ONNX file, folds its constants and runs it once. Takes as long as a few inferences.
    ///
    /// # Errors
    /// When the file is corrupt, uses an operator or a setting that we lack, or takes pictures of another size
    /// than the bundle's preprocessing makes; when the accelerator is not there or not built in.
    pub fn load(bundle: &Bundle, accelerator: Accelerator) -> Result<Self, ModelError> {
        let network = Self::new(bundle, accelerator, engine::load(bundle, accelerator)?)?;
        let (input, pictures) = (&network.0.graph.values[0].shape, bundle.preprocessing());
        let plane = [pictures.height as usize, pictures.width as usize];
        if input[2..] != plane {
            let name = bundle.name();
            return Err(ModelError::Bundle(format!(
                "{name}/model.onnx takes pictures of {}×{}, model.toml makes them {}×{}; set width and height there",
                input[3], input[2], plane[1], plane[0]
            )));
        }
        Ok(network)
    }

    /// The same network on another accelerator. Where that leaves the graph as it is, the two share it.
    ///
    /// # Errors
    /// As [`Network::load`], and when the bundle is another one.
    pub fn load_beside(&self, bundle: &Bundle, accelerator: Accelerator) -> Result<Self, ModelError> {
        self.check_digest(bundle)?;
        Self::new(bundle, accelerator, engine::load_beside(&self.0.graph, bundle, accelerator)?)
    }

    fn new(bundle: &Bundle, accelerator: Accelerator, loaded: Loaded) -> Result<Self, ModelError> {
        let Loaded { graph, engine } = loaded;
        let last_cut = u16::try_from(graph.wiring.last_cut())
            .map(Cut)
            .map_err(|_| ModelError::Bundle("the network has more than 65 535 nodes".to_owned()))?;
        Ok(Self(Arc::new(Inner { graph, engine, accelerator, digest: bundle.digest().clone(), last_cut })))
    }

    /// What runs it.
    pub fn accelerator(&self) -> Accelerator {
        self.0.accelerator
    }

    /// The cut with every node in the head.
    pub fn last_cut(&self) -> Cut {
        self.0.last_cut
    }

    /// Says what it is and where it can be cut.
    pub fn describe(&self, name: &ModelName, labels: &[String]) -> ModelDescription {
        let graph = &self.0.graph;
        let mut cuts: Vec<CutDescription> =
            (0..=self.0.last_cut.0).map(|cut| self.describe_cut(cut)).collect();
        for dominated in pruning::dominated(&cuts) {
            cuts[usize::from(dominated.cut.0)].dominated_by = Some(dominated.by);
        }
        ModelDescription {
            name: name.clone(),
            digest: self.0.digest.clone(),
            input: self.signature(0),
            output: self.signature(graph.output),
            labels: labels.to_vec(),
            cuts,
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
            parameters_before: graph.parameters[..place].iter().sum(),
            parameters_after: graph.parameters[place..].iter().sum(),
            dominated_by: None,
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
    /// The input may hold up to [`GREATEST_BATCH`] pictures, one after the other; what is made then holds as many along
    /// the axis along which a picture's values lie in it.
    ///
    /// # Errors
    /// When there is no such cut, the input is not N × C × H × W `f32` with C, H, W as described, or the network cannot
    /// keep several pictures apart at this cut.
    pub fn head(&self, cut: Cut, input: &Tensor<'_>) -> Result<Vec<Tensor<'static>>, ModelError> {
        match self.head_part(cut, input)? {
            None => Ok(vec![owned(input)?]),
            Some(part) => self.0.engine.run(part, std::slice::from_ref(input)),
        }
    }

    /// As [`Network::head`], with the time of each layer before the cut. That costs a little time.
    ///
    /// # Errors
    /// As [`Network::head`].
    pub fn head_timed(
        &self,
        cut: Cut,
        input: &Tensor<'_>,
    ) -> Result<Timed<Vec<Tensor<'static>>>, ModelError> {
        match self.head_part(cut, input)? {
            None => Ok(Timed { made: vec![owned(input)?], layers: Some(Vec::new()) }),
            Some(part) => self.0.engine.run_timed(part, std::slice::from_ref(input)),
        }
    }

    /// What a head is; nothing at cut 0.
    fn head_part(&self, cut: Cut, input: &Tensor<'_>) -> Result<Option<Part>, ModelError> {
        let place = self.place(cut)?;
        self.pictures(&[0], std::slice::from_ref(input))?;
        Ok(match place {
            0 => None,
            place if cut == self.0.last_cut => {
                debug_assert_eq!(place, self.0.graph.nodes.len());
                Some(Part::Whole)
            }
            place => Some(Part::Head(place)),
        })
    }

    /// Runs the nodes after a cut on what [`Network::head`] of the same cut gave, of one picture or several.
    ///
    /// # Errors
    /// When there is no such cut, or the frontier's count, types or shapes are not as described; nothing is
    /// allocated for it then.
    pub fn tail(&self, cut: Cut, frontier: &[Tensor<'_>]) -> Result<Tensor<'static>, ModelError> {
        match self.tail_part(cut, frontier)? {
            None => kept(frontier),
            Some(part) => output(self.0.engine.run(part, frontier)?),
        }
    }

    /// As [`Network::tail`], with the time of each layer after the cut. That costs a little time.
    ///
    /// # Errors
    /// As [`Network::tail`].
    pub fn tail_timed(
        &self,
        cut: Cut,
        frontier: &[Tensor<'_>],
    ) -> Result<Timed<Tensor<'static>>, ModelError> {
        let Some(part) = self.tail_part(cut, frontier)? else {
            return Ok(Timed { made: kept(frontier)?, layers: Some(Vec::new()) });
        };
        let Timed { made, layers } = self.0.engine.run_timed(part, frontier)?;
        Ok(Timed { made: output(made)?, layers })
    }

    /// What a tail is; nothing at the last cut.
    fn tail_part(&self, cut: Cut, frontier: &[Tensor<'_>]) -> Result<Option<Part>, ModelError> {
        let place = self.place(cut)?;
        self.pictures(&self.0.graph.wiring.frontier(place), frontier)?;
        Ok(match place {
            0 => Some(Part::Whole),
            _ if cut == self.0.last_cut => None,
            place => Some(Part::Tail(place)),
        })
    }

    /// Runs the whole network.
    ///
    /// # Errors
    /// As [`Network::tail`].
    pub fn run(&self, input: &Tensor<'_>) -> Result<Tensor<'static>, ModelError> {
        self.tail(Cut::ALL_CLOUD, std::slice::from_ref(input))
    }

    /// Writes head and tail of a cut between the two ends as two ONNX files, made of the bundle's.
    ///
    /// # Errors
    /// When there is no such cut or it is one of the two ends, when the bundle is another one than was loaded, or its
    /// file cannot be read any more.
    pub fn halves(&self, bundle: &Bundle, cut: Cut) -> Result<Halves, ModelError> {
        let place = self.place(cut)?;
        self.check_digest(bundle)?;
        split::halves(file::parse(bundle.source(), bundle.name().as_str())?, &self.0.graph, place)
    }

    fn check_digest(&self, bundle: &Bundle) -> Result<(), ModelError> {
        if *bundle.digest() != self.0.digest {
            return Err(ModelError::WrongDigest {
                file: format!("{}/model.onnx", bundle.name()),
                expected: self.0.digest.to_string(),
                actual: bundle.digest().to_string(),
            });
        }
        Ok(())
    }

    fn place(&self, cut: Cut) -> Result<usize, ModelError> {
        let last = self.0.last_cut;
        if cut > last { Err(ModelError::NoSuchCut { cut, last }) } else { Ok(usize::from(cut.0)) }
    }

    /// How many pictures tensors hold that cross a cut: all of them as many.
    fn pictures(&self, values: &[ValueId], tensors: &[Tensor<'_>]) -> Result<usize, ModelError> {
        if values.len() != tensors.len() {
            let reason = format!("{} tensors where {} are expected", tensors.len(), values.len());
            return Err(ModelError::WrongTensors(reason));
        }
        let mut pictures = None;
        for (value, tensor) in values.iter().zip(tensors) {
            let expected = self.signature(*value);
            let held = self.0.graph.values[*value].pictures(&sides(tensor));
            let held = held.filter(|_| tensor.data_type() == expected.data_type).ok_or_else(|| {
                let (kind, shape) = (tensor.data_type(), tensor.shape());
                ModelError::WrongTensors(format!(
                    "{} is {kind:?} {shape:?} where {:?} {:?} is expected",
                    expected.name, expected.data_type, expected.shape
                ))
            })?;
            if *pictures.get_or_insert(held) != held {
                let name = expected.name;
                return Err(ModelError::WrongTensors(format!("{name} holds {held} pictures, others do not")));
            }
        }
        Ok(pictures.unwrap_or(1))
    }
}

/// The one tensor that a tail makes.
fn output(made: Vec<Tensor<'static>>) -> Result<Tensor<'static>, ModelError> {
    made.into_iter().next().ok_or_else(|| ModelError::Computation("no output".to_owned()))
}

/// The frontier of the last cut, which is the network's output.
fn kept(frontier: &[Tensor<'_>]) -> Result<Tensor<'static>, ModelError> {
    frontier.first().map(owned).unwrap_or_else(|| output(Vec::new()))
}

/// A tensor of its own, in `f32`.
fn owned(tensor: &Tensor<'_>) -> Result<Tensor<'static>, ModelError> {
    Ok(Tensor::from_f32(tensor.shape().to_vec(), &tensor.to_f32()?)?)
}

/// A tensor's shape; sides beyond this machine's numbers fit no network.
fn sides(tensor: &Tensor<'_>) -> Vec<usize> {
    tensor.shape().iter().map(|side| usize::try_from(*side).unwrap_or(usize::MAX)).collect()
}
