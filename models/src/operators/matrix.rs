//! Matrix products.

use std::borrow::Cow;

use burn_backend::Scalar;
use burn_backend::ops::{FloatTensorOps, ModuleOps};

use super::arithmetic::{Binary, binary};
use super::processor::{numbers, on_the_processor};
use super::{B, Primitive, Spare, WrongOperands, shape_of, two_or_three, with_rank};
use crate::kernels::product;

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

/// The shape of a product with a matrix that our kernel takes, and how many biases there must be, if any; `None` where the two
/// do not fit.
pub(super) fn output_shape(input: &[usize], weights: &[usize]) -> Option<(Vec<usize>, usize)> {
    let ([before @ .., last], [inner, outputs]) = (input, weights) else { return None };
    let fits = last == inner && *inner >= LEAST_INNER && !before.is_empty();
    fits.then(|| ([before, &[*outputs]].concat(), *outputs))
}

/// Input `[…, in]` × weights `[in, out]` + bias `[out]`.
pub(super) fn linear(operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (x, weights, bias) = two_or_three(operands)?;
    Ok(B::linear(x, weights, bias))
}

/// A product with constant weights on the processor, for our own kernel.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// `[out, in]`, in order.
    weights: Primitive,
    bias: Option<Primitive>,
}

/// Shorter sums than these few vectors are left to Burn.
const LEAST_INNER: usize = 64;

impl Prepared {
    /// Takes weights `[in, out]` and a bias `[out]`, where our kernel can multiply by them: on the processor, in `f32`.
    ///
    /// Weights that a file holds as `[out, in]` come here as a view of that, and stay where they are; others are
    /// turned once.
    pub(crate) fn new(weights: &Primitive, bias: Option<&Primitive>) -> Option<Self> {
        let [inner, outputs] = shape_of(weights)[..] else { return None };
        if inner < LEAST_INNER || bias.is_some_and(|bias| shape_of(bias) != [outputs]) {
            return None;
        }
        let turned = B::float_transpose(weights.clone());
        let in_order = match numbers(&turned)? {
            Cow::Borrowed(_) => None,
            Cow::Owned(numbers) => Some(on_the_processor(numbers, vec![outputs, inner])),
        };
        Some(Self { weights: in_order.unwrap_or(turned), bias: bias.cloned() })
    }
}

pub(super) fn run_prepared(
    prepared: &Prepared,
    x: Primitive,
    spare: &mut Spare,
) -> Result<Primitive, WrongOperands> {
    let mut shape = shape_of(&x);
    let [outputs, inner] = shape_of(&prepared.weights)[..] else { return Err(WrongOperands) };
    let last = shape.last_mut().filter(|last| **last == inner).ok_or(WrongOperands)?;
    *last = outputs;
    let bias = match &prepared.bias {
        Some(bias) => numbers(bias).ok_or(WrongOperands)?,
        None => Cow::Borrowed(&[][..]),
    };
    let weights = numbers(&prepared.weights).ok_or(WrongOperands)?;
    let mut made = spare.take(shape.iter().product());
    product(&numbers(&x).ok_or(WrongOperands)?, &weights, &bias, inner, &mut made);
    spare.give(x);
    Ok(on_the_processor(made, shape))
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
