//! Products of matrices.

use burn_backend::ops::FloatTensorOps;

use super::{Applied, Converted, NodeView, Result};
use crate::graph::constant::{Constant, Known};
use crate::operators::einsum::Einsum;
use crate::operators::matrix::Gemm;
use crate::operators::{B, Operator, shape_of};

pub(super) fn multiply(node: &NodeView<'_>) -> Result<Converted> {
    let (left, right) = (node.shape(0)?, node.shape(1)?);
    if left.len() < 2 || right.len() < 2 {
        return Err(format!("products of vectors ({left:?} × {right:?}) are lacking"));
    }
    if left.last() != right.iter().rev().nth(1) {
        return Err(format!("matrices {left:?} and {right:?} do not fit"));
    }
    node.apply_to(2, Operator::MatMul).map(Converted::Apply)
}

/// A plain product with constant weights and a vector as bias is what Burn calls linear.
pub(super) fn gemm(node: &NodeView<'_>) -> Result<Converted> {
    let settings = Gemm {
        alpha: node.float("alpha", 1.0) as f32,
        beta: node.float("beta", 1.0) as f32,
        transpose_left: node.flag("transA", false),
        transpose_right: node.flag("transB", false),
    };
    let inner = |shape: &[usize], transposed: bool, left: bool| {
        let last = left != transposed;
        if shape.len() == 2 { Some(shape[usize::from(last)]) } else { None }
    };
    let (left, right) = (node.shape(0)?, node.shape(1)?);
    let fits = inner(&left, settings.transpose_left, true) == inner(&right, settings.transpose_right, false);
    if !fits || left.len() != 2 {
        return Err(format!("matrices {left:?} and {right:?} do not fit"));
    }
    let bias = node.optional(2)?.cloned();
    let columns = if settings.transpose_right { right[0] } else { right[1] };
    let vector = match &bias {
        None => true,
        Some(Known::Constant(bias)) => shape_of(&bias.tensor) == [columns],
        Some(Known::Value { .. }) => false,
    };
    let plain = settings.alpha == 1.0 && settings.beta == 1.0 && !settings.transpose_left && vector;
    let (operator, weights) = match node.input(1)? {
        Known::Constant(weights) if plain => {
            (Operator::Linear, Known::Constant(upright(weights, settings.transpose_right)))
        }
        other => (Operator::Gemm(settings), other.clone()),
    };
    let operands = [node.input(0)?.clone(), weights].into_iter().chain(bias).collect();
    Ok(Applied::new(operator, operands).into())
}

/// Weights as `[in, out]`: another view of the same numbers, which products read as they lie.
fn upright(weights: &Constant, transposed: bool) -> Constant {
    if !transposed {
        return weights.clone();
    }
    Constant { tensor: B::float_transpose(weights.tensor.clone()), ..weights.clone() }
}

pub(super) fn einsum(node: &NodeView<'_>) -> Result<Converted> {
    let equation: String = node.text("equation", "")?.split_whitespace().collect();
    let lacking = || format!("the equation {equation:?} is lacking, products of two tensors are supported");
    let (inputs, output) = equation.split_once("->").ok_or_else(lacking)?;
    let (left, right) = inputs.split_once(',').ok_or_else(lacking)?;
    let letters = |text: &str| text.chars().collect::<Vec<char>>();
    let settings = Einsum { left: letters(left), right: letters(right), output: letters(output) };
    let known = [left, right, output].iter().all(|text| text.chars().all(char::is_alphabetic));
    let ranks = settings.left.len() == node.shape(0)?.len() && settings.right.len() == node.shape(1)?.len();
    if !known || !ranks || !settings.is_product() {
        return Err(lacking());
    }
    node.apply_to(2, Operator::Einsum(settings)).map(Converted::Apply)
}
