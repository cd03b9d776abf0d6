//! Normalisation.

use burn_backend::Scalar;
use burn_backend::ops::{ActivationOps, FloatTensorOps, ModuleOps};

use super::selection::{Range, pad_constant, slice};
use super::{B, Primitive, WrongOperands, reshape, shape_of, two_or_three};

/// To mean 0 and variance 1, then by scale and (optionally) shift, which broadcast to the input.
#[derive(Debug, Clone)]
pub(crate) struct Normalise {
    pub(crate) over: Over,
    pub(crate) epsilon: f64,
}

/// Over which elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// All from this axis on; scale and shift have one element for each of them.
    AxesFrom(usize),
    /// The elements of each of so many groups of channels.
    Groups(usize),
}

/// Each element by the size of those at its place in the channels around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LocalResponse {
    pub(crate) size: usize,
    pub(crate) alpha: f64,
    pub(crate) beta: f64,
    pub(crate) bias: f64,
}

/// Exponentials that sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Softmax {
    pub(crate) axis: usize,
    /// Whether the sum is over all axes from this one on, as before opset 13.
    pub(crate) flat: bool,
    pub(crate) logarithm: bool,
}

/// A batch normalisation with its statistics folded to a scale and a shift at load.
pub(super) fn affine(operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    match two_or_three(operands)? {
        (x, scale, Some(shift)) => Ok(B::float_add(B::float_mul(x, scale), shift)),
        _ => Err(WrongOperands),
    }
}

pub(super) fn normalise(settings: &Normalise, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (x, scale, shift) = two_or_three(operands)?;
    let shape = shape_of(&x);
    Ok(match settings.over {
        Over::AxesFrom(axis) => {
            let inner: usize = shape[axis..].iter().product();
            let outer: Vec<usize> = shape[..axis].iter().copied().chain([inner]).collect();
            reshape(B::layer_norm(reshape(x, &outer), scale, shift, settings.epsilon), &shape)
        }
        Over::Groups(groups) => {
            let inner = shape[1..].iter().product::<usize>() / groups.max(1);
            let flat = standardised(reshape(x, &[shape[0], groups, inner]), 2, settings.epsilon);
            let scaled = B::float_mul(reshape(flat, &shape), scale);
            shift.into_iter().fold(scaled, B::float_add)
        }
    })
}

fn standardised(x: Primitive, axis: usize, epsilon: f64) -> Primitive {
    let centred = B::float_sub(x.clone(), B::float_mean_dim(x, axis));
    let variance = B::float_mean_dim(B::float_mul(centred.clone(), centred.clone()), axis);
    B::float_div(centred, B::float_sqrt(B::float_add_scalar(variance, Scalar::Float(epsilon))))
}

pub(super) fn local_response(settings: &LocalResponse, x: Primitive) -> Primitive {
    let shape = shape_of(&x);
    let before = (settings.size - 1) / 2;
    let mut pads = vec![(0, 0); shape.len()];
    pads[1] = (before, settings.size - 1 - before);
    let squares = pad_constant(B::float_mul(x.clone(), x.clone()), &pads, 0.0);
    let shifted = (0..settings.size).map(|offset| {
        let mut ranges = vec![Range::WHOLE; shape.len()];
        ranges[1] = Range { start: offset, end: offset + shape[1], step: 1 };
        slice(squares.clone(), &ranges)
    });
    let Some(sum) = shifted.reduce(B::float_add) else { return x };
    let scale = Scalar::Float(settings.alpha / settings.size as f64);
    let base = B::float_add_scalar(B::float_mul_scalar(sum, scale), Scalar::Float(settings.bias));
    B::float_div(x, B::float_powf_scalar(base, Scalar::Float(settings.beta)))
}

pub(super) fn softmax(settings: &Softmax, x: Primitive) -> Primitive {
    let shape = shape_of(&x);
    let (x, axis) = if settings.flat {
        let inner = shape[settings.axis..].iter().product();
        let outer: Vec<usize> = shape[..settings.axis].iter().copied().chain([inner]).collect();
        (reshape(x, &outer), settings.axis)
    } else {
        (x, settings.axis)
    };
    let made = if settings.logarithm { B::log_softmax(x, axis) } else { B::softmax(x, axis) };
    if settings.flat { reshape(made, &shape) } else { made }
}
