//! Quantised networks.

use burn_backend::DType;

use super::node::axis;
use super::{Applied, Converted, NodeView, Result, arithmetic};
use crate::graph::constant::{Constant, Known};
use crate::operators::quantisation::Limits;
use crate::operators::{Operator, reshape};

/// The type is the zero point's, or says so itself.
pub(super) fn quantise(node: &NodeView<'_>) -> Result<Converted> {
    let kind = match (node.optional(2)?, node.integer("output_dtype").filter(|kind| *kind != 0)) {
        (Some(zero), _) => zero.kind(),
        (None, Some(number)) => arithmetic::kind(number)?,
        (None, None) => DType::U8,
    };
    let operator = Operator::Quantise(limits(kind)?);
    Ok(Applied::new(operator, operands(node)?).of_kinds(vec![kind]).into())
}

pub(super) fn dequantise(node: &NodeView<'_>) -> Result<Converted> {
    Ok(Applied::new(Operator::Dequantise, operands(node)?).of_kinds(vec![DType::F32]).into())
}

fn limits(kind: DType) -> Result<Limits> {
    let (least, greatest) = match kind {
        DType::U8 => (0.0, 255.0),
        DType::I8 => (-128.0, 127.0),
        DType::U16 => (0.0, 65_535.0),
        DType::I16 => (-32_768.0, 32_767.0),
        other => return Err(format!("quantising to {other:?} is lacking")),
    };
    Ok(Limits { least, greatest })
}

/// Input, scale and zero point, the latter two such that they broadcast.
fn operands(node: &NodeView<'_>) -> Result<Vec<Known>> {
    if node.integer("block_size").is_some_and(|size| size != 0) {
        return Err("quantising in blocks is lacking".to_owned());
    }
    let shape = node.shape(0)?;
    let broadcast = |index| -> Result<Option<Known>> {
        let Some(constant) = node.optional_constant(index)? else { return Ok(None) };
        let mut sides = vec![1; shape.len().max(1)];
        let length: usize = constant.shape().iter().product();
        if length != 1 {
            let along = axis(node.integer("axis").unwrap_or(1), shape.len())?;
            if constant.shape() != [shape[along]] {
                return Err(format!("its input {index} {:?} does not fit {shape:?}", constant.shape()));
            }
            sides[along] = length;
        }
        let tensor = reshape(constant.tensor.clone(), &sides);
        Ok(Some(Known::Constant(Constant::new(tensor, constant.kind, shape.is_empty()))))
    };
    let scale = broadcast(1)?.ok_or("its scale is missing")?;
    Ok([node.input(0)?.clone(), scale].into_iter().chain(broadcast(2)?).collect())
}
