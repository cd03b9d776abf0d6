//! The operators of the interpreter: each takes tensors of any rank and gives one.
//!
//! Shapes were checked when the network was loaded (every node is run once then); an operator that is given
//! other shapes may panic, which [`crate::graph`] catches.

pub(crate) mod convolution;
pub(crate) mod elementwise;
pub(crate) mod matrix;
pub(crate) mod normalisation;
pub(crate) mod pooling;
pub(crate) mod shape;

use burn_backend::ops::FloatTensorOps;
use burn_backend::tensor::FloatTensor;
use burn_backend::{Shape, TensorMetadata};
use burn_dispatch::Dispatch;

/// The backend: Burn's own choice among those compiled in, by device.
pub(crate) type B = Dispatch;

/// A tensor of the backend; clones share the data.
pub(crate) type Primitive = FloatTensor<B>;

/// One operator with its settings.
#[derive(Debug, Clone)]
pub(crate) enum Operator {
    Convolution(convolution::Convolution),
    MaxPool(pooling::Window),
    AveragePool { window: pooling::Window, count_padding: bool },
    GlobalAveragePool,
    MatMul,
    Linear,
    Gemm(matrix::Gemm),
    Affine,
    LayerNorm { epsilon: f64 },
    Softmax { axis: usize },
    Unary(elementwise::Unary),
    Binary(elementwise::Binary),
    Reshape { shape: Vec<usize> },
    Transpose { axes: Vec<usize> },
    Expand { shape: Vec<usize> },
    Concat { axis: usize },
    Slice { ranges: Vec<shape::Range> },
    Pad { pads: Vec<(usize, usize)>, value: f32 },
    Mean { axes: Vec<usize> },
}

impl Operator {
    /// Runs it. Operands are consumed, so that one nobody else holds can be overwritten in place.
    pub(crate) fn run(&self, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
        match self {
            Self::Convolution(settings) => convolution::run(settings, operands),
            Self::MaxPool(window) => one(operands).map(|x| pooling::max(window, x)),
            Self::AveragePool { window, count_padding } => {
                one(operands).map(|x| pooling::average(window, *count_padding, x))
            }
            Self::GlobalAveragePool => one(operands).map(pooling::global_average),
            Self::MatMul => two(operands).map(|(a, b)| matrix::multiply(a, b)),
            Self::Linear => matrix::linear(operands),
            Self::Gemm(settings) => matrix::gemm(settings, operands),
            Self::Affine => normalisation::affine(operands),
            Self::LayerNorm { epsilon } => normalisation::layer_norm(*epsilon, operands),
            Self::Softmax { axis } => one(operands).map(|x| normalisation::softmax(*axis, x)),
            Self::Unary(unary) => one(operands).map(|x| elementwise::unary(unary, x)),
            Self::Binary(binary) => two(operands).map(|(a, b)| elementwise::binary(*binary, a, b)),
            Self::Reshape { shape } => one(operands).map(|x| reshape(x, shape)),
            Self::Transpose { axes } => one(operands).map(|x| B::float_permute(x, axes)),
            Self::Expand { shape } => one(operands).map(|x| shape::expand(x, shape)),
            Self::Concat { axis } => Ok(B::float_cat(operands, *axis)),
            Self::Slice { ranges } => one(operands).map(|x| shape::slice(x, ranges)),
            Self::Pad { pads, value } => one(operands).map(|x| shape::pad(x, pads, *value)),
            Self::Mean { axes } => one(operands).map(|x| shape::mean(x, axes)),
        }
    }

    /// Multiply-accumulates of one run; 0 for all but convolutions and matrix products.
    pub(crate) fn macs(&self, operands: &[Vec<usize>], output: &[usize]) -> u64 {
        let made: u64 = output.iter().map(|side| *side as u64).product();
        let summed = match (self, operands) {
            (Self::Convolution(_), [_, weights, ..]) => weights.iter().skip(1).product(),
            (Self::MatMul | Self::Linear, [left, ..]) => left.last().copied().unwrap_or(1),
            (Self::Gemm(settings), [left, ..]) => settings.inner(left),
            _ => 0,
        };
        made * summed as u64
    }
}

/// An operator was given another number of operands than it takes.
#[derive(Debug)]
pub(crate) struct WrongOperands;

pub(crate) fn one(operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    <[Primitive; 1]>::try_from(operands).map(|[x]| x).map_err(|_| WrongOperands)
}

pub(crate) fn two(operands: Vec<Primitive>) -> Result<(Primitive, Primitive), WrongOperands> {
    <[Primitive; 2]>::try_from(operands).map(|[a, b]| (a, b)).map_err(|_| WrongOperands)
}

/// Two operands and a third that may be absent.
pub(crate) fn two_or_three(
    operands: Vec<Primitive>,
) -> Result<(Primitive, Primitive, Option<Primitive>), WrongOperands> {
    let mut operands = operands.into_iter();
    match (operands.next(), operands.next(), operands.next(), operands.next()) {
        (Some(a), Some(b), c, None) => Ok((a, b, c)),
        _ => Err(WrongOperands),
    }
}

pub(crate) fn shape_of(tensor: &Primitive) -> Vec<usize> {
    tensor.shape().as_slice().to_vec()
}

pub(crate) fn reshape(tensor: Primitive, shape: &[usize]) -> Primitive {
    B::float_reshape(tensor, Shape::from(shape.to_vec()))
}

/// Puts dimensions of 1 in front, as ONNX broadcasts; Burn wants equal ranks.
pub(crate) fn with_rank(tensor: Primitive, rank: usize) -> Primitive {
    let shape = shape_of(&tensor);
    if shape.len() >= rank {
        return tensor;
    }
    let mut longer = vec![1; rank - shape.len()];
    longer.extend(shape);
    reshape(tensor, &longer)
}
