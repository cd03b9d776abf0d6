//! Nodes that are known when the network is loaded: constants, shapes, and those that do nothing.

use burn_backend::DType;

use super::node::counts;
use super::{Converted, NodeView, Result};
use crate::graph::constant::{Constant, Known, read};
use crate::graph::import::GREATEST_ELEMENTS;

fn known(constant: Constant) -> Result<Converted> {
    Ok(Converted::Known(Known::Constant(constant)))
}

/// Nothing to do while inferring.
pub(super) fn identity(node: &NodeView<'_>) -> Result<Converted> {
    Ok(Converted::Known(node.input(0)?.clone()))
}

pub(super) fn dropout(node: &NodeView<'_>) -> Result<Converted> {
    let training = match node.optional(2)? {
        None => false,
        Some(Known::Constant(constant)) => read(constant.tensor.clone())?.first() == Some(&1.0),
        Some(Known::Value { .. }) => true,
    };
    if training {
        return Err("it is exported for training; export it with model.eval()".to_owned());
    }
    identity(node)
}

pub(super) fn constant(node: &NodeView<'_>) -> Result<Converted> {
    let of =
        |values: Vec<f64>, shape: &[usize], kind| Constant::from_values(values, shape, kind, node.device());
    if let Some(tensor) = node.tensor("value") {
        return known(Constant::from_file(tensor.clone(), node.device())?);
    }
    if let Some(value) = node.integer("value_int") {
        return known(of(vec![value as f64], &[], DType::I64));
    }
    if let Some(values) = node.integers("value_ints") {
        return known(of(values.iter().map(|value| *value as f64).collect(), &[values.len()], DType::I64));
    }
    if node.has("value_float") {
        return known(of(vec![node.float("value_float", 0.0)], &[], DType::F32));
    }
    if let Some(values) = node.floats("value_floats") {
        return known(of(
            values.iter().map(|value| f64::from(*value)).collect(),
            &[values.len()],
            DType::F32,
        ));
    }
    Err("its value is no tensor of numbers".to_owned())
}

pub(super) fn shape(node: &NodeView<'_>) -> Result<Converted> {
    let shape = node.shape(0)?;
    let rank = shape.len() as i64;
    let place = |name, default| {
        let place = node.integer(name).unwrap_or(default);
        (if place < 0 { place + rank } else { place }).clamp(0, rank) as usize
    };
    let (start, end) = (place("start", 0), place("end", rank));
    let sides = |shape: &[usize]| -> Vec<f64> {
        shape.get(start..end).unwrap_or_default().iter().map(|side| *side as f64).collect()
    };
    let of = |shape: &[usize]| {
        let sides = sides(shape);
        let count = sides.len();
        Constant::from_values(sides, &[count], DType::I64, node.device())
    };
    let one = of(&shape);
    let doubled = node.doubled_shape(0)?.filter(|two| sides(two) != sides(&shape)).map(|two| of(&two).tensor);
    known(Constant { doubled, ..one })
}

pub(super) fn size(node: &NodeView<'_>) -> Result<Converted> {
    let elements = |shape: &[usize]| shape.iter().product::<usize>() as f64;
    let of = |shape: &[usize]| Constant::from_values(vec![elements(shape)], &[], DType::I64, node.device());
    let one = of(&node.shape(0)?);
    let doubled = node.doubled_shape(0)?.map(|two| of(&two).tensor);
    known(Constant { doubled, ..one })
}

/// For one picture; operators repeat what is the same for all where they need it for more.
pub(super) fn constant_of_shape(node: &NodeView<'_>) -> Result<Converted> {
    let shape = counts(&node.list(0)?.ok_or("its shape is missing")?.values, "shape")?;
    let elements = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    let elements = elements
        .filter(|elements| *elements <= GREATEST_ELEMENTS)
        .ok_or_else(|| format!("it makes a tensor of {shape:?}, which is too great"))?;
    let (value, kind) = match node.tensor("value") {
        Some(tensor) => {
            let value = Constant::from_file(tensor.clone(), node.device())?;
            (read(value.tensor)?.first().copied().unwrap_or(0.0), value.kind)
        }
        None => (0.0, DType::F32),
    };
    known(Constant::from_values(vec![value; elements], &shape, kind, node.device()))
}

pub(super) fn range(node: &NodeView<'_>) -> Result<Converted> {
    let number = |index| node.number(index)?.ok_or_else(|| format!("its input {index} is missing"));
    let (start, end, step) = (number(0)?, number(1)?, number(2)?);
    let count = ((end - start) / step).ceil().max(0.0);
    if count.is_nan() || count > GREATEST_ELEMENTS as f64 {
        return Err(format!("the range from {start} to {end} by {step} is not valid"));
    }
    let values: Vec<f64> = (0..count as usize).map(|index| start + index as f64 * step).collect();
    let count = values.len();
    known(Constant::from_values(values, &[count], node.kind(0)?, node.device()))
}
