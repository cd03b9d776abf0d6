//! Normalisation.

use burn_backend::ops::{ActivationOps, FloatTensorOps, ModuleOps};

use super::{B, Primitive, WrongOperands, two_or_three};

/// A batch normalisation with its statistics folded to a scale and a shift at load.
pub(super) fn affine(operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    match two_or_three(operands)? {
        (x, scale, Some(shift)) => Ok(B::float_add(B::float_mul(x, scale), shift)),
        _ => Err(WrongOperands),
    }
}

/// Over the last dimension; operands are input, scale and (optionally) shift.
pub(super) fn layer_norm(epsilon: f64, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (x, scale, shift) = two_or_three(operands)?;
    Ok(B::layer_norm(x, scale, shift, epsilon))
}

pub(super) fn softmax(axis: usize, x: Primitive) -> Primitive {
    B::softmax(x, axis)
}
