//! Every operator that is supported, in the order of the alphabet. `docs/operators.md` is made of this table.

use super::{Converted, NodeView, Result};
use super::{
    activation, arithmetic, convolution, creation, matrix, normalisation, pooling, quantisation, reduction,
    resize, selection, shape,
};
use crate::operators::activation::Activation;
use crate::operators::arithmetic::{Binary, Unary};
use crate::operators::reduction::Reduction;

/// One operator of ONNX.
pub(super) struct Supported {
    pub(super) name: &'static str,
    pub(super) convert: fn(&NodeView<'_>) -> Result<Converted>,
    /// What of it is lacking; empty where nothing is.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the documentation"))]
    pub(super) limits: &'static str,
}

const fn whole(name: &'static str, convert: fn(&NodeView<'_>) -> Result<Converted>) -> Supported {
    Supported { name, convert, limits: "" }
}

const fn part(
    name: &'static str,
    convert: fn(&NodeView<'_>) -> Result<Converted>,
    limits: &'static str,
) -> Supported {
    Supported { name, convert, limits }
}

const CONSTANT_AXES: &str = "axes must be constant";
const PLANE: &str = "one or two dimensions";

pub(super) const OPERATORS: &[Supported] = &[
    whole("Abs", |node| arithmetic::unary(node, Unary::Abs)),
    whole("Add", |node| arithmetic::binary(node, Binary::Add)),
    whole("And", |node| arithmetic::comparison(node, Binary::And)),
    part("ArgMax", |node| reduction::extreme(node, false), "no select_last_index"),
    part("ArgMin", |node| reduction::extreme(node, true), "no select_last_index"),
    part("AveragePool", pooling::average, "one or two dimensions, no dilations"),
    part("BatchNormalization", normalisation::batch, "for inference, constant statistics"),
    part("Cast", arithmetic::cast, "values beyond the new type's limits stay as they are"),
    part("CastLike", arithmetic::cast_like, "as Cast"),
    whole("Ceil", |node| arithmetic::unary(node, Unary::Ceil)),
    whole("Celu", activation::parametric),
    part("Clip", activation::clip, "bounds must be constant"),
    whole("Concat", shape::concat),
    part("Constant", creation::constant, "numbers only"),
    part("ConstantOfShape", creation::constant_of_shape, "shape must be known at load"),
    part("Conv", convolution::convolution, PLANE),
    part("ConvTranspose", convolution::transposed, PLANE),
    whole("Cos", |node| arithmetic::unary(node, Unary::Cos)),
    part("CumSum", reduction::running_sum, "neither exclusive nor reverse"),
    whole("DepthToSpace", shape::depth_to_space),
    part("DequantizeLinear", quantisation::dequantise, "constant scale and zero point, not in blocks"),
    whole("Div", arithmetic::division),
    part("Dropout", creation::dropout, "for inference, without its mask"),
    part("Einsum", matrix::einsum, "products of two tensors"),
    whole("Elu", activation::parametric),
    whole("Equal", |node| arithmetic::comparison(node, Binary::Equal)),
    whole("Erf", |node| arithmetic::unary(node, Unary::Erf)),
    whole("Exp", |node| arithmetic::unary(node, Unary::Exp)),
    part("Expand", shape::expand, "shape must be known at load"),
    whole("Flatten", shape::flatten),
    whole("Floor", |node| arithmetic::unary(node, Unary::Floor)),
    part("Gather", selection::gather, "indices must be constant"),
    whole("GatherElements", selection::gather_elements),
    part("GatherND", selection::gather_places, "indices must be constant, without batch_dims"),
    whole("Gelu", activation::gelu),
    whole("Gemm", matrix::gemm),
    part("GlobalAveragePool", pooling::global_average, PLANE),
    whole("GlobalMaxPool", reduction::global_greatest),
    whole("Greater", |node| arithmetic::comparison(node, Binary::Greater)),
    whole("GreaterOrEqual", |node| arithmetic::comparison(node, Binary::GreaterOrEqual)),
    part("GroupNormalization", normalisation::group, "constant scale and shift"),
    whole("HardSigmoid", activation::parametric),
    whole("HardSwish", |node| activation::activation(node, Activation::HardSwish)),
    whole("Identity", creation::identity),
    part("InstanceNormalization", normalisation::instance, "constant scale and shift"),
    whole("LRN", normalisation::local_response),
    part("LayerNormalization", normalisation::layer, "constant scale and shift, first output only"),
    whole("LeakyRelu", activation::parametric),
    whole("Less", |node| arithmetic::comparison(node, Binary::Less)),
    whole("LessOrEqual", |node| arithmetic::comparison(node, Binary::LessOrEqual)),
    whole("Log", |node| arithmetic::unary(node, Unary::Log)),
    whole("LogSoftmax", |node| normalisation::softmax(node, true)),
    whole("LpNormalization", normalisation::length),
    part("MatMul", matrix::multiply, "two axes or more"),
    whole("Max", |node| arithmetic::accumulate(node, Binary::Greatest, false)),
    part("MaxPool", pooling::max, "one or two dimensions, first output only"),
    whole("Mean", |node| arithmetic::accumulate(node, Binary::Add, true)),
    whole("Min", |node| arithmetic::accumulate(node, Binary::Least, false)),
    whole("Mish", |node| activation::activation(node, Activation::Mish)),
    whole("Mod", arithmetic::modulo),
    whole("Mul", |node| arithmetic::binary(node, Binary::Multiply)),
    whole("Neg", |node| arithmetic::unary(node, Unary::Neg)),
    whole("Not", |node| arithmetic::unary(node, Unary::Not)),
    whole("Or", |node| arithmetic::comparison(node, Binary::Or)),
    whole("PRelu", |node| arithmetic::binary(node, Binary::Prelu)),
    part("Pad", selection::pad, "constant, reflect and edge; constant pads"),
    whole("Pow", arithmetic::power),
    part(
        "QuantizeLinear",
        quantisation::quantise,
        "8 and 16 bits, constant scale and zero point, not in blocks",
    ),
    part("Range", creation::range, "bounds must be known at load"),
    whole("Reciprocal", |node| arithmetic::unary(node, Unary::Reciprocal)),
    part("ReduceL1", |node| reduction::reduce(node, Reduction::AbsoluteSum), CONSTANT_AXES),
    part("ReduceL2", |node| reduction::reduce(node, Reduction::Length), CONSTANT_AXES),
    part("ReduceLogSum", |node| reduction::reduce(node, Reduction::LogSum), CONSTANT_AXES),
    part("ReduceLogSumExp", |node| reduction::reduce(node, Reduction::LogSumExp), CONSTANT_AXES),
    part("ReduceMax", |node| reduction::reduce(node, Reduction::Greatest), CONSTANT_AXES),
    part("ReduceMean", |node| reduction::reduce(node, Reduction::Mean), CONSTANT_AXES),
    part("ReduceMin", |node| reduction::reduce(node, Reduction::Least), CONSTANT_AXES),
    part("ReduceProd", |node| reduction::reduce(node, Reduction::Product), CONSTANT_AXES),
    part("ReduceSum", |node| reduction::reduce(node, Reduction::Sum), CONSTANT_AXES),
    part("ReduceSumSquare", |node| reduction::reduce(node, Reduction::SquareSum), CONSTANT_AXES),
    whole("Relu", |node| activation::activation(node, Activation::Relu)),
    part("Reshape", shape::reshape, "shape must be known at load"),
    part(
        "Resize",
        resize::resize,
        "nearest along any axis, linear and cubic along the last two; no antialias, no tf_crop_and_resize",
    ),
    whole("Round", |node| arithmetic::unary(node, Unary::Round)),
    part("ScatterND", selection::scatter, "without reduction"),
    whole("Selu", activation::parametric),
    whole("Shape", creation::shape),
    whole("Sigmoid", |node| activation::activation(node, Activation::Sigmoid)),
    whole("Sign", |node| arithmetic::unary(node, Unary::Sign)),
    whole("Sin", |node| arithmetic::unary(node, Unary::Sin)),
    whole("Size", creation::size),
    part("Slice", selection::slice, "bounds must be known at load"),
    whole("Softmax", |node| normalisation::softmax(node, false)),
    whole("Softplus", |node| activation::activation(node, Activation::Softplus)),
    whole("Softsign", |node| activation::activation(node, Activation::Softsign)),
    whole("SpaceToDepth", shape::space_to_depth),
    part("Split", selection::split, "lengths must be known at load"),
    whole("Sqrt", |node| arithmetic::unary(node, Unary::Sqrt)),
    part("Squeeze", shape::squeeze, CONSTANT_AXES),
    whole("Sub", |node| arithmetic::binary(node, Binary::Subtract)),
    whole("Sum", |node| arithmetic::accumulate(node, Binary::Add, false)),
    whole("Swish", activation::parametric),
    whole("Tanh", |node| activation::activation(node, Activation::Tanh)),
    whole("ThresholdedRelu", activation::parametric),
    part("Tile", shape::tile, "repeats must be known at load"),
    part("TopK", reduction::best, "k must be known at load"),
    whole("Transpose", shape::transpose),
    part("Unsqueeze", shape::unsqueeze, CONSTANT_AXES),
    part("Upsample", resize::upsample, "scales must be known at load"),
    whole("Where", arithmetic::choose),
    whole("Xor", |node| arithmetic::comparison(node, Binary::Xor)),
];

#[cfg(test)]
mod tests;
