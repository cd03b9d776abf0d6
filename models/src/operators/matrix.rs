//! Matrix products.

use burn_backend::Scalar;
use burn_backend::ops::{FloatTensorOps, ModuleOps};

use super::arithmetic::{Binary, binary};
use super::{B, Primitive, WrongOperands, shape_of, two_or_three, with_rank};

/// ONNX's general product: `alpha × A' × B' + beta × C`.
#[derive(Debug, Clone)]
pub(crate) struct Gemm {
    pub(crate) alpha: f32,
    pub(crate) beta: f32,
    pub(crate) transpose_left: bool,
    pub(crate) transpose_right: bool,
}

impl Gemm {
    /// Length of the sums, for a left operand of this shape.
    pub(super) fn inner(&self, left: &[usize]) -> usize {
        let side = if self.transpose_left { left.first() } else { left.last() };
        side.copied().unwrap_or(1)
    }
}

/// Product over the two last dimensions, broadcast over the others.
pub(super) fn multiply(a: Primitive, b: Primitive) -> Primitive {
    let rank = shape_of(&a).len().max(shape_of(&b).len());
    B::float_matmul(with_rank(a, rank), with_rank(b, rank))
}

/// Input `[…, in]` × weights `[in, out]` + bias `[out]`.
pub(super) fn linear(operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (x, weights, bias) = two_or_three(operands)?;
    Ok(B::linear(x, weights, bias))
}

pub(super) fn gemm(settings: &Gemm, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (a, b, c) = two_or_three(operands)?;
    let a = if settings.transpose_left { B::float_transpose(a) } else { a };
    let b = if settings.transpose_right { B::float_transpose(b) } else { b };
    let product = scaled(B::float_matmul(a, b), settings.alpha);
    Ok(match c {
        Some(c) => binary(Binary::Add, product, scaled(c, settings.beta)),
        None => product,
    })
}

fn scaled(x: Primitive, factor: f32) -> Primitive {
    if factor == 1.0 { x } else { B::float_mul_scalar(x, Scalar::Float(f64::from(factor))) }
}
