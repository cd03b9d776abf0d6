//! Operators that work on each element by itself.

use burn_backend::Scalar;
use burn_backend::ops::{ActivationOps, FloatTensorOps};

use super::{B, Primitive, shape_of, with_rank};

/// Of one operand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Unary {
    Relu,
    Clip { least: Option<f64>, greatest: Option<f64> },
    LeakyRelu { slope: f64 },
    HardSigmoid { alpha: f64, beta: f64 },
    HardSwish,
    Sigmoid,
    Tanh,
    Gelu,
    Erf,
    Exp,
    Sqrt,
    Neg,
}

/// Of two operands, broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
}

pub(super) fn unary(operator: &Unary, x: Primitive) -> Primitive {
    match operator {
        Unary::Relu => B::relu(x),
        Unary::Clip { least, greatest } => clip(x, *least, *greatest),
        Unary::LeakyRelu { slope } => B::leaky_relu(x, Scalar::Float(*slope)),
        Unary::HardSigmoid { alpha, beta } => B::hard_sigmoid(x, Scalar::Float(*alpha), Scalar::Float(*beta)),
        Unary::HardSwish => {
            let gate = B::hard_sigmoid(x.clone(), Scalar::Float(1.0 / 6.0), Scalar::Float(0.5));
            B::float_mul(x, gate)
        }
        Unary::Sigmoid => B::sigmoid(x),
        Unary::Tanh => B::float_tanh(x),
        Unary::Gelu => B::gelu(x),
        Unary::Erf => B::float_erf(x),
        Unary::Exp => B::float_exp(x),
        Unary::Sqrt => B::float_sqrt(x),
        Unary::Neg => B::float_neg(x),
    }
}

fn clip(x: Primitive, least: Option<f64>, greatest: Option<f64>) -> Primitive {
    match (least, greatest) {
        (Some(least), Some(greatest)) => B::float_clamp(x, Scalar::Float(least), Scalar::Float(greatest)),
        (Some(least), None) => B::float_clamp_min(x, Scalar::Float(least)),
        (None, Some(greatest)) => B::float_clamp_max(x, Scalar::Float(greatest)),
        (None, None) => x,
    }
}

pub(super) fn binary(operator: Binary, a: Primitive, b: Primitive) -> Primitive {
    let rank = shape_of(&a).len().max(shape_of(&b).len());
    let (a, b) = (with_rank(a, rank), with_rank(b, rank));
    match operator {
        Binary::Add => B::float_add(a, b),
        Binary::Subtract => B::float_sub(a, b),
        Binary::Multiply => B::float_mul(a, b),
        Binary::Divide => B::float_div(a, b),
    }
}
