//! Arithmetic, comparisons and logic, element by element.

use burn_backend::ops::{ActivationOps, BoolTensorOps, FloatTensorOps};
use burn_backend::tensor::BoolTensor;
use burn_backend::{BoolStore, FloatDType, Scalar, TensorMetadata};

use super::{B, Primitive, WrongOperands, shape_of, with_rank};

/// How the backend keeps truth values.
pub(super) const TRUTH: BoolStore = BoolStore::Native;

/// Of one operand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unary {
    Abs,
    Ceil,
    Cos,
    Erf,
    Exp,
    Floor,
    Log,
    Neg,
    Not,
    Reciprocal,
    /// To the nearest whole number, halves to the even one.
    Round,
    Sign,
    Sin,
    Sqrt,
    /// Towards zero.
    Truncate,
    /// 1 for all but 0.
    Truth,
    Power {
        exponent: f64,
    },
}

/// Of two operands, broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// Of whole numbers: the quotient without its fraction.
    DivideWhole,
    Power,
    /// With the sign of the divisor.
    Modulo,
    /// With the sign of the dividend.
    Remainder,
    Least,
    Greatest,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    And,
    Or,
    Xor,
    /// The second operand is the slope below 0.
    Prelu,
}

/// Any number of operands, joined one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accumulate {
    pub(crate) with: Binary,
    /// Whether the result is divided by the number of operands.
    pub(crate) mean: bool,
}

pub(super) fn unary(operator: Unary, x: Primitive) -> Primitive {
    match operator {
        Unary::Abs => B::float_abs(x),
        Unary::Ceil => B::float_ceil(x),
        Unary::Cos => B::float_cos(x),
        Unary::Erf => B::float_erf(x),
        Unary::Exp => B::float_exp(x),
        Unary::Floor => B::float_floor(x),
        Unary::Log => B::float_log(x),
        Unary::Neg => B::float_neg(x),
        Unary::Not => B::float_add_scalar(B::float_neg(x), Scalar::Float(1.0)),
        Unary::Reciprocal => B::float_recip(x),
        Unary::Round => B::float_round(x),
        Unary::Sign => B::float_sign(x),
        Unary::Sin => B::float_sin(x),
        Unary::Sqrt => B::float_sqrt(x),
        Unary::Truncate => B::float_trunc(x),
        Unary::Truth => {
            let kind = x.dtype();
            to_float(B::float_not_equal_elem(x, Scalar::Float(0.0), TRUTH), kind.into())
        }
        Unary::Power { exponent: 2.0 } => B::float_mul(x.clone(), x),
        Unary::Power { exponent: 0.5 } => B::float_sqrt(x),
        Unary::Power { exponent } => B::float_powf_scalar(x, Scalar::Float(exponent)),
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
        Binary::DivideWhole => B::float_trunc(B::float_div(a, b)),
        Binary::Power => B::float_powf(a, b),
        Binary::Modulo => B::float_remainder(a, b),
        Binary::Remainder => {
            let whole = B::float_trunc(B::float_div(a.clone(), b.clone()));
            B::float_sub(a, B::float_mul(whole, b))
        }
        Binary::Least => {
            let (a, b) = alike(a, b);
            let above = B::float_greater(a.clone(), b.clone(), TRUTH);
            B::float_mask_where(a, above, b)
        }
        Binary::Greatest => {
            let (a, b) = alike(a, b);
            let below = B::float_lower(a.clone(), b.clone(), TRUTH);
            B::float_mask_where(a, below, b)
        }
        Binary::And => B::float_mul(a, b),
        Binary::Or => {
            let both = B::float_mul(a.clone(), b.clone());
            B::float_sub(B::float_add(a, b), both)
        }
        Binary::Xor => B::float_abs(B::float_sub(a, b)),
        Binary::Prelu => B::prelu(a, b),
        _ => compare(operator, a, b),
    }
}

fn compare(operator: Binary, a: Primitive, b: Primitive) -> Primitive {
    let kind = a.dtype();
    let (a, b) = alike(a, b);
    let truth = match operator {
        Binary::Greater => B::float_greater(a, b, TRUTH),
        Binary::GreaterOrEqual => B::float_greater_equal(a, b, TRUTH),
        Binary::Less => B::float_lower(a, b, TRUTH),
        Binary::LessOrEqual => B::float_lower_equal(a, b, TRUTH),
        _ => B::float_equal(a, b, TRUTH),
    };
    to_float(truth, kind.into())
}

fn to_float(truth: BoolTensor<B>, kind: FloatDType) -> Primitive {
    B::bool_into_float(truth, kind)
}

/// Both in the shape that they broadcast to.
fn alike(a: Primitive, b: Primitive) -> (Primitive, Primitive) {
    let (from_a, from_b) = (shape_of(&a), shape_of(&b));
    if from_a == from_b {
        return (a, b);
    }
    let sides = from_a.iter().zip(&from_b);
    let shape: Vec<usize> = sides.map(|(a, b)| if *a == 1 { *b } else { *a }).collect();
    (super::shape::expand(a, &shape), super::shape::expand(b, &shape))
}

pub(super) fn accumulate(
    settings: &Accumulate,
    operands: Vec<Primitive>,
) -> Result<Primitive, WrongOperands> {
    let count = operands.len();
    let joined = operands.into_iter().reduce(|a, b| binary(settings.with, a, b)).ok_or(WrongOperands)?;
    Ok(if settings.mean { B::float_div_scalar(joined, Scalar::Float(count as f64)) } else { joined })
}

/// Operands: condition, what to take where it holds, what to take elsewhere.
pub(super) fn choose(operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let [condition, a, b] = <[Primitive; 3]>::try_from(operands).map_err(|_| WrongOperands)?;
    let rank = [&condition, &a, &b].map(|x| shape_of(x).len()).into_iter().max().unwrap_or(1);
    let (condition, a, b) = (with_rank(condition, rank), with_rank(a, rank), with_rank(b, rank));
    let (a, b) = alike(a, b);
    let (condition, a) = alike(condition, a);
    let (_, b) = alike(condition.clone(), b);
    let truth = B::float_not_equal_elem(condition, Scalar::Float(0.0), TRUTH);
    Ok(B::float_mask_where(b, truth, a))
}
