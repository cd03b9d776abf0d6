//! Activation functions.

use burn_backend::Scalar;
use burn_backend::ops::{ActivationOps, FloatTensorOps};

use super::{B, Primitive};
use crate::kernels::Clamp;

/// Of one operand, element by element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Activation {
    Relu,
    ThresholdedRelu {
        threshold: f64,
    },
    Clip {
        least: Option<f64>,
        greatest: Option<f64>,
    },
    LeakyRelu {
        slope: f64,
    },
    HardSigmoid {
        alpha: f64,
        beta: f64,
    },
    HardSwish,
    Sigmoid,
    Swish {
        alpha: f64,
    },
    Mish,
    Tanh,
    Gelu,
    TanhGelu,
    Softplus,
    Softsign,
    /// `gamma × x` above 0, `gamma × alpha × (exp(x / width) − 1)` below: Elu, Selu and Celu.
    Elu {
        alpha: f64,
        gamma: f64,
        width: f64,
    },
}

impl Activation {
    /// The bounds that its output keeps within, where it does nothing else.
    pub(super) fn as_clamp(&self) -> Option<Clamp> {
        match *self {
            Self::Relu => Some(Clamp { least: 0.0, ..Clamp::NONE }),
            Self::Clip { least, greatest } => Some(Clamp {
                least: least.map_or(f32::NEG_INFINITY, |least| least as f32),
                greatest: greatest.map_or(f32::INFINITY, |greatest| greatest as f32),
            }),
            _ => None,
        }
    }
}

pub(super) fn run(activation: &Activation, x: Primitive) -> Primitive {
    match *activation {
        Activation::Relu => B::relu(x),
        Activation::ThresholdedRelu { threshold } => thresholded_relu(x, threshold),
        Activation::Clip { least, greatest } => clip(x, least, greatest),
        Activation::LeakyRelu { slope } => B::leaky_relu(x, Scalar::Float(slope)),
        Activation::HardSigmoid { alpha, beta } => {
            B::hard_sigmoid(x, Scalar::Float(alpha), Scalar::Float(beta))
        }
        Activation::HardSwish => {
            let gate = B::hard_sigmoid(x.clone(), Scalar::Float(1.0 / 6.0), Scalar::Float(0.5));
            B::float_mul(x, gate)
        }
        Activation::Sigmoid => B::sigmoid(x),
        Activation::Swish { alpha } => B::float_mul(x.clone(), B::sigmoid(scaled(x, alpha))),
        Activation::Mish => B::float_mul(x.clone(), B::float_tanh(softplus(x))),
        Activation::Tanh => B::float_tanh(x),
        Activation::Gelu => B::gelu(x),
        Activation::TanhGelu => tanh_gelu(x),
        Activation::Softplus => softplus(x),
        Activation::Softsign => {
            let size = B::float_add_scalar(B::float_abs(x.clone()), Scalar::Float(1.0));
            B::float_div(x, size)
        }
        Activation::Elu { alpha, gamma, width } => elu(x, alpha, gamma, width),
    }
}

pub(crate) fn clip(x: Primitive, least: Option<f64>, greatest: Option<f64>) -> Primitive {
    match (least, greatest) {
        (Some(least), Some(greatest)) => B::float_clamp(x, Scalar::Float(least), Scalar::Float(greatest)),
        (Some(least), None) => B::float_clamp_min(x, Scalar::Float(least)),
        (None, Some(greatest)) => B::float_clamp_max(x, Scalar::Float(greatest)),
        (None, None) => x,
    }
}

pub(super) fn scaled(x: Primitive, factor: f64) -> Primitive {
    if factor == 1.0 { x } else { B::float_mul_scalar(x, Scalar::Float(factor)) }
}

fn thresholded_relu(x: Primitive, threshold: f64) -> Primitive {
    let below = B::float_lower_equal_elem(x.clone(), Scalar::Float(threshold), super::arithmetic::TRUTH);
    B::float_mask_fill(x, below, Scalar::Float(0.0))
}

/// `log(1 + exp(x))`, in the form that does not overflow: `max(x, 0) + log(1 + exp(−|x|))`.
fn softplus(x: Primitive) -> Primitive {
    let tail = B::float_log1p(B::float_exp(B::float_neg(B::float_abs(x.clone()))));
    B::float_add(B::relu(x), tail)
}

fn tanh_gelu(x: Primitive) -> Primitive {
    let cubed = B::float_mul(B::float_mul(x.clone(), x.clone()), x.clone());
    let inner = B::float_add(x.clone(), scaled(cubed, 0.044_715));
    let gate = B::float_tanh(scaled(inner, (2.0 / std::f64::consts::PI).sqrt()));
    scaled(B::float_mul(x, B::float_add_scalar(gate, Scalar::Float(1.0))), 0.5)
}

fn elu(x: Primitive, alpha: f64, gamma: f64, width: f64) -> Primitive {
    let below = B::float_clamp_max(x.clone(), Scalar::Float(0.0));
    let curve = B::float_sub_scalar(B::float_exp(scaled(below, 1.0 / width)), Scalar::Float(1.0));
    scaled(B::float_add(B::relu(x), scaled(curve, alpha)), gamma)
}
