//! From one ONNX node to one operator of ours. Reasons of failure are texts: the caller adds node and file.

mod layers;
mod shapes;

use onnx_ir::Node;

use super::Operand;
use super::import::{Importer, Known};
use crate::operators::Operator;
use crate::operators::elementwise::{Binary, Unary};

/// What a node becomes.
pub(crate) enum Converted {
    /// Nothing to compute at run time.
    Known(Known),
    Apply(Operator, Vec<Operand>),
}

type Result<T> = std::result::Result<T, String>;

/// Converts a node whose inputs are known.
pub(crate) fn convert(importer: &mut Importer<'_>, node: &Node) -> Result<Converted> {
    if let Some(known) = shapes::of_integers(importer, node)? {
        return Ok(Converted::Known(known));
    }
    match node {
        Node::Identity(_) | Node::Dropout(_) => Ok(Converted::Known(known(importer, node, 0)?)),
        Node::Conv2d(conv) => layers::convolution(importer, node, &conv.config),
        Node::BatchNormalization(norm) => layers::batch_norm(importer, node, &norm.config),
        Node::MaxPool2d(pool) => layers::max_pool(importer, node, &pool.config),
        Node::AveragePool2d(pool) => layers::average_pool(importer, node, &pool.config),
        Node::GlobalAveragePool(_) => layers::global_average(importer, node),
        Node::Gemm(gemm) => layers::gemm(importer, node, &gemm.config),
        Node::Linear(linear) => layers::linear(importer, node, &linear.config),
        Node::LayerNormalization(norm) => layers::layer_norm(importer, node, &norm.config),
        Node::Softmax(softmax) => apply(importer, node, Operator::Softmax { axis: softmax.config.axis }),
        Node::MatMul(_) => apply(importer, node, Operator::MatMul),
        Node::Reshape(_) | Node::Flatten(_) | Node::Squeeze(_) | Node::Unsqueeze(_) => {
            shapes::reshape(importer, node)
        }
        Node::Transpose(transpose) => shapes::transpose(importer, node, &transpose.config),
        Node::Expand(expand) => shapes::expand(importer, node, &expand.config),
        Node::Concat(concat) => apply(importer, node, Operator::Concat { axis: concat.config.axis }),
        Node::Slice(slice) => shapes::slice(importer, node, &slice.config),
        Node::Pad(pad) => shapes::pad(importer, node, &pad.config),
        Node::ReduceMean(reduce) => shapes::mean(importer, node, &reduce.config),
        _ => elementwise(importer, node),
    }
}

fn elementwise(importer: &Importer<'_>, node: &Node) -> Result<Converted> {
    let unary = |unary: Unary| apply(importer, node, Operator::Unary(unary));
    let binary = |binary: Binary| apply(importer, node, Operator::Binary(binary));
    match node {
        Node::Relu(_) => unary(Unary::Relu),
        Node::Clip(clip) => layers::clip(importer, node, &clip.config),
        Node::LeakyRelu(relu) => unary(Unary::LeakyRelu { slope: relu.config.alpha }),
        Node::HardSigmoid(gate) => {
            unary(Unary::HardSigmoid { alpha: gate.config.alpha, beta: gate.config.beta })
        }
        Node::HardSwish(_) => unary(Unary::HardSwish),
        Node::Sigmoid(_) => unary(Unary::Sigmoid),
        Node::Tanh(_) => unary(Unary::Tanh),
        Node::Gelu(gelu) => match gelu.config.approximate {
            onnx_ir::gelu::GeluApproximate::Exact => unary(Unary::Gelu),
            onnx_ir::gelu::GeluApproximate::Tanh => Err("the tanh approximation is lacking".to_owned()),
        },
        Node::Erf(_) => unary(Unary::Erf),
        Node::Exp(_) => unary(Unary::Exp),
        Node::Sqrt(_) => unary(Unary::Sqrt),
        Node::Neg(_) => unary(Unary::Neg),
        Node::Add(_) => binary(Binary::Add),
        Node::Sub(_) => binary(Binary::Subtract),
        Node::Mul(_) => binary(Binary::Multiply),
        Node::Div(_) => binary(Binary::Divide),
        _ => Err("the operator is lacking".to_owned()),
    }
}

/// Applies an operator to all the node's inputs, which must be tensors of floats.
fn apply(importer: &Importer<'_>, node: &Node, operator: Operator) -> Result<Converted> {
    let count = node.inputs().len();
    let operands = (0..count).map(|index| operand(importer, node, index)).collect::<Result<_>>()?;
    Ok(Converted::Apply(operator, operands))
}

/// Applies an operator to the node's first input only; the others are settings.
fn apply_to_first(importer: &Importer<'_>, node: &Node, operator: Operator) -> Result<Converted> {
    Ok(Converted::Apply(operator, vec![operand(importer, node, 0)?]))
}

fn optional(importer: &Importer<'_>, node: &Node, index: usize) -> Result<Option<Known>> {
    match node.inputs().get(index) {
        Some(argument) => importer.look_up(argument),
        None => Ok(None),
    }
}

fn known(importer: &Importer<'_>, node: &Node, index: usize) -> Result<Known> {
    optional(importer, node, index)?.ok_or_else(|| format!("input {index} is missing"))
}

fn operand(importer: &Importer<'_>, node: &Node, index: usize) -> Result<Operand> {
    as_operand(known(importer, node, index)?).ok_or_else(|| format!("input {index} is no tensor of floats"))
}

fn as_operand(known: Known) -> Option<Operand> {
    match known {
        Known::Value(value) => Some(Operand::Value(value)),
        Known::Floats(tensor) => Some(Operand::Constant(tensor)),
        Known::Integers(_) => None,
    }
}
