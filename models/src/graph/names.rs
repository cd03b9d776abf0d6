//! The file's own names: the parser gives its nodes new ones, which nobody finds again in a viewer.

use std::collections::HashMap;

use onnx_ir::{ModelProto, Node, NodeProto, OnnxGraph};

/// A node's name and its first output's, as the file has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) node: String,
    pub(super) output: String,
}

/// The file's names by the parser's name of the first output. Both lists are in topological order, the
/// parser's lacks some nodes. Empty where they cannot be brought together: the parser's names serve then.
pub(super) fn of_file(model: &ModelProto, graph: &OnnxGraph) -> HashMap<String, Names> {
    let mut names = HashMap::new();
    let mut file = model.graph.node.iter().peekable();
    for node in graph.nodes.iter().filter(|node| !matches!(node, Node::Constant(_))) {
        let Some(mut origin) = file.by_ref().find(|candidate| is_origin(candidate, node)) else {
            return HashMap::new();
        };
        let has_bias = matches!(node, Node::Linear(linear) if linear.inputs.len() > 2);
        // The parser joins a product and the sum after it.
        if has_bias && origin.op_type == "MatMul" {
            let Some(sum) = file.next_if(|next| next.op_type == "Add") else { return HashMap::new() };
            origin = sum;
        }
        if let (Some(ours), Some(output)) = (node.outputs().first(), origin.output.first()) {
            let name = if origin.name.is_empty() { output } else { &origin.name };
            names.insert(ours.name.clone(), Names { node: name.clone(), output: output.clone() });
        }
    }
    names
}

fn is_origin(candidate: &NodeProto, node: &Node) -> bool {
    let kind = candidate.op_type.as_str();
    let parsed = node.node_type().to_string();
    let plain = parsed.strip_suffix("1d").or_else(|| parsed.strip_suffix("2d")).unwrap_or(&parsed);
    plain == kind || (parsed == "Linear" && matches!(kind, "MatMul" | "Gemm"))
}
