//! The ONNX file itself: read, and refused where it cannot be a network, before anything is computed.

use std::collections::HashSet;
use std::io::BufRead;

use onnx_ir::{GraphProto, Message, ModelProto, NodeProto};
use protobuf::CodedInputStream;

use super::outline::outline;
use crate::error::ModelError;
use crate::guard::guarded;
use crate::source::Source;

/// Oldest version of ONNX's operators: those before broadcast only where an attribute says so.
const OLDEST_OPSET: i64 = 7;

/// Newest version of ONNX's operators that this was written for.
const NEWEST_OPSET: i64 = 24;

/// `TensorProto.DataLocation.EXTERNAL` of the format.
const EXTERNAL: i32 = 1;

/// A file's graph, with nodes in an order in which they can run.
#[derive(Debug)]
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) graph: GraphProto,
    pub(super) opset: i64,
}

impl<'a> File<'a> {
    /// Parses and checks it.
    pub(super) fn parse(onnx: &Source, name: &'a str) -> Result<Self, ModelError> {
        let model = parse(onnx, name)?;
        let opset = opset(&model, name)?;
        let graph = model.graph.unwrap_or_default();
        let file = Self { name, graph, opset };
        file.check_weights()?;
        file.check_order()?;
        Ok(file)
    }

    /// What it takes, without its weights and nodes: enough for [`File::input`] and [`File::sides`].
    pub(super) fn outline(mut onnx: &mut dyn BufRead, name: &'a str) -> Result<Self, ModelError> {
        check_filled(onnx, name)?;
        let outlined = guarded(|| outline(&mut CodedInputStream::from_buf_read(&mut onnx)));
        let graph = readable(outlined, name)?.ok_or_else(|| no_graph(name))?;
        Ok(Self { name, graph, opset: NEWEST_OPSET })
    }

    /// The first input that is no initializer (old files list those as inputs too).
    pub(super) fn input(&self) -> Result<usize, ModelError> {
        let is_weight = |name: &str| self.graph.initializer.iter().any(|tensor| tensor.name == name);
        let inputs = self.graph.input.iter().enumerate().filter(|(_, input)| !is_weight(&input.name));
        let inputs: Vec<(usize, &str)> = inputs.map(|(index, input)| (index, input.name.as_str())).collect();
        match inputs.as_slice() {
            [(index, _)] => Ok(*index),
            [] => Err(self.refused("it has no input; export the network with its picture as input")),
            several => {
                let names: Vec<&str> = several.iter().map(|(_, name)| *name).collect();
                Err(self.refused(&format!(
                    "it has {} inputs ({}), one picture is supported; export it with the others fixed",
                    names.len(),
                    names.join(", ")
                )))
            }
        }
    }

    /// Sides of an input, `None` where the file leaves them free.
    pub(super) fn sides(&self, input: usize) -> Vec<Option<usize>> {
        let shape = &self.graph.input[input].type_.tensor_type().shape;
        shape.dim.iter().map(|side| usize::try_from(side.dim_value()).ok().filter(|side| *side > 0)).collect()
    }

    /// The name of the one output.
    pub(super) fn output(&self) -> Result<String, ModelError> {
        match self.graph.output.as_slice() {
            [output] => Ok(output.name.clone()),
            outputs => {
                let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
                Err(self.refused(&format!(
                    "it has {} outputs ({}), one is supported; export it with the wanted one only",
                    names.len(),
                    names.join(", ")
                )))
            }
        }
    }

    pub(super) fn refused(&self, reason: &str) -> ModelError {
        refused(self.name, reason)
    }

    fn check_weights(&self) -> Result<(), ModelError> {
        for tensor in &self.graph.initializer {
            if tensor.data_location.value() == EXTERNAL {
                let location = tensor.external_data.iter().find(|entry| entry.key == "location");
                let location = location.map_or("another file", |entry| &entry.value);
                return Err(self.refused(&format!(
                    "the weights {:?} lie in {location:?}; save the network as one file \
                     (onnx.save_model(model, path, save_as_external_data=False))",
                    tensor.name
                )));
            }
        }
        match self.graph.sparse_initializer.first() {
            Some(_) => Err(self.refused("it has sparse weights; export it with dense ones")),
            None => Ok(()),
        }
    }

    /// Every node reads only what an earlier one makes, and each name is made once.
    fn check_order(&self) -> Result<(), ModelError> {
        let weights = self.graph.initializer.iter().map(|tensor| tensor.name.as_str());
        let inputs = self.graph.input.iter().map(|input| input.name.as_str());
        let mut made: HashSet<&str> = weights.chain(inputs).collect();
        for node in &self.graph.node {
            for read in node.input.iter().filter(|name| !name.is_empty()) {
                if !made.contains(read.as_str()) {
                    return Err(self.refused(&format!(
                        "node {:?} ({}) reads {read:?}, which nothing before it makes: the nodes form a cycle, \
                         are out of order or incomplete; export the network again",
                        name_of(node),
                        node.op_type
                    )));
                }
            }
            for output in node.output.iter().filter(|name| !name.is_empty()) {
                if !made.insert(output) {
                    return Err(self.refused(&format!(
                        "node {:?} ({}) makes {output:?}, which is there already; export the network again",
                        name_of(node),
                        node.op_type
                    )));
                }
            }
        }
        match self.graph.output.iter().find(|output| !made.contains(output.name.as_str())) {
            Some(output) => Err(self.refused(&format!("nothing makes its output {:?}", output.name))),
            None => Ok(()),
        }
    }
}

/// Parses a file that holds a graph, whatever is in it.
pub(crate) fn parse(onnx: &Source, name: &str) -> Result<ModelProto, ModelError> {
    let mut reader = onnx.reader();
    check_filled(&mut reader, name)?;
    // Piece by piece: each weight's bytes become memory of their own, which its tensor can take over.
    let model = readable(guarded(|| ModelProto::parse_from_reader(&mut reader)), name)?;
    if model.graph.node.is_empty() { Err(no_graph(name)) } else { Ok(model) }
}

fn check_filled(onnx: &mut dyn BufRead, name: &str) -> Result<(), ModelError> {
    match onnx.fill_buf() {
        Ok([]) => Err(refused(name, "it is empty; download or export it again")),
        _ => Ok(()),
    }
}

/// What was read, unless the reading failed or panicked.
fn readable<T>(read: Result<Result<T, protobuf::Error>, String>, name: &str) -> Result<T, ModelError> {
    read.and_then(|read| read.map_err(|error| error.to_string())).map_err(|error| {
        refused(name, &format!("it is cut off or no ONNX ({error}); download or export it again"))
    })
}

fn no_graph(name: &str) -> ModelError {
    refused(name, "it holds no graph: it is no ONNX, or no network; export it again")
}

fn refused(file: &str, reason: &str) -> ModelError {
    ModelError::Onnx { file: file.to_owned(), reason: reason.to_owned() }
}

fn opset(model: &ModelProto, file: &str) -> Result<i64, ModelError> {
    let standard = model.opset_import.iter().filter(|import| is_standard(&import.domain));
    match standard.map(|import| import.version).max() {
        None => Err(refused(file, "it names no opset, the version of ONNX's operators; export it again")),
        Some(version) if (OLDEST_OPSET..=NEWEST_OPSET).contains(&version) => Ok(version),
        Some(version) => Err(refused(
            file,
            &format!(
                "it uses opset {version}, {OLDEST_OPSET} to {NEWEST_OPSET} are supported; export it with \
                 another (opset_version=17), or convert it with onnx.version_converter"
            ),
        )),
    }
}

/// Whether a domain is that of ONNX's own operators.
pub(super) fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// A node's name; its first output's where it has none.
pub(super) fn name_of(node: &NodeProto) -> &str {
    match (node.name.as_str(), node.output.first()) {
        ("", Some(output)) => output,
        (name, _) => name,
    }
}
