//! Arithmetic, comparisons and logic.

use burn_backend::{BoolStore, DType};

use super::{Applied, Converted, NodeView, Result};
use crate::graph::constant::{Constant, Known, is_whole, read};
use crate::operators::Operator;
use crate::operators::arithmetic::{Accumulate, Binary, Unary};

/// What comparisons give.
pub(super) const TRUTH: DType = DType::Bool(BoolStore::Native);

pub(super) fn unary(node: &NodeView<'_>, unary: Unary) -> Result<Converted> {
    node.apply(Operator::Unary(unary))
}

pub(super) fn binary(node: &NodeView<'_>, binary: Binary) -> Result<Converted> {
    node.apply_to(2, Operator::Binary(binary)).map(Converted::Apply)
}

pub(super) fn comparison(node: &NodeView<'_>, binary: Binary) -> Result<Converted> {
    Ok(node.apply_to(2, Operator::Binary(binary))?.of_kinds(vec![TRUTH]).into())
}

/// Of whole numbers it has no fraction.
pub(super) fn division(node: &NodeView<'_>) -> Result<Converted> {
    binary(node, if is_whole(node.kind(0)?) { Binary::DivideWhole } else { Binary::Divide })
}

pub(super) fn modulo(node: &NodeView<'_>) -> Result<Converted> {
    binary(node, if node.flag("fmod", false) { Binary::Remainder } else { Binary::Modulo })
}

/// A constant exponent needs no general power.
pub(super) fn power(node: &NodeView<'_>) -> Result<Converted> {
    match node.input(1)? {
        Known::Constant(exponent) => match read(exponent.tensor.clone())?[..] {
            [exponent] => unary(node, Unary::Power { exponent }),
            _ => binary(node, Binary::Power),
        },
        Known::Value { .. } => binary(node, Binary::Power),
    }
}

pub(super) fn accumulate(node: &NodeView<'_>, with: Binary, mean: bool) -> Result<Converted> {
    let operator = Operator::Accumulate(Accumulate { with, mean });
    node.apply_to(node.inputs(), operator).map(Converted::Apply)
}

pub(super) fn choose(node: &NodeView<'_>) -> Result<Converted> {
    let kind = node.kind(1)?;
    Ok(node.apply_to(3, Operator::Where)?.of_kinds(vec![kind]).into())
}

pub(super) fn cast(node: &NodeView<'_>) -> Result<Converted> {
    let to = node.integer("to").ok_or("it does not say to what")?;
    cast_to(node, kind(to)?)
}

pub(super) fn cast_like(node: &NodeView<'_>) -> Result<Converted> {
    cast_to(node, node.kind(1)?)
}

fn cast_to(node: &NodeView<'_>, to: DType) -> Result<Converted> {
    let from = node.kind(0)?;
    let operator = match (from, to) {
        (from, to) if to == TRUTH && from != TRUTH => Unary::Truth,
        (from, to) if !is_whole(from) && is_whole(to) => Unary::Truncate,
        _ => return Ok(Converted::Known(relabelled(node.input(0)?, to))),
    };
    Ok(Applied::new(Operator::Unary(operator), vec![node.input(0)?.clone()]).of_kinds(vec![to]).into())
}

/// The same numbers called something else.
fn relabelled(known: &Known, kind: DType) -> Known {
    match known {
        Known::Value { id, .. } => Known::Value { id: *id, kind },
        Known::Constant(constant) => {
            let same =
                |tensor: &crate::operators::Primitive| Constant::new(tensor.clone(), kind, constant.scalar);
            let doubled = constant.doubled.as_ref().map(|tensor| same(tensor).tensor);
            Known::Constant(Constant { doubled, ..same(&constant.tensor) })
        }
    }
}

/// The kinds of the format, by its numbers.
pub(super) fn kind(number: i64) -> Result<DType> {
    Ok(match number {
        1 => DType::F32,
        2 => DType::U8,
        3 => DType::I8,
        4 => DType::U16,
        5 => DType::I16,
        6 => DType::I32,
        7 => DType::I64,
        9 => TRUTH,
        10 => DType::F16,
        11 => DType::F64,
        12 => DType::U32,
        13 => DType::U64,
        16 => DType::BF16,
        other => return Err(format!("elements of type {other} are lacking")),
    })
}
