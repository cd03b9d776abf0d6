//! Joins a node with the one before it where that is the only reader, so that both are computed at once.

use burn_backend::ops::FloatTensorOps;
use onnx_ir::NodeProto;

use super::constant::{Constant, Known, single};
use super::convert::Applied;
use super::import::Importer;
use super::{Node, Operand};
use crate::operators::arithmetic::Binary;
use crate::operators::{B, Operator, Primitive, reshape, shape_of};

/// What the joined node makes; `None` where nothing is joined.
pub(super) fn fuse(
    importer: &mut Importer<'_>,
    node: &NodeProto,
    applied: &Applied,
) -> Result<Option<Known>, String> {
    match (&applied.operator, applied.operands.as_slice()) {
        (Operator::Affine, [input, Known::Constant(scale), Known::Constant(shift)]) => {
            Ok(into_convolution(importer, node, input, scale, shift).then(|| input.clone()))
        }
        (Operator::Binary(Binary::Add), [input, Known::Constant(bias)]) => {
            Ok(into_product(importer, node, 0, input, bias).then(|| input.clone()))
        }
        (Operator::Binary(Binary::Add), [Known::Constant(bias), input]) => {
            Ok(into_product(importer, node, 1, input, bias).then(|| input.clone()))
        }
        _ => Ok(None),
    }
}

/// The node that made an input, if nobody else reads what it made.
fn sole_maker<'a>(
    importer: &'a mut Importer<'_>,
    node: &NodeProto,
    index: usize,
    input: &Known,
) -> Option<&'a mut Node> {
    let Known::Value { id, .. } = input else { return None };
    let alone = importer.readers.get(node.input.get(index)?) == Some(&1);
    alone.then(|| importer.nodes.iter_mut().rfind(|node| node.makes.contains(id)))?
}

/// A normalisation into the convolution before it: weights × scale and bias × scale + shift.
fn into_convolution(
    importer: &mut Importer<'_>,
    node: &NodeProto,
    input: &Known,
    scale: &Constant,
    shift: &Constant,
) -> bool {
    let Some(maker) = sole_maker(importer, node, 0, input) else { return false };
    if !matches!(maker.operator, Operator::Convolution(_)) {
        return false;
    }
    let Some(Operand::Constant(weights)) = maker.operands.get(1) else { return false };
    let (scale, shift) = (vector(&scale.tensor), vector(&shift.tensor));
    let mut along_outputs = vec![1; shape_of(weights).len()];
    along_outputs[0] = shape_of(&scale)[0];
    let weights = B::float_mul(weights.clone(), reshape(scale.clone(), &along_outputs));
    let bias = match maker.operands.get(2) {
        None => shift,
        Some(Operand::Constant(bias)) => B::float_add(B::float_mul(bias.clone(), scale), shift),
        Some(Operand::Value(_)) => return false,
    };
    maker.operands.truncate(1);
    maker.operands.extend([Operand::Constant(weights), Operand::Constant(bias)]);
    let made = maker.makes.start;
    // What the file calls by the convolution's name is not computed any more.
    if let Some(output) = node.output.first() {
        importer.values[made].name.clone_from(output);
    }
    true
}

fn vector(tensor: &Primitive) -> Primitive {
    reshape(tensor.clone(), &[shape_of(tensor).iter().product()])
}

/// A sum with a vector into the product with a matrix before it, which takes the sum's names.
fn into_product(
    importer: &mut Importer<'_>,
    node: &NodeProto,
    index: usize,
    input: &Known,
    bias: &Constant,
) -> bool {
    let Some(maker) = sole_maker(importer, node, index, input) else { return false };
    let (Operator::MatMul, [_, Operand::Constant(weights)]) = (&maker.operator, maker.operands.as_slice())
    else {
        return false;
    };
    let columns = match shape_of(weights)[..] {
        [_, columns] => columns,
        _ => return false,
    };
    if shape_of(&bias.tensor) != [columns] {
        return false;
    }
    maker.operator = Operator::Linear;
    maker.operands.push(Operand::Constant(single(bias.tensor.clone())));
    let made = maker.makes.start;
    if let Some(output) = node.output.first() {
        importer.values[made].name.clone_from(output);
    }
    if let Some(index) = importer.nodes.iter().rposition(|node| node.makes.start == made) {
        importer.move_to(index, node);
    }
    true
}
