//! The trained network as a bundle: ONNX (opset 17), `model.toml`, `labels.txt`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use burn::nn::Linear;
use burn::tensor::Tensor;
use sha2::{Digest, Sha256};

use super::network::{Layer, Network, Stage};
use super::protobuf::Message;
use crate::CLASS_NAMES;
use crate::pictures::SIDE;

const IR_VERSION: u64 = 8;
const OPSET: u64 = 17;

/// ONNX's numbers for the type of a tensor's elements and of an attribute.
const FLOAT: u64 = 1;
const INT_ATTRIBUTE: u64 = 2;
const INTS_ATTRIBUTE: u64 = 7;

/// Writes the three files of the bundle into `dir`; `source` says where the weights come from.
///
/// # Errors
/// When the weights cannot be read back or a file cannot be written.
pub fn write_bundle(network: &Network, dir: &Path, source: &str) -> Result<()> {
    let onnx = onnx(network)?;
    let labels: String = CLASS_NAMES.iter().map(|name| format!("{name}\n")).collect();
    let toml = model_toml(source, &sha256(&onnx), &sha256(labels.as_bytes()));
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    for (file, bytes) in [("model.onnx", onnx), ("labels.txt", labels.into()), ("model.toml", toml.into())] {
        fs::write(dir.join(file), bytes).with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn model_toml(source: &str, onnx: &str, labels: &str) -> String {
    format!(
        "name = \"shapes10\"\nsource = \"{source}\"\nlicence = \"MIT OR Apache-2.0\"\n\n[files]\nonnx = \"model.onnx\"\n\
         onnx_sha256 = \"{onnx}\"\nlabels = \"labels.txt\"\nlabels_sha256 = \"{labels}\"\n\n\
         # value = (pixel * scale - mean) / deviation: from -1 to 1\n[preprocessing]\nwidth = {SIDE}\n\
         height = {SIDE}\nchannels = \"rgb\"\nscale = 0.00784313725490196\nmean = [1.0, 1.0, 1.0]\n\
         deviation = [1.0, 1.0, 1.0]\n"
    )
}

/// The graph under construction: nodes in the order of execution, weights, the output of the last node.
struct Graph {
    message: Message,
    last: String,
}

fn onnx(network: &Network) -> Result<Vec<u8>> {
    let mut graph = Graph { message: Message::new().text(2, "shapes10"), last: "input".to_owned() };
    graph.convolution("stem/conv", &network.stem)?;
    graph.relu("stem/relu");
    graph.stage("stage1", &network.stage1)?;
    graph.stage("stage2", &network.stage2)?;
    graph.convolution("stage3/down", &network.down3)?;
    graph.relu("stage3/down_relu");
    graph.convolution("stage3/conv", &network.conv3)?;
    graph.relu("stage3/relu");
    graph.chain("head/pool", "GlobalAveragePool", &[], &[]);
    graph.chain("head/flatten", "Flatten", &[], &[int("axis", 1)]);
    graph.linear("head/classifier", &network.classifier)?;

    let side = u64::from(SIDE);
    let graph = graph
        .message
        .message(11, &value_info("input", &[3, side, side]))
        .message(12, &value_info("logits", &[CLASS_NAMES.len() as u64]));
    let opset = Message::new().text(1, "").number(2, OPSET);
    let model = Message::new().number(1, IR_VERSION).text(2, "splinter demo-network").message(7, &graph);
    Ok(model.message(8, &opset).into_bytes())
}

impl Graph {
    fn node(&mut self, name: &str, operator: &str, inputs: &[&str], output: &str, attributes: &[Message]) {
        let mut node = Message::new();
        for input in inputs {
            node = node.text(1, input);
        }
        node = node.text(2, output).text(3, name).text(4, operator);
        for attribute in attributes {
            node = node.message(5, attribute);
        }
        self.message = std::mem::take(&mut self.message).message(1, &node);
    }

    /// A node that takes the last one's output and then `weights`. Its output has the node's name.
    fn chain(&mut self, name: &str, operator: &str, weights: &[&str], attributes: &[Message]) {
        let last = std::mem::replace(&mut self.last, name.to_owned());
        let mut inputs = vec![last.as_str()];
        inputs.extend_from_slice(weights);
        self.node(name, operator, &inputs, name, attributes);
    }

    fn relu(&mut self, name: &str) {
        self.chain(name, "Relu", &[], &[]);
    }

    fn stage(&mut self, name: &str, stage: &Stage) -> Result<()> {
        self.convolution(&format!("{name}/down"), &stage.down)?;
        self.relu(&format!("{name}/down_relu"));
        let kept = self.last.clone();
        self.convolution(&format!("{name}/conv1"), &stage.conv1)?;
        self.relu(&format!("{name}/relu1"));
        self.convolution(&format!("{name}/conv2"), &stage.conv2)?;
        self.chain(&format!("{name}/add"), "Add", &[&kept], &[]);
        self.relu(&format!("{name}/relu2"));
        Ok(())
    }

    fn convolution(&mut self, name: &str, layer: &Layer) -> Result<()> {
        let layer = &layer.conv;
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        self.weights(&weight, layer.weight.val())?;
        self.weights(&bias, layer.bias.as_ref().context("a convolution without bias")?.val())?;
        let [_, _, high, wide] = layer.weight.val().dims();
        let (high, wide) = (high as u64, wide as u64);
        let around = [high / 2, wide / 2, high / 2, wide / 2];
        let stride = layer.stride.map(|step| step as u64);
        let attributes =
            [ints("kernel_shape", &[high, wide]), ints("pads", &around), ints("strides", &stride)];
        self.chain(name, "Conv", &[&weight, &bias], &attributes);
        Ok(())
    }

    /// The last node: its output is the network's.
    fn linear(&mut self, name: &str, layer: &Linear) -> Result<()> {
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        // Burn keeps inputs × outputs, which is Gemm's B without transposition.
        self.weights(&weight, layer.weight.val())?;
        self.weights(&bias, layer.bias.as_ref().context("a classifier without bias")?.val())?;
        let last = std::mem::replace(&mut self.last, "logits".to_owned());
        self.node(name, "Gemm", &[&last, &weight, &bias], "logits", &[]);
        Ok(())
    }

    fn weights<const D: usize>(&mut self, name: &str, values: Tensor<D>) -> Result<()> {
        let shape = values.dims();
        let values = values.into_data().try_to_vec::<f32>().map_err(|error| anyhow!("{name}: {error:?}"))?;
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut tensor = Message::new();
        for size in shape {
            tensor = tensor.number(1, size as u64);
        }
        let tensor = tensor.number(2, FLOAT).text(8, name).bytes(9, &raw);
        self.message = std::mem::take(&mut self.message).message(5, &tensor);
        Ok(())
    }
}

fn int(name: &str, value: u64) -> Message {
    Message::new().text(1, name).number(3, value).number(20, INT_ATTRIBUTE)
}

fn ints(name: &str, values: &[u64]) -> Message {
    let mut attribute = Message::new().text(1, name);
    for value in values {
        attribute = attribute.number(8, *value);
    }
    attribute.number(20, INTS_ATTRIBUTE)
}

/// A tensor of floats with a free first dimension.
fn value_info(name: &str, sizes: &[u64]) -> Message {
    let mut shape = Message::new().message(1, &Message::new().text(2, "batch"));
    for size in sizes {
        shape = shape.message(1, &Message::new().number(1, *size));
    }
    let tensor = Message::new().number(1, FLOAT).message(2, &shape);
    Message::new().text(1, name).message(2, &Message::new().message(1, &tensor))
}
