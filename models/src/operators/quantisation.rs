//! Quantised networks, computed in floating point with the rounding and the limits of whole numbers.

use burn_backend::Scalar;
use burn_backend::ops::FloatTensorOps;

use super::{B, Primitive, WrongOperands, two_or_three};

/// Least and greatest number that a type holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

/// Operands are the tensor, the scale and (optionally) the zero point, which broadcast to the tensor.
pub(super) fn quantise(limits: Limits, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (x, scale, zero) = two_or_three(operands)?;
    let rounded = B::float_round(B::float_div(x, scale));
    let moved = zero.into_iter().fold(rounded, B::float_add);
    Ok(B::float_clamp(moved, Scalar::Float(limits.least), Scalar::Float(limits.greatest)))
}

/// Operands as of [`quantise`].
pub(super) fn dequantise(operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (x, scale, zero) = two_or_three(operands)?;
    Ok(B::float_mul(zero.into_iter().fold(x, B::float_sub), scale))
}
