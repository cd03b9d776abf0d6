//! Writes the two sides of a cut as two ONNX files that other runtimes take.
//!
//! Nodes and weights are the file's own, unchanged; each side gets those it needs, and both get what both need. What the
//! file computes from its input's shape is a constant for us; where such a value stands behind the cut and is computed
//! from what lies before it, the tail gets it as a weight, since the tail has no input to compute it from.

use std::collections::HashSet;

use onnx_ir::{GraphProto, Message, ModelProto, NodeProto, ValueInfoProto};
use schemas::Cut;

use crate::error::ModelError;
use crate::graph::{Graph, ValueId, ValueInfo};

/// The two sides of a cut as ONNX files. What the head gives, in this order, is what the tail takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halves {
    /// Takes the network's input and gives the frontier.
    pub head: Vec<u8>,
    /// Takes the frontier and gives the network's output.
    pub tail: Vec<u8>,
    /// Names of the tensors that cross, in order.
    pub frontier: Vec<String>,
    /// Whether the tail takes one picture only, though the whole network takes any number: it holds sizes that the file
    /// computes from its input.
    pub one_picture: bool,
}

/// Divides a file at a place of its graph.
pub(crate) fn halves(mut model: ModelProto, graph: &Graph, place: usize) -> Result<Halves, ModelError> {
    let cut = Cut(u16::try_from(place).unwrap_or(u16::MAX));
    if place == 0 || place >= graph.wiring.last_cut() {
        return Err(ModelError::NothingToDivide { cut });
    }
    let crossing: Vec<&ValueInfo> =
        graph.wiring.frontier(place).into_iter().map(|value: ValueId| &graph.values[value]).collect();
    let file = std::mem::take(&mut model.graph).unwrap_or_default();
    let divider = Divider { file: &file, graph, crossing: &crossing };
    let head = divider.head();
    let (tail, one_picture) = divider.tail()?;
    let written = |half: GraphProto| {
        let mut whole = model.clone();
        whole.graph = Some(half).into();
        whole
            .write_to_bytes()
            .map_err(|error| ModelError::Computation(format!("a half is not written: {error}")))
    };
    Ok(Halves {
        head: written(head)?,
        tail: written(tail)?,
        frontier: crossing.iter().map(|value| value.name.clone()).collect(),
        one_picture,
    })
}

struct Divider<'a> {
    file: &'a GraphProto,
    graph: &'a Graph,
    crossing: &'a [&'a ValueInfo],
}

impl<'a> Divider<'a> {
    /// What the frontier is computed from.
    fn head(&self) -> GraphProto {
        let mut needed: HashSet<&str> = self.crossing.iter().map(|value| value.name.as_str()).collect();
        let mut kept = vec![false; self.file.node.len()];
        for (index, node) in self.file.node.iter().enumerate().rev() {
            if node.output.iter().any(|name| needed.contains(name.as_str())) {
                kept[index] = true;
                needed.extend(reads(node));
            }
        }
        let mut half = self.half("head", &kept, &needed);
        half.input =
            self.file.input.iter().filter(|input| needed.contains(input.name.as_str())).cloned().collect();
        half.output = self.crossing.iter().map(|value| self.described(value, true)).collect();
        half
    }

    /// What the output is computed from, up to the frontier. Also says whether it is bound to one picture.
    fn tail(&self) -> Result<(GraphProto, bool), ModelError> {
        let frontier: HashSet<&str> = self.crossing.iter().map(|value| value.name.as_str()).collect();
        let within = self.computed_from(&frontier);
        let mut needed: HashSet<&str> = self.file.output.iter().map(|output| output.name.as_str()).collect();
        let (mut kept, mut given) = (vec![false; self.file.node.len()], Vec::new());
        for (index, node) in self.file.node.iter().enumerate().rev() {
            let mut wanted = node.output.iter().map(String::as_str);
            let wanted: Vec<&str> =
                wanted.by_ref().filter(|name| needed.contains(name) && !frontier.contains(name)).collect();
            let (shapes, rest): (Vec<&str>, Vec<&str>) = wanted
                .into_iter()
                .partition(|name| !within.contains(name) && self.graph.derived.contains_key(*name));
            given.extend(shapes);
            if !rest.is_empty() {
                kept[index] = true;
                needed.extend(reads(node));
            }
        }
        let mut half = self.half("tail", &kept, &needed);
        let is_weight: HashSet<&str> =
            self.file.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        let mut one_picture = false;
        for name in given {
            if let Some(constant) = self.graph.derived.get(name) {
                one_picture |= constant.doubled.is_some();
                half.initializer.push(constant.to_file(name).map_err(ModelError::Computation)?);
            }
        }
        half.input = self.crossing.iter().map(|value| self.described(value, !one_picture)).collect();
        // Old files list weights among the inputs.
        let listed = self.file.input.iter().filter(|input| needed.contains(input.name.as_str()));
        let (weights, inputs): (Vec<&ValueInfoProto>, Vec<&ValueInfoProto>) = listed
            .filter(|input| !frontier.contains(input.name.as_str()))
            .partition(|input| is_weight.contains(input.name.as_str()));
        if let Some(input) = inputs.first() {
            return Err(ModelError::Computation(format!(
                "the tail would need the network's input {:?}",
                input.name
            )));
        }
        half.input.extend(weights.into_iter().cloned());
        half.output.clone_from(&self.file.output);
        Ok((half, one_picture))
    }

    /// All names whose value needs nothing but the frontier and weights.
    fn computed_from(&self, frontier: &HashSet<&'a str>) -> HashSet<&'a str> {
        let mut known = frontier.clone();
        known.extend(self.file.initializer.iter().map(|tensor| tensor.name.as_str()));
        for node in &self.file.node {
            if reads(node).all(|name| known.contains(name)) {
                known.extend(node.output.iter().map(String::as_str));
            }
        }
        known
    }

    /// A graph of the nodes kept and the weights needed, without inputs and outputs.
    fn half(&self, side: &str, kept: &[bool], needed: &HashSet<&str>) -> GraphProto {
        let file = self.file;
        let nodes: Vec<NodeProto> =
            file.node.iter().zip(kept).filter(|(_, kept)| **kept).map(|(node, _)| node.clone()).collect();
        let made: HashSet<&str> = nodes.iter().flat_map(|node| &node.output).map(String::as_str).collect();
        let here = |name: &str| needed.contains(name) || made.contains(name);
        let crosses = |name: &str| self.crossing.iter().any(|value| value.name == name);
        GraphProto {
            name: format!("{}_{side}", file.name),
            initializer: file
                .initializer
                .iter()
                .filter(|tensor| needed.contains(tensor.name.as_str()))
                .cloned()
                .collect(),
            value_info: file
                .value_info
                .iter()
                .filter(|value| made.contains(value.name.as_str()) && !crosses(&value.name))
                .cloned()
                .collect(),
            quantization_annotation: file
                .quantization_annotation
                .iter()
                .filter(|annotation| here(&annotation.tensor_name))
                .cloned()
                .collect(),
            doc_string: file.doc_string.clone(),
            metadata_props: file.metadata_props.clone(),
            node: nodes,
            ..GraphProto::default()
        }
    }

    /// A tensor that crosses, as an input or output of a half.
    fn described(&self, value: &ValueInfo, any_batch: bool) -> ValueInfoProto {
        let file = self.file;
        let named = |infos: &[ValueInfoProto]| infos.iter().find(|info| info.name == value.name).cloned();
        let noted = named(&file.value_info).or_else(|| named(&file.input)).or_else(|| named(&file.output));
        let noted_type = noted.map(|info| info.type_.tensor_type().elem_type).filter(|kind| *kind != 0);
        let batch = self.free_batch().filter(|_| any_batch);
        let mut info = ValueInfoProto { name: value.name.clone(), ..ValueInfoProto::default() };
        let tensor = info.type_.mut_or_insert_default().mut_tensor_type();
        tensor.elem_type = noted_type.unwrap_or_else(|| crate::graph::constant::number_of(value.kind));
        let shape = tensor.shape.mut_or_insert_default();
        for (axis, side) in value.shape.iter().enumerate() {
            shape.dim.push(Default::default());
            let Some(dimension) = shape.dim.last_mut() else { continue };
            match &batch {
                Some(name) if value.batch == Some(axis) && *side == 1 => {
                    dimension.set_dim_param(name.clone())
                }
                // A multiple of the number of pictures: of unknown length.
                Some(_) if value.batch == Some(axis) => {}
                _ => dimension.set_dim_value(i64::try_from(*side).unwrap_or(i64::MAX)),
            }
        }
        info
    }

    /// The name that the file gives to the number of pictures, where it leaves it free.
    fn free_batch(&self) -> Option<String> {
        let input = self.file.input.iter().find(|input| input.name == self.graph.values[0].name)?;
        let first = input.type_.tensor_type().shape.dim.first()?;
        match (first.dim_param(), first.dim_value()) {
            ("", 0) => Some("batch".to_owned()),
            ("", _) => None,
            (name, _) => Some(name.to_owned()),
        }
    }
}

/// The names that a node reads, those that its inner graphs, however deep, take from around them included.
fn reads(node: &NodeProto) -> impl Iterator<Item = &str> {
    let mut names: Vec<&str> = node.input.iter().map(String::as_str).collect();
    let mut left: Vec<&GraphProto> = inner(node).collect();
    while let Some(graph) = left.pop() {
        names.extend(graph.output.iter().map(|output| output.name.as_str()));
        for node in &graph.node {
            names.extend(node.input.iter().map(String::as_str));
            left.extend(inner(node));
        }
    }
    names.into_iter().filter(|name| !name.is_empty())
}

fn inner(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}
