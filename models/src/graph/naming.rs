//! Names of nodes as people know them: the module of PyTorch or the layer of Keras that an exporter made them from.

use std::collections::{HashMap, HashSet};

use onnx_ir::NodeProto;

use super::file::name_of;

/// Where PyTorch's new exporter notes the modules around a node.
const SCOPES: &str = "pkg.torch.onnx.name_scopes";

/// What exporters of Keras networks call the last part of a name, beside the operators' own names.
const KERAS_PARTS: [&str; 14] = [
    "add",
    "AddV2",
    "AvgPool",
    "BiasAdd",
    "Conv2D",
    "DepthwiseConv2dNative",
    "FusedBatchNormV3",
    "Max",
    "Mean",
    "Pad",
    "Relu6",
    "Sigmoid",
    "Softmax",
    "Swish",
];

/// Where a node stands among a network's modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    module: String,
    /// What it does there; empty where the module is the node alone.
    part: String,
}

/// Reads places out of an exporter's names.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// What stands before every node's name: the network's own name, which says nothing.
    shared: String,
}

impl Places {
    pub(super) fn new(nodes: &[NodeProto]) -> Self {
        let names = || nodes.iter().map(name_of).filter(|name| name.contains('/'));
        let mut shared = String::new();
        while let Some(first) = names().next().and_then(|name| name.strip_prefix(shared.as_str())) {
            let Some((part, _)) = first.split_once('/').filter(|(part, _)| !part.is_empty()) else { break };
            let longer = format!("{shared}{part}/");
            if !names().all(|name| name.starts_with(&longer)) {
                break;
            }
            shared = longer;
        }
        // A network of one layer is not its layer's name.
        let says_nothing = names().count() > 1;
        Self { shared: if says_nothing { shared } else { String::new() } }
    }

    /// `layer1.0.conv1` for `/layer1/layer1.0/conv1/Conv`, `block3_pool` for `vgg16/block3_pool/MaxPool`.
    pub(super) fn of(&self, node: &NodeProto) -> Place {
        scope(node).unwrap_or_else(|| self.of_path(name_of(node), &node.op_type))
    }

    fn of_path(&self, name: &str, operator: &str) -> Place {
        let path = name.strip_prefix(self.shared.as_str()).unwrap_or(name);
        // PyTorch's old exporter begins with a slash and repeats a module's name in that of its parts.
        let modules = path.starts_with('/');
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let is_within =
                |before: &&str| part.strip_prefix(*before).is_some_and(|rest| rest.starts_with('.'));
            if modules && parts.last().is_some_and(is_within) {
                parts.pop();
            }
            parts.push(part);
        }
        // What comes last is most often the operator, which says less than the layer before it.
        let is_operator = parts.last().is_some_and(|last| is_operator(last, operator));
        let part = if parts.len() > 1 && is_operator { parts.pop().unwrap_or_default() } else { "" };
        let module = parts.join(if modules { "." } else { "/" });
        Place { module: if module.is_empty() { name.to_owned() } else { module }, part: part.to_lowercase() }
    }
}

/// Names of nodes at these places, in their order: the last node of a module and all in it bears the module's name, the
/// others say besides what they do there. None is empty, none is given twice.
pub(super) fn names(places: &[Place]) -> Vec<String> {
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (index, place) in places.iter().enumerate() {
        let ends = place.module.match_indices(['.', '/']).map(|(end, _)| end);
        for end in ends.chain([place.module.len()]) {
            last.insert(&place.module[..end], index);
        }
    }
    let mut given = HashSet::new();
    let mut times: HashMap<String, usize> = HashMap::new();
    let mut name = |(index, place): (usize, &Place)| {
        let ends = place.part.is_empty() || last.get(place.module.as_str()) == Some(&index);
        let plain = if ends { place.module.clone() } else { format!("{}:{}", place.module, place.part) };
        let times = times.entry(plain.clone()).or_insert(0);
        let mut name = plain.clone();
        while !given.insert(name.clone()) {
            *times += 1;
            name = format!("{plain}:{}", *times + 1);
        }
        name
    };
    places.iter().enumerate().map(&mut name).collect()
}

/// Whether part of a name is the operator's, with a number behind it or not.
fn is_operator(part: &str, operator: &str) -> bool {
    let numbered = |kind: &str| {
        let rest = part.strip_prefix(kind);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_') && rest[1..].parse::<u32>().is_ok())
    };
    numbered(operator) || KERAS_PARTS.into_iter().any(numbered)
}

/// The innermost module that PyTorch's new exporter notes: `['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d']` with the
/// operation last.
fn scope(node: &NodeProto) -> Option<Place> {
    let noted = node.metadata_props.iter().find(|property| property.key == SCOPES)?;
    let list = noted.value.strip_prefix('[')?.strip_suffix(']')?;
    let scopes: Vec<&str> = list.split(',').map(|scope| scope.trim().trim_matches(['\'', '"'])).collect();
    let module = scopes.iter().rev().skip(1).find(|scope| !scope.is_empty())?;
    let part = scopes.last().filter(|part| !part.is_empty()).copied().unwrap_or(&node.op_type);
    Some(Place { module: (*module).to_owned(), part: part.to_lowercase() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn node(name: &str, operator: &str) -> NodeProto {
        NodeProto {
            name: name.to_owned(),
            op_type: operator.to_owned(),
            output: vec!["made".to_owned()],
            ..NodeProto::default()
        }
    }

    fn names_of(nodes: &[(&str, &str)]) -> Vec<String> {
        let nodes: Vec<NodeProto> = nodes.iter().map(|(name, operator)| node(name, operator)).collect();
        let places = Places::new(&nodes);
        names(&nodes.iter().map(|node| places.of(node)).collect::<Vec<_>>())
    }

    #[test]
    fn modules_of_the_old_exporter() {
        let nodes = [
            ("/layer1/layer1.0/conv1/Conv", "Conv"),
            ("/layer1/layer1.0/relu/Relu", "Relu"),
            ("/layer1/layer1.0/Add", "Add"),
            ("/layer1/layer1.0/relu_1/Relu", "Relu"),
            ("/encoder/layers/encoder_layer_4/Add", "Add"),
            ("/encoder/layers/encoder_layer_4/mlp/mlp.0/Add", "Add"),
            ("/encoder/layers/encoder_layer_4/Add_1", "Add"),
            ("/encoder/ln/LayerNormalization", "LayerNormalization"),
            ("/Flatten", "Flatten"),
        ];
        let expected = [
            "layer1.0.conv1",
            "layer1.0.relu",
            "layer1.0:add",
            "layer1.0.relu_1",
            "encoder.layers.encoder_layer_4:add",
            "encoder.layers.encoder_layer_4.mlp.0",
            "encoder.layers.encoder_layer_4",
            "encoder.ln",
            "Flatten",
        ];
        assert_eq!(names_of(&nodes), expected);
    }

    #[test]
    fn layers_of_keras() {
        let nodes = [
            ("StatefulPartitionedCall/vgg16/block3_conv1/Conv2D", "Conv"),
            ("StatefulPartitionedCall/vgg16/block3_conv1/Relu", "Relu"),
            ("StatefulPartitionedCall/vgg16/block3_pool/MaxPool", "MaxPool"),
        ];
        assert_eq!(names_of(&nodes), ["block3_conv1:conv2d", "block3_conv1", "block3_pool"]);
    }

    #[test]
    fn other_names_stay_and_none_is_given_twice() {
        let nodes = [
            ("Conv_1", "Conv"),
            ("stage1/down", "Conv"),
            ("", "Relu"),
            ("", "Relu"),
            ("made:2", "Relu"),
            ("a/b", "Relu"),
        ];
        assert_eq!(names_of(&nodes), ["Conv_1", "stage1/down", "made", "made:2", "made:2:2", "a/b"]);
        assert_eq!(names_of(&[("net/conv/Conv", "Conv")]), ["net/conv"]);
    }

    #[test]
    fn modules_of_the_new_exporter() {
        let mut noted = [node("node_linear_3", "Gemm"), node("node_add_4", "Add")];
        let scopes = [
            "['', 'encoder', 'encoder.layer.4', 'encoder.layer.4.mlp', 'linear_3']",
            "['', 'encoder', 'encoder.layer.4', 'add_4']",
        ];
        for (node, scopes) in noted.iter_mut().zip(scopes) {
            node.metadata_props.push(Default::default());
            SCOPES.clone_into(&mut node.metadata_props[0].key);
            scopes.clone_into(&mut node.metadata_props[0].value);
        }
        let places: Vec<Place> = noted.iter().map(|node| Places::default().of(node)).collect();
        assert_eq!(names(&places), ["encoder.layer.4.mlp", "encoder.layer.4"]);
    }

    proptest! {
        #[test]
        fn each_node_has_a_name_of_its_own(given in prop::collection::vec("[ab:/.2]{0,5}", 0..30)) {
            let nodes: Vec<(&str, &str)> = given.iter().map(|name| (name.as_str(), "a")).collect();
            let names = names_of(&nodes);
            prop_assert!(names.iter().all(|name| !name.is_empty()));
            let distinct: HashSet<&String> = names.iter().collect();
            prop_assert_eq!(distinct.len(), names.len());
        }
    }
}
