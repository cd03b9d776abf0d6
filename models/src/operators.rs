//! The operators of the interpreter: each takes tensors of any rank and gives one or several.
//!
//! All compute in floating point: whole numbers and truth values (1 and 0) are floats without a fraction.
//! Shapes were checked when the network was loaded (every node is run once then); an operator that is given
//! other shapes may panic, which [`crate::graph`] catches.

pub(crate) mod activation;
pub(crate) mod arithmetic;
pub(crate) mod convolution;
pub(crate) mod einsum;
pub(crate) mod matrix;
pub(crate) mod normalisation;
pub(crate) mod pooling;
mod processor;
pub(crate) mod quantisation;
pub(crate) mod reduction;
pub(crate) mod resize;
pub(crate) mod selection;
pub(crate) mod shape;
mod size;
mod spare;
#[cfg(test)]
mod tests;

use burn_backend::ops::FloatTensorOps;
use burn_backend::tensor::FloatTensor;
use burn_backend::{Shape, TensorMetadata};
use burn_dispatch::Dispatch;

pub(crate) use self::size::elements_made;
pub(crate) use self::spare::Spare;
use crate::kernels::Clamp;

/// The backend: Burn's own choice among those compiled in, by device.
pub(crate) type B = Dispatch;

/// A tensor of the backend; clones share the data.
pub(crate) type Primitive = FloatTensor<B>;

/// One operator with its settings.
#[derive(Debug, Clone)]
pub(crate) enum Operator {
    Activation(activation::Activation),
    Unary(arithmetic::Unary),
    Binary(arithmetic::Binary),
    Accumulate(arithmetic::Accumulate),
    Where,
    Convolution(convolution::Convolution),
    Direct(convolution::Prepared),
    TransposedConvolution(convolution::Transposed),
    MaxPool(pooling::Window),
    AveragePool(pooling::Average),
    GlobalAveragePool,
    MatMul,
    Linear,
    Product(matrix::Prepared),
    Gemm(matrix::Gemm),
    Affine,
    Normalise(normalisation::Normalise),
    LocalResponse(normalisation::LocalResponse),
    Softmax(normalisation::Softmax),
    Reduce(reduction::Reduce),
    ByLength(reduction::Reduce),
    Extreme(reduction::Extreme),
    Best(reduction::Best),
    /// Each element with all before it along an axis.
    RunningSum {
        axis: usize,
    },
    Reshape(shape::Reshape),
    Transpose {
        axes: Vec<usize>,
    },
    Expand {
        shape: Vec<usize>,
    },
    Tile {
        repeats: Vec<usize>,
    },
    Concat {
        axis: usize,
    },
    Einsum(einsum::Einsum),
    Split {
        axis: usize,
        lengths: Vec<usize>,
    },
    Slice {
        ranges: Vec<selection::Range>,
    },
    Select(selection::Select),
    SelectEach {
        axis: usize,
    },
    SelectPlaces(selection::Places),
    Scatter,
    Pad(selection::Pad),
    Rearrange(shape::Rearrange),
    Resize(resize::Resize),
    Quantise(quantisation::Limits),
    Dequantise,
}

impl Operator {
    /// Runs it. Operands are consumed, so that one nobody else holds can be overwritten in place.
    pub(crate) fn run(
        &self,
        operands: Vec<Primitive>,
        spare: &mut Spare,
    ) -> Result<Vec<Primitive>, WrongOperands> {
        match self {
            Self::Split { axis, lengths } => one(operands).map(|x| selection::split(x, *axis, lengths)),
            Self::Best(settings) => one(operands).map(|x| reduction::best(settings, x)),
            _ => self.run_to_one(operands, spare).map(|made| vec![made]),
        }
    }

    /// Zeros of the shape that it makes of an input, weights and perhaps a bias; `None` unless it is one of those that
    /// take a network's time, on the processor, and they surely fit.
    pub(crate) fn stand_in(&self, operands: &[Primitive]) -> Option<Primitive> {
        let (input, weights, bias) = match operands {
            [input, weights] => (input, weights, None),
            [input, weights, bias] => (input, weights, Some(shape_of(bias))),
            _ => return None,
        };
        let (shape, biases) = match self {
            Self::Convolution(settings) => settings.output_shape(&shape_of(input), &shape_of(weights))?,
            Self::MatMul | Self::Linear => matrix::output_shape(&shape_of(input), &shape_of(weights))?,
            _ => return None,
        };
        let fits = bias.is_none_or(|bias| bias == [biases]);
        fits.then(|| processor::zeros_beside(operands, shape)).flatten()
    }

    /// Runs it and an activation after it at once, where the two can be joined.
    pub(crate) fn run_clamped(
        &self,
        operands: Vec<Primitive>,
        clamp: Clamp,
        spare: &mut Spare,
    ) -> Result<Primitive, WrongOperands> {
        match self {
            Self::Direct(prepared) => {
                one(operands).and_then(|x| convolution::run_prepared(prepared, x, clamp, spare))
            }
            _ => Err(WrongOperands),
        }
    }

    /// The clamp that it is, if it may be joined with a convolution before it.
    pub(crate) fn as_clamp(&self) -> Option<Clamp> {
        match self {
            Self::Activation(activation) => activation.as_clamp(),
            _ => None,
        }
    }

    fn run_to_one(&self, operands: Vec<Primitive>, spare: &mut Spare) -> Result<Primitive, WrongOperands> {
        match self {
            Self::Activation(activation) => one(operands).map(|x| activation::run(activation, x)),
            Self::Unary(unary) => one(operands).map(|x| arithmetic::unary(*unary, x)),
            Self::Binary(binary) => two(operands).map(|(a, b)| arithmetic::binary(*binary, a, b)),
            Self::Accumulate(settings) => arithmetic::accumulate(settings, operands),
            Self::Where => arithmetic::choose(operands),
            Self::Convolution(settings) => convolution::run(settings, operands),
            Self::Direct(_) => self.run_clamped(operands, Clamp::NONE, spare),
            Self::TransposedConvolution(settings) => convolution::run_transposed(settings, operands),
            Self::MaxPool(window) => one(operands).map(|x| pooling::max(window, x)),
            Self::AveragePool(settings) => pooling::average(settings, operands),
            Self::GlobalAveragePool => one(operands).map(pooling::global_average),
            Self::MatMul => two(operands).map(|(a, b)| matrix::multiply(a, b)),
            Self::Linear => matrix::linear(operands),
            Self::Product(prepared) => one(operands).and_then(|x| matrix::run_prepared(prepared, x, spare)),
            Self::Einsum(settings) => two(operands).map(|(a, b)| einsum::run(settings, a, b)),
            Self::Gemm(settings) => matrix::gemm(settings, operands),
            Self::Affine => normalisation::affine(operands),
            Self::Normalise(settings) => normalisation::normalise(settings, operands),
            Self::LocalResponse(settings) => {
                one(operands).map(|x| normalisation::local_response(settings, x))
            }
            Self::Softmax(settings) => one(operands).map(|x| normalisation::softmax(settings, x)),
            Self::Reduce(settings) => one(operands).map(|x| reduction::reduce(settings, x)),
            Self::ByLength(length) => one(operands).map(|x| reduction::by_length(length, x)),
            Self::Extreme(settings) => one(operands).map(|x| reduction::extreme(settings, x)),
            Self::RunningSum { axis } => one(operands).map(|x| B::float_cumsum(x, *axis)),
            _ => self.rearrange(operands),
        }
    }

    /// Those that move elements about or change how they are written.
    fn rearrange(&self, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
        match self {
            Self::Reshape(settings) => one(operands).map(|x| shape::to_shape(settings, x)),
            Self::Transpose { axes } => one(operands).map(|x| B::float_permute(x, axes)),
            Self::Expand { shape } => one(operands).map(|x| shape::expand(x, shape)),
            Self::Tile { repeats } => one(operands).map(|x| shape::tile(x, repeats)),
            Self::Concat { axis } => Ok(shape::concatenate(operands, *axis)),
            Self::Slice { ranges } => one(operands).map(|x| selection::slice(x, ranges)),
            Self::Select(settings) => one(operands).map(|x| selection::select(settings, x)),
            Self::SelectEach { axis } => two(operands).map(|(x, at)| selection::select_each(x, at, *axis)),
            Self::SelectPlaces(settings) => one(operands).map(|x| selection::select_places(settings, x)),
            Self::Scatter => selection::scatter(operands),
            Self::Pad(settings) => one(operands).map(|x| selection::pad(settings, x)),
            Self::Rearrange(settings) => one(operands).map(|x| shape::rearrange(settings, x)),
            Self::Resize(settings) => one(operands).map(|x| resize::run(settings, x)),
            Self::Quantise(limits) => quantisation::quantise(*limits, operands),
            Self::Dequantise => quantisation::dequantise(operands),
            _ => Err(WrongOperands),
        }
    }

    /// Multiply-accumulates of one run; 0 for all but convolutions and matrix products.
    pub(crate) fn macs(&self, operands: &[Vec<usize>], output: &[usize]) -> u64 {
        let product = |sides: &[usize]| sides.iter().map(|side| *side as u64).product::<u64>();
        match (self, operands) {
            (Self::Convolution(_), [_, weights, ..]) => product(output) * product(&weights[1..]),
            (Self::TransposedConvolution(_), [input, weights, ..]) => product(input) * product(&weights[1..]),
            (Self::MatMul | Self::Linear, [left, ..]) => {
                product(output) * left.last().copied().unwrap_or(1) as u64
            }
            (Self::Gemm(settings), [left, ..]) => product(output) * settings.inner(left) as u64,
            _ => 0,
        }
    }

    /// Along which axis of its output the pictures of a batch lie, given that of its operands.
    pub(crate) fn batch_axis(&self, operands: &[Batched], rank: usize) -> Option<usize> {
        let first = operands.iter().find(|operand| operand.axis.is_some())?;
        let axis = first.axis?;
        match self {
            Self::Reshape(settings) => settings.free,
            Self::Transpose { axes } => axes.iter().position(|from| *from == axis),
            Self::Select(settings) if axis == settings.axis => None,
            Self::Select(settings) if axis > settings.axis => Some(axis + settings.shape.len() - 1),
            Self::Select(_) => Some(axis),
            Self::SelectPlaces(settings) => {
                axis.checked_sub(settings.axes).map(|behind| behind + settings.shape.len())
            }
            Self::Reduce(settings) => settings.axis_after(axis),
            Self::Einsum(settings) => settings.axis_after(operands),
            Self::Extreme(settings) => settings.axis_after(axis),
            // Operands are aligned at their last axes.
            _ => (axis + rank).checked_sub(first.rank),
        }
    }
}

/// An operand's rank and the axis along which the pictures of a batch lie, where it has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batched {
    pub(crate) rank: usize,
    pub(crate) axis: Option<usize>,
}

/// An operator was given other operands than it takes.
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
