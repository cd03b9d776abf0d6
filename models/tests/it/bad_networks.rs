//! Files that are no network, or none that can be run: each is refused in one line that says what is wrong,
//! where, and what to do, and nothing else is written.

use std::env;
use std::process::Command;

use models::{Accelerator, Bundle, ModelError, Network};
use onnx_ir::{AttributeProto, Message, ModelProto, NodeProto, TensorProto};
use proptest::prelude::{ProptestConfig, prop_assert, proptest};

use crate::fixtures;

/// A convolution with a bias: x (1×4×6×8) and weights w1 (5×4×3×3), w2 to y.
fn convolution() -> ModelProto {
    let fixtures = fixtures::of_folder(&fixtures::committed("operators"));
    let fixture = fixtures.into_iter().find(|fixture| fixture.name == "Conv-bias").unwrap();
    ModelProto::parse_from_bytes(&fixture.bytes()).unwrap()
}

fn with(change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut model = convolution();
    change(&mut model);
    model.write_to_bytes().unwrap()
}

fn load(onnx: Vec<u8>) -> Result<Network, ModelError> {
    let manifest = "name = \"bad\"\n[files]\nonnx = \"model.onnx\"\n[preprocessing]\nwidth = 8\nheight = 6\n\
                    scale = 1.0\nmean = [0.0, 0.0, 0.0]\ndeviation = [1.0, 1.0, 1.0]\n";
    Network::load(&Bundle::from_files(manifest, onnx, None)?, Accelerator::Cpu)
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    let mut node = NodeProto::new();
    node.op_type = operator.to_owned();
    node.name = format!("the_{}", operator.to_lowercase());
    node.input = inputs.iter().map(|name| (*name).to_owned()).collect();
    node.output = vec![output.to_owned()];
    node
}

fn integers(name: &str, values: &[i64]) -> AttributeProto {
    let mut attribute = AttributeProto::new();
    attribute.name = name.to_owned();
    attribute.ints = values.to_vec();
    attribute
}

/// Whole numbers as weights.
fn sizes(name: &str, values: &[i64]) -> TensorProto {
    let mut tensor = TensorProto::new();
    tensor.name = name.to_owned();
    tensor.data_type = 7;
    tensor.dims = vec![values.len() as i64];
    tensor.int64_data = values.to_vec();
    tensor
}

/// In place of the convolution another node, which reads x and some sizes.
fn instead(operator: &str, values: &[i64]) -> Vec<u8> {
    with(|model| {
        model.graph.as_mut().unwrap().initializer.push(sizes("sizes", values));
        model.graph.as_mut().unwrap().node = vec![node(operator, &["x", "sizes"], "y")];
    })
}

fn with_node(node: NodeProto) -> Vec<u8> {
    with(|model| model.graph.as_mut().unwrap().node = vec![node])
}

/// Each with words that its refusal must hold.
fn bad_files() -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let whole = with(|_| {});
    let graph = |model: &mut ModelProto| model.graph.take().unwrap();
    vec![
        ("empty", Vec::new(), vec!["empty", "download or export it again"]),
        ("cut off", whole[..whole.len() / 2].to_vec(), vec!["cut off or no ONNX"]),
        ("one byte less", whole[..whole.len() - 1].to_vec(), vec!["cut off or no ONNX"]),
        ("a text", b"<html>404 not found</html>".to_vec(), vec!["no ONNX"]),
        ("ones", vec![0xff; 1000], vec!["no ONNX"]),
        ("two GB announced", b"\x3a\xff\xff\xff\xff\x07".to_vec(), vec!["no graph"]),
        ("no graph", with(|model| drop(graph(model))), vec!["no graph"]),
        ("no nodes", with(|model| model.graph.as_mut().unwrap().node.clear()), vec!["no graph"]),
        (
            "future opset",
            with(|model| model.opset_import[0].version = 99),
            vec!["opset 99", "opset_version=17"],
        ),
        ("old opset", with(|model| model.opset_import[0].version = 6), vec!["opset 6", "7 to 24"]),
        ("no opset", with(|model| model.opset_import.clear()), vec!["names no opset"]),
        (
            "weights elsewhere",
            with(|model| {
                let tensor = &mut model.graph.as_mut().unwrap().initializer[0];
                let bytes = b"\x6a\x17\x0a\x08location\x12\x0bweights.bin\x70\x01";
                tensor.merge_from_bytes(bytes).unwrap();
                tensor.raw_data = Default::default();
            }),
            vec!["weights.bin", "w1", "save_as_external_data=False"],
        ),
        (
            "weights that are not there",
            with(|model| {
                model.graph.as_mut().unwrap().initializer[0].dims = vec![1 << 20, 1 << 20, 1 << 20, 8]
            }),
            vec!["'w1'", "cannot be read"],
        ),
        (
            "weights of two GB",
            with(|model| model.graph.as_mut().unwrap().initializer[0].dims = vec![1 << 9, 1 << 10, 32, 32]),
            vec!["'w1'", "cannot be read"],
        ),
        (
            "a cycle",
            with(|model| model.graph.as_mut().unwrap().node[0].input[0] = "y".to_owned()),
            vec!["\"y\"", "cycle", "Conv"],
        ),
        (
            "a name twice",
            with(|model| {
                let again = model.graph.node[0].clone();
                model.graph.as_mut().unwrap().node.push(again);
            }),
            vec!["\"y\"", "there already"],
        ),
        (
            "two inputs",
            with(|model| {
                let mut second = model.graph.input[0].clone();
                second.name = "mask".to_owned();
                model.graph.as_mut().unwrap().input.push(second);
            }),
            vec!["2 inputs", "mask"],
        ),
        (
            "two outputs",
            with(|model| {
                let second = model.graph.input[0].clone();
                model.graph.as_mut().unwrap().output.push(second);
            }),
            vec!["2 outputs"],
        ),
        (
            "a matrix as input",
            with(|model| {
                let kind = model.graph.as_mut().unwrap().input[0].type_.as_mut().unwrap();
                kind.mut_tensor_type().shape.as_mut().unwrap().dim.truncate(2);
            }),
            vec!["1×4", "N×C×H×W"],
        ),
        (
            "pictures of another size",
            with(|model| {
                let kind = model.graph.as_mut().unwrap().input[0].type_.as_mut().unwrap();
                kind.mut_tensor_type().shape.as_mut().unwrap().dim[3].set_dim_value(9);
            }),
            vec!["9×6", "8×6", "model.toml"],
        ),
        (
            "an operator we lack",
            with_node(node("Acosh", &["x"], "y")),
            vec!["the_acosh", "(Acosh)", "lacking"],
        ),
        (
            "another's operator",
            with(|model| model.graph.as_mut().unwrap().node[0].domain = "com.microsoft".to_owned()),
            vec!["(Conv)", "com.microsoft", "ONNX's own"],
        ),
        (
            "too few inputs",
            with_node(node("Conv", &["x"], "y")),
            vec!["the_conv", "(Conv)", "input 1 is missing"],
        ),
        ("weights that do not fit", with_node(node("Conv", &["x", "w2"], "y")), vec!["the_conv", "[5]"]),
        (
            "channels that do not fit",
            with_node({
                let mut node = node("Conv", &["x", "w1"], "y");
                let mut group = AttributeProto::new();
                group.name = "group".to_owned();
                group.i = 3;
                node.attribute.push(group);
                node
            }),
            vec!["(Conv)", "3 groups", "4 channels"],
        ),
        (
            "padding of two GB",
            with_node({
                let mut node = node("Conv", &["x", "w1"], "y");
                node.attribute.push(integers("pads", &[1 << 15, 1 << 15, 1 << 15, 1 << 15]));
                node
            }),
            vec!["(Conv)", "134217728 numbers"],
        ),
        (
            "no such shape",
            instead("Reshape", &[1, 5]),
            vec!["(Reshape)", "[1, 4, 6, 8] cannot become [1, 5]"],
        ),
        ("no such axis", instead("ReduceSum", &[7]), vec!["(ReduceSum)", "no axis 7 of 4"]),
        ("expanded to two GB", instead("Expand", &[1 << 21, 1, 1, 1]), vec!["(Expand)", "134217728 numbers"]),
        ("tiled to two GB", instead("Tile", &[1, 1, 1 << 14, 1 << 14]), vec!["(Tile)", "134217728 numbers"]),
        ("padded to two GB", instead("Pad", &[0, 0, 0, 0, 0, 0, 1 << 20, 1 << 20]), vec!["(Pad)", "numbers"]),
        (
            "a side of millions",
            with(|model| {
                let graph = model.graph.as_mut().unwrap();
                graph.initializer.push(sizes("sizes", &[1, 4, 6, 11_012_608]));
                graph.node = vec![node("Resize", &["x", "", "", "sizes"], "y")];
            }),
            vec!["(Resize)", "axis 3", "11012608", "65536"],
        ),
        (
            "constants of two GB",
            with(|model| {
                let graph = model.graph.as_mut().unwrap();
                graph.initializer.push(sizes("sizes", &[1 << 20, 1 << 20]));
                graph.node = vec![node("ConstantOfShape", &["sizes"], "c"), node("Add", &["x", "c"], "y")];
            }),
            vec!["(ConstantOfShape)", "too great"],
        ),
        ("sums that do not fit", with_node(node("Add", &["x", "w1"], "y")), vec!["(Add)", "[1, 4, 6, 8]"]),
        (
            "products that do not fit",
            with_node(node("MatMul", &["x", "w1"], "y")),
            vec!["(MatMul)", "do not fit"],
        ),
        (
            "an output of constants",
            with_node(node("Neg", &["w1"], "y")),
            vec!["does not depend on its input"],
        ),
    ]
}

#[test]
fn each_is_refused_in_one_line() {
    for (case, onnx, words) in bad_files() {
        let error = load(onnx).map(|_| ()).expect_err(case);
        let text = error.to_string();
        println!("{case}: {text}");
        assert!(!text.contains('\n') && text.contains("model.onnx"), "{case}: {text}");
        for word in words {
            assert!(text.contains(word), "{case}: {text:?} lacks {word:?}");
        }
        assert!(!error.is_callers_fault(), "{case}: a file is no caller's fault");
    }
}

/// The libraries report by panicking, which Rust prints unless it is kept from it.
#[test]
fn nothing_is_written_beside_the_error() {
    let arguments = ["--exact", "bad_networks::each_is_refused_in_one_line", "--nocapture"];
    let output = Command::new(env::current_exe().unwrap()).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert!(!errors.contains("panicked") && !errors.contains("backtrace"), "{errors}");
}

#[test]
fn a_side_left_free_is_the_bundles() {
    let free = with(|model| {
        let kind = model.graph.as_mut().unwrap().input[0].type_.as_mut().unwrap();
        for axis in [0, 2, 3] {
            kind.mut_tensor_type().shape.as_mut().unwrap().dim[axis].set_dim_param("free".to_owned());
        }
    });
    let network = load(free).unwrap();
    assert_eq!(network.describe(&"free".parse().unwrap(), &[]).input.shape, [1, 4, 6, 8]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a bit error makes of a file, it is a network or a refusal in one line.
    #[test]
    fn any_damage_is_refused_or_harmless(place: proptest::sample::Index, byte: u8) {
        let mut onnx = with(|_| {});
        let place = place.index(onnx.len());
        onnx[place] = byte;
        if let Err(error) = load(onnx) {
            let text = error.to_string();
            prop_assert!(!text.contains('\n') && text.contains("model.onnx"), "{}", text);
        }
    }
}
