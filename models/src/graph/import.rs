//! From an ONNX file to a [`Graph`].
//!
//! Nodes are taken one by one, in the file's order. What depends on constants only is folded; of all else the
//! operator is run once on an input of zeros, which gives every value's shape and shows that the backend can
//! run it. Convolutions and products with constant weights, nearly all of a network's time, are spared the run where
//! their shapes fit: zeros of the right shape stand in.
//! Shapes are therefore known before a node is looked at, and shape arithmetic (`Shape`, `Gather`,
//! `Concat`, … of whole numbers) is folded like any other constant: that is why nodes are converted from the
//! file's own form and not from the parser's typed one, which infers shapes for the whole network at once.

use std::collections::HashMap;
use std::io::BufRead;

use burn_backend::ops::FloatTensorOps;
use burn_backend::{DType, TensorData};
use burn_dispatch::DispatchDevice;
use onnx_ir::NodeProto;

use super::constant::{Constant, Known, of_one_precision, read, single};
use super::convert::{self, Applied, Converted, NodeView};
use super::file::{File, name_of};
use super::naming::{self, Place, Places};
use super::{Graph, Node, Operand, ValueInfo, fuse};
use crate::error::ModelError;
use crate::guard::guarded;
use crate::operators::{B, Batched, Operator, Primitive, Spare, elements_made, shape_of};
use crate::source::Source;

/// Most elements of one value: 512 MB of `f32`, far beyond any network for the edge.
pub(crate) const GREATEST_ELEMENTS: usize = 1 << 27;

/// The shape of the network's input for a batch of one.
///
/// # Errors
/// When the file is corrupt or leaves a side free.
pub(crate) fn input_shape(onnx: &mut dyn BufRead, name: &str) -> Result<Vec<u64>, ModelError> {
    let file = File::outline(onnx, name)?;
    Ok(input_sides(&file, None)?.into_iter().map(|side| side as u64).collect())
}

/// Parses an ONNX file and makes it ready to run. `plane` is the height and width of the pictures, for files
/// that leave them free.
///
/// # Errors
/// When the file is corrupt or uses what we lack.
pub(crate) fn import(
    onnx: &Source,
    name: &str,
    plane: [usize; 2],
    device: &DispatchDevice,
) -> Result<Graph, ModelError> {
    let file = File::parse(onnx, name)?;
    let shape = input_sides(&file, Some(plane))?;
    Importer::new(file, shape, device)?.import()
}

/// N×C×H×W of the input for a batch of one.
fn input_sides(file: &File<'_>, plane: Option<[usize; 2]>) -> Result<Vec<usize>, ModelError> {
    let sides = file.sides(file.input()?);
    let given = [Some(1), None, plane.map(|plane| plane[0]), plane.map(|plane| plane[1])];
    let filled: Vec<Option<usize>> = sides.iter().zip(given).map(|(side, given)| side.or(given)).collect();
    let known: Option<Vec<usize>> = filled.into_iter().collect();
    let shape = known.filter(|shape| shape.len() == 4 && sides.len() == 4).ok_or_else(|| {
        let text: Vec<String> =
            sides.iter().map(|side| side.map_or("?".to_owned(), |side| side.to_string())).collect();
        file.refused(&format!(
            "its input is {}, pictures are N×C×H×W; export it with fixed channels, height and width",
            if text.is_empty() { "of unknown shape".to_owned() } else { text.join("×") }
        ))
    })?;
    let elements = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    match elements {
        Some(elements) if elements <= GREATEST_ELEMENTS => Ok(shape),
        _ => {
            Err(file
                .refused(&format!("its input {shape:?} is too great, {GREATEST_ELEMENTS} numbers are most")))
        }
    }
}

pub(super) struct Importer<'a> {
    pub(super) opset: i64,
    /// Whether the file leaves the number of pictures free.
    pub(super) any_batch: bool,
    pub(super) device: &'a DispatchDevice,
    file: File<'a>,
    known: HashMap<String, Known>,
    /// How many inputs of nodes (and outputs of the network) read each name.
    pub(super) readers: HashMap<String, usize>,
    /// How many of them are still to come.
    readers_left: HashMap<String, usize>,
    pub(super) nodes: Vec<Node>,
    pub(super) values: Vec<ValueInfo>,
    places: Places,
    /// Where each of the nodes stands.
    pub(super) node_places: Vec<Place>,
    /// See [`Graph::derived`].
    derived: HashMap<String, Constant>,
    /// What each value is for an input of zeros, as long as somebody needs it.
    traces: Vec<Option<Primitive>>,
}

impl<'a> Importer<'a> {
    fn new(file: File<'a>, shape: Vec<usize>, device: &'a DispatchDevice) -> Result<Self, ModelError> {
        let mut file = file;
        let input = file.input()?;
        let any_batch = file.sides(input).first().is_some_and(Option::is_none);
        let input = file.graph.input[input].name.clone();
        let mut known = HashMap::new();
        for tensor in std::mem::take(&mut file.graph.initializer) {
            let name = tensor.name.clone();
            let constant = guarded(|| Constant::from_file(tensor, device))
                .and_then(|constant| constant)
                .map_err(|reason| file.refused(&format!("{reason}; export it again")))?;
            known.insert(name, Known::Constant(constant));
        }
        let zeros = TensorData::new(vec![0.0_f32; shape.iter().product()], shape.clone());
        known.insert(input.clone(), Known::Value { id: 0, kind: DType::F32 });
        let mut readers: HashMap<String, usize> = HashMap::new();
        let read = file.graph.node.iter().flat_map(|node| &node.input);
        for name in read.chain(file.graph.output.iter().map(|output| &output.name)) {
            *readers.entry(name.clone()).or_default() += 1;
        }
        let places = Places::new(&file.graph.node);
        Ok(Self {
            opset: file.opset,
            any_batch,
            device,
            file,
            known,
            readers_left: readers.clone(),
            readers,
            nodes: Vec::new(),
            values: vec![ValueInfo { name: input, shape, kind: DType::F32, batch: Some(0) }],
            places,
            node_places: Vec::new(),
            derived: HashMap::new(),
            traces: vec![Some(B::float_from_data(zeros, device))],
        })
    }

    fn import(mut self) -> Result<Graph, ModelError> {
        let output = self.file.output()?;
        for node in std::mem::take(&mut self.file.graph.node) {
            guarded(|| self.import_node(&node)).and_then(|done| done).map_err(|reason| {
                ModelError::Unsupported {
                    operator: node.op_type.clone(),
                    node: name_of(&node).to_owned(),
                    file: self.file.name.to_owned(),
                    reason,
                }
            })?;
            self.forget(&node);
        }
        match self.known.get(&output) {
            Some(Known::Value { id, .. }) if *id > 0 => {
                let output = *id;
                for (node, name) in self.nodes.iter_mut().zip(naming::names(&self.node_places)) {
                    node.name = name;
                }
                Ok(Graph::new(self.nodes, self.values, self.derived, output))
            }
            _ => Err(self.file.refused("its output does not depend on its input; export the network again")),
        }
    }

    fn import_node(&mut self, node: &NodeProto) -> Result<(), String> {
        let known = match convert::convert(&NodeView::new(self, node))? {
            Converted::Known(known) => vec![known],
            Converted::Apply(applied) => self.apply(node, applied)?,
        };
        // Dropout's mask and the like are fine as long as nobody reads them.
        let lacking = node.output.iter().skip(known.len()).find(|name| self.readers.contains_key(*name));
        if let Some(name) = lacking {
            return Err(format!("its output {name:?} is lacking"));
        }
        let depends = node.input.iter().any(|name| self.depends_on_input(name));
        for (name, known) in node.output.iter().zip(known) {
            if let (true, Known::Constant(constant)) = (depends, &known) {
                self.derived.insert(name.clone(), constant.clone());
            }
            self.known.insert(name.clone(), known);
        }
        Ok(())
    }

    /// Whether a name's value, or its shape, is the input's or comes from it.
    fn depends_on_input(&self, name: &str) -> bool {
        self.derived.contains_key(name) || matches!(self.known.get(name), Some(Known::Value { .. }))
    }

    fn apply(&mut self, node: &NodeProto, applied: Applied) -> Result<Vec<Known>, String> {
        let constants: Option<Vec<&Constant>> = applied
            .operands
            .iter()
            .map(|operand| match operand {
                Known::Constant(constant) => Some(constant),
                Known::Value { .. } => None,
            })
            .collect();
        if let Some(constants) = constants {
            return fold(&applied, &constants);
        }
        match fuse::fuse(self, node, &applied)? {
            Some(known) => Ok(vec![known]),
            None => self.add(node, applied),
        }
    }

    /// Runs the operator on the traces and adds a node.
    fn add(&mut self, node: &NodeProto, applied: Applied) -> Result<Vec<Known>, String> {
        let tensors: Vec<Primitive> =
            applied.operands.iter().map(|operand| self.trace(operand)).collect::<Result<_, _>>()?;
        let shapes: Vec<Vec<usize>> = tensors.iter().map(shape_of).collect();
        check_size(&applied.operator, &shapes)?;
        let constant = applied.operands.iter().skip(1).all(|operand| matches!(operand, Known::Constant(_)));
        let stand_in = constant.then(|| applied.operator.stand_in(&tensors)).flatten();
        let made = match stand_in {
            Some(zeros) => vec![zeros],
            None => run(&applied.operator, tensors)?,
        };
        let batched: Vec<Batched> = applied.operands.iter().map(|operand| self.batched(operand)).collect();
        let macs = made.first().map_or(0, |first| applied.operator.macs(&shapes, &shape_of(first)));
        let first = self.values.len();
        let mut known = Vec::with_capacity(made.len());
        for (index, tensor) in made.into_iter().enumerate() {
            let shape = shape_of(&tensor);
            let batch = applied.operator.batch_axis(&batched, shape.len());
            let unnamed = || format!("{}:{index}", name_of(node));
            let name = node.output.get(index).filter(|name| !name.is_empty()).cloned();
            let kind = applied.kind(index);
            known.push(Known::Value { id: self.values.len(), kind });
            self.values.push(ValueInfo { name: name.unwrap_or_else(unnamed), shape, kind, batch });
            self.traces.push(Some(tensor));
        }
        self.node_places.push(self.places.of(node));
        self.nodes.push(Node {
            name: name_of(node).to_owned(),
            operator: applied.operator,
            operands: applied.operands.into_iter().map(as_operand).collect(),
            makes: first..self.values.len(),
            macs,
        });
        Ok(known)
    }

    /// Says that a node of the graph has become this node of the file.
    pub(super) fn move_to(&mut self, index: usize, node: &NodeProto) {
        self.node_places[index] = self.places.of(node);
    }

    fn trace(&self, operand: &Known) -> Result<Primitive, String> {
        match operand {
            Known::Value { id, .. } => {
                let trace = self.traces[*id].clone();
                trace.ok_or_else(|| format!("{:?} is needed after its last reader", self.values[*id].name))
            }
            Known::Constant(constant) => Ok(single(constant.tensor.clone())),
        }
    }

    fn batched(&self, operand: &Known) -> Batched {
        match operand {
            Known::Value { id, .. } => {
                let value = &self.values[*id];
                Batched { rank: value.shape.len(), axis: value.batch }
            }
            Known::Constant(constant) => Batched { rank: shape_of(&constant.tensor).len(), axis: None },
        }
    }

    /// What is known of a name; every name was made by something before.
    pub(super) fn look_up(&self, name: &str) -> Result<&Known, String> {
        self.known.get(name).ok_or_else(|| format!("its input {name:?} is lacking"))
    }

    /// Drops what no later node reads: at once a network's traces would be many times its weights.
    fn forget(&mut self, node: &NodeProto) {
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            let Some(left) = self.readers_left.get_mut(name) else { continue };
            *left -= 1;
            if *left == 0 {
                self.known.remove(name);
            }
        }
        let mut needed = vec![false; self.traces.len()];
        for known in self.known.values() {
            if let Known::Value { id, .. } = known {
                needed[*id] = true;
            }
        }
        for (trace, needed) in self.traces.iter_mut().zip(needed) {
            if !needed {
                *trace = None;
            }
        }
    }
}

/// An operator on constants only gives constants.
fn fold(applied: &Applied, operands: &[&Constant]) -> Result<Vec<Known>, String> {
    let tensors = |doubled: bool| {
        let of = |constant: &&Constant| match &constant.doubled {
            Some(tensor) if doubled => tensor.clone(),
            _ => constant.tensor.clone(),
        };
        of_one_precision(operands.iter().map(of).collect())
    };
    let scalar = applied.scalar.unwrap_or_else(|| operands.iter().all(|operand| operand.scalar));
    let made = run(&applied.operator, tensors(false))?;
    let depends = operands.iter().any(|operand| operand.doubled.is_some());
    // What cannot be computed for a batch of two is taken as the same for any.
    let of_two = if depends { run(&applied.operator, tensors(true)).unwrap_or_default() } else { Vec::new() };
    let mut of_two = of_two.into_iter();
    let mut known = Vec::with_capacity(made.len());
    for (index, tensor) in made.into_iter().enumerate() {
        let mut constant = Constant::new(tensor, applied.kind(index), scalar);
        if let Some(two) = of_two.next() {
            let two = Constant::new(two, constant.kind, scalar).tensor;
            let differs = shape_of(&two) == shape_of(&constant.tensor)
                && read(two.clone())? != read(constant.tensor.clone())?;
            constant.doubled = differs.then_some(two);
        }
        known.push(Known::Constant(constant));
    }
    Ok(known)
}

fn check_size(operator: &Operator, shapes: &[Vec<usize>]) -> Result<(), String> {
    if elements_made(operator, shapes) > GREATEST_ELEMENTS {
        return Err(format!("it makes more than {GREATEST_ELEMENTS} numbers of tensors {shapes:?}"));
    }
    Ok(())
}

/// Runs an operator, unless what it makes is beyond all bounds.
fn run(operator: &Operator, operands: Vec<Primitive>) -> Result<Vec<Primitive>, String> {
    let shapes: Vec<Vec<usize>> = operands.iter().map(shape_of).collect();
    check_size(operator, &shapes)?;
    guarded(|| operator.run(operands, &mut Spare::default()))
        .map_err(|panic| format!("it does not take tensors {shapes:?} ({panic})"))?
        .map_err(|_| "it has a wrong number of inputs".to_owned())
}

fn as_operand(known: Known) -> Operand {
    match known {
        Known::Value { id, .. } => Operand::Value(id),
        Known::Constant(constant) => Operand::Constant(single(constant.tensor)),
    }
}
