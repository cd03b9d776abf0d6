//! From an ONNX file to a [`Graph`].
//!
//! Every node is run once on an input of zeros while it is imported: that gives every value's shape, shows
//! that the backend can run it, and folds what depends on constants only.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn_backend::ops::FloatTensorOps;
use burn_dispatch::DispatchDevice;
use onnx_ir::{Argument, Message, ModelProto, OnnxGraph, OnnxGraphBuilder, TensorData, TensorDataExt};

use super::convert::{self, Converted};
use super::names::{self, Names};
use super::{Graph, Node, Operand, ValueId, ValueInfo, message_of};
use crate::error::ModelError;
use crate::operators::{B, Operator, Primitive, shape_of};

/// Most elements of one value: 1 GB of `f32`, far beyond any network for the edge.
pub(crate) const GREATEST_ELEMENTS: usize = 1 << 28;

/// What is known of a name while importing.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Value(ValueId),
    Floats(Primitive),
    Integers(Vec<i64>),
}

/// The shape of the network's input for a batch of one.
pub(crate) fn input_shape(onnx: &[u8], file: &str) -> Result<Vec<u64>, ModelError> {
    guarded(file, || {
        let model = parse(onnx, file)?;
        let input = real_input(&model).ok_or_else(|| refused(file, "it has no input"))?;
        Ok(input_dimensions(&model, input).into_iter().map(|side| side.max(1)).collect())
    })
}

/// Parses an ONNX file and makes it ready to run.
///
/// # Errors
/// When the file is corrupt or uses what we lack; a panic of the parser counts as corrupt.
pub(crate) fn import(onnx: &[u8], file: &str, device: &DispatchDevice) -> Result<Graph, ModelError> {
    guarded(file, || {
        let mut model = parse(onnx, file)?;
        fix_batch(&mut model);
        let bytes = model.write_to_bytes().map_err(|e| refused(file, &e.to_string()))?;
        // Our own folding below does what is needed and keeps the file's nodes, so that they can be cut.
        let graph = OnnxGraphBuilder::new()
            .simplify(false)
            .parse_bytes(&bytes)
            .map_err(|e| refused(file, &e.to_string()))?;
        drop(bytes);
        let names = names::of_file(&model, &graph);
        Importer::new(&graph, names, file, device)?.import(&graph)
    })
}

fn guarded<T>(file: &str, work: impl FnOnce() -> Result<T, ModelError>) -> Result<T, ModelError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(refused(file, &message_of(panic.as_ref()))))
}

fn refused(file: &str, reason: &str) -> ModelError {
    ModelError::Onnx { file: file.to_owned(), reason: reason.to_owned() }
}

fn parse(onnx: &[u8], file: &str) -> Result<ModelProto, ModelError> {
    let model = ModelProto::parse_from_bytes(onnx).map_err(|e| refused(file, &e.to_string()))?;
    if model.graph.node.is_empty() {
        return Err(refused(file, "it holds no graph"));
    }
    Ok(model)
}

/// The first input that is no initializer (old files list those as inputs too).
fn real_input(model: &ModelProto) -> Option<usize> {
    let is_weight = |name: &str| model.graph.initializer.iter().any(|tensor| tensor.name == name);
    model.graph.input.iter().position(|input| !is_weight(&input.name))
}

fn input_dimensions(model: &ModelProto, input: usize) -> Vec<u64> {
    let shape = &model.graph.input[input].type_.tensor_type().shape;
    shape.dim.iter().map(|side| u64::try_from(side.dim_value()).unwrap_or(0)).collect()
}

/// A batch of one: free dimensions of the input become 1, and what the file says of other shapes is dropped.
fn fix_batch(model: &mut ModelProto) {
    let Some(input) = real_input(model) else { return };
    let Some(graph) = model.graph.as_mut() else { return };
    graph.value_info.clear();
    let Some(kind) = graph.input[input].type_.as_mut() else { return };
    if let Some(shape) = kind.mut_tensor_type().shape.as_mut() {
        for side in &mut shape.dim {
            if side.dim_value() < 1 {
                side.set_dim_value(1);
            }
        }
    }
}

pub(crate) struct Importer<'a> {
    pub(crate) file: &'a str,
    pub(crate) device: &'a DispatchDevice,
    known: HashMap<String, Known>,
    /// What the file calls things, by the parser's name of the output.
    names: HashMap<String, Names>,
    nodes: Vec<Node>,
    values: Vec<ValueInfo>,
    /// What each value is for an input of zeros.
    traces: Vec<Primitive>,
    /// How many operands read each name.
    readers: HashMap<String, usize>,
}

impl<'a> Importer<'a> {
    fn new(
        graph: &OnnxGraph,
        names: HashMap<String, Names>,
        file: &'a str,
        device: &'a DispatchDevice,
    ) -> Result<Self, ModelError> {
        let [input] = graph.inputs.as_slice() else {
            return Err(refused(file, &format!("it has {} inputs, one is supported", graph.inputs.len())));
        };
        let shape = input.ty.static_shape_known().unwrap_or_default();
        let elements = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
        let elements = elements.filter(|n| (1..=GREATEST_ELEMENTS).contains(n));
        let (4, Some(elements)) = (shape.len(), elements) else {
            return Err(refused(file, &format!("its input {} is not N×C×H×W with known C, H, W", input.ty)));
        };
        let zeros = TensorData::new(vec![0.0_f32; elements], shape.clone());
        let mut readers = HashMap::new();
        let read = graph.nodes.iter().flat_map(|node| node.inputs()).chain(&graph.outputs);
        for argument in read {
            *readers.entry(argument.name.clone()).or_default() += 1;
        }
        Ok(Self {
            file,
            device,
            names,
            known: HashMap::from([(input.name.clone(), Known::Value(0))]),
            nodes: Vec::new(),
            values: vec![ValueInfo { name: input.name.clone(), shape }],
            traces: vec![B::float_from_data(zeros, device)],
            readers,
        })
    }

    fn import(mut self, graph: &OnnxGraph) -> Result<Graph, ModelError> {
        let [output] = graph.outputs.as_slice() else {
            return Err(self.refused(&format!("it has {} outputs, one is supported", graph.outputs.len())));
        };
        for node in &graph.nodes {
            self.import_node(node)?;
        }
        match self.known.get(&output.name) {
            Some(Known::Value(value)) if *value > 0 => {
                let value = *value;
                Ok(Graph::new(self.nodes, self.values, value))
            }
            _ => Err(self.refused("its output does not depend on its input")),
        }
    }

    fn refused(&self, reason: &str) -> ModelError {
        refused(self.file, reason)
    }

    fn import_node(&mut self, node: &onnx_ir::Node) -> Result<(), ModelError> {
        if matches!(node, onnx_ir::Node::Constant(_)) {
            return Ok(()); // read through the arguments that name it
        }
        let (name, file) = (self.name_of(node), self.file);
        let lacking = |reason: &str| ModelError::Unsupported {
            operator: node.node_type().to_string(),
            node: name.clone(),
            file: file.to_owned(),
            reason: reason.to_owned(),
        };
        // Dropout's mask and the like: fine as long as nobody reads them.
        if node.outputs().iter().skip(1).any(|output| self.readers.contains_key(&output.name)) {
            return Err(lacking("more than one output"));
        }
        let Some(output) = node.outputs().first() else {
            return Err(lacking("no output"));
        };
        let converted = convert::convert(self, node).map_err(|reason| lacking(&reason))?;
        let known = match converted {
            Converted::Known(known) => known,
            Converted::Apply(operator, operands) => self.apply(node, &output.name, operator, operands)?,
        };
        self.known.insert(output.name.clone(), known);
        Ok(())
    }

    /// Runs the operator on the traces; adds a node, unless all operands are constants.
    fn apply(
        &mut self,
        node: &onnx_ir::Node,
        output: &str,
        operator: Operator,
        operands: Vec<Operand>,
    ) -> Result<Known, ModelError> {
        let tensors: Vec<Primitive> = operands.iter().map(|operand| self.trace(operand).clone()).collect();
        let shapes: Vec<Vec<usize>> = tensors.iter().map(shape_of).collect();
        let made = catch_unwind(AssertUnwindSafe(|| operator.run(tensors)))
            .map_err(|panic| {
                self.refused(&format!("node {:?}: {}", self.name_of(node), message_of(panic.as_ref())))
            })?
            .map_err(|_| {
                self.refused(&format!("node {:?} has a wrong number of operands", self.name_of(node)))
            })?;
        let shape = shape_of(&made);
        if shape.iter().product::<usize>() > GREATEST_ELEMENTS {
            return Err(self.refused(&format!("node {:?} makes a tensor of {shape:?}", self.name_of(node))));
        }
        if !operands.iter().any(|operand| matches!(operand, Operand::Value(_))) {
            return Ok(Known::Floats(made));
        }
        let macs = operator.macs(&shapes, &shape);
        let value = self.names.get(output).map_or(output, |names| &names.output).to_owned();
        self.nodes.push(Node { name: self.name_of(node), operator, operands, macs });
        self.values.push(ValueInfo { name: value, shape });
        self.traces.push(made);
        Ok(Known::Value(self.values.len() - 1))
    }

    fn name_of(&self, node: &onnx_ir::Node) -> String {
        let names = node.outputs().first().and_then(|output| self.names.get(&output.name));
        names.map_or(node.name(), |names| &names.node).to_owned()
    }

    /// What an operand is for an input of zeros.
    pub(crate) fn trace<'b>(&'b self, operand: &'b Operand) -> &'b Primitive {
        match operand {
            Operand::Value(value) => &self.traces[*value],
            Operand::Constant(tensor) => tensor,
        }
    }

    /// What is known of an argument; `None` when it is left out.
    pub(crate) fn look_up(&self, argument: &Argument) -> Result<Option<Known>, String> {
        if argument.is_optional() {
            return Ok(None);
        }
        if let Some(known) = self.known.get(&argument.name) {
            return Ok(Some(known.clone()));
        }
        let data = argument.value().ok_or_else(|| format!("{:?} is not known", argument.name))?;
        self.constant(&data).map(Some)
    }

    fn constant(&self, data: &TensorData) -> Result<Known, String> {
        let kind = data.dtype();
        let fault = |e: &dyn std::fmt::Display| format!("a constant of {kind:?} cannot be read: {e}");
        if kind.is_float() {
            let values = data.to_f32_vec().map_err(|e| fault(&e))?;
            let shape = data.shape().as_slice().to_vec();
            // Burn has no tensors of rank 0.
            let shape = if shape.is_empty() { vec![1] } else { shape };
            Ok(Known::Floats(B::float_from_data(TensorData::new(values, shape), self.device)))
        } else {
            Ok(Known::Integers(data.to_i64_vec().map_err(|e| fault(&e))?))
        }
    }

    /// The convolution that made a value, if nobody else reads what it made: a normalisation can be folded
    /// into it.
    pub(crate) fn sole_convolution(&mut self, argument: &Argument, value: ValueId) -> Option<&mut Node> {
        let alone = self.readers.get(&argument.name) == Some(&1);
        let node = self.nodes.get_mut(value.checked_sub(1)?)?;
        (alone && matches!(node.operator, Operator::Convolution(_))).then_some(node)
    }
}
