//! Convolutions, pooling, products, normalisation.

use burn_backend::ops::FloatTensorOps;
use burn_backend::{Scalar, TensorData};
use onnx_ir::Node;
use onnx_ir::batch_norm::BatchNormConfig;
use onnx_ir::clip::{ClipConfig, ClipInput};
use onnx_ir::padding::{AutoPad, PaddingConfig2d};

use super::{Converted, Result, apply, apply_to_first, known, operand, optional};
use crate::graph::Operand;
use crate::graph::import::{GREATEST_ELEMENTS, Importer, Known};
use crate::operators::convolution::Convolution;
use crate::operators::elementwise::Unary;
use crate::operators::matrix::Gemm;
use crate::operators::pooling::Window;
use crate::operators::{B, Operator, Primitive, reshape, shape_of};

pub(super) fn convolution(
    importer: &Importer<'_>,
    node: &Node,
    config: &onnx_ir::conv2d::Conv2dConfig,
) -> Result<Converted> {
    let pads = pads(&config.padding, &config.auto_pad)?;
    let settings = Convolution {
        stride: config.stride,
        pads: bounded(importer, node, pads)?,
        dilation: config.dilation,
        groups: config.groups,
    };
    apply(importer, node, Operator::Convolution(settings))
}

/// Before and after, for height and width.
fn pads(padding: &PaddingConfig2d, auto: &AutoPad) -> Result<[(usize, usize); 2]> {
    match (auto, padding) {
        (AutoPad::NotSet, PaddingConfig2d::Explicit(top, left, bottom, right)) => {
            Ok([(*top, *bottom), (*left, *right)])
        }
        (AutoPad::NotSet | AutoPad::Valid, _) => Ok([(0, 0), (0, 0)]),
        // Symmetric where the file's writer was PyTorch; TensorFlow's files have it.
        (AutoPad::SameUpper | AutoPad::SameLower, _) => Err("auto_pad SAME is lacking".to_owned()),
    }
}

/// A padding of 10¹² would allocate before anything could refuse it.
fn bounded(importer: &Importer<'_>, node: &Node, pads: [(usize, usize); 2]) -> Result<[(usize, usize); 2]> {
    let input = operand(importer, node, 0)?;
    let shape = shape_of(importer.trace(&input));
    let [(top, bottom), (left, right)] = pads;
    let &[n, c, h, w] = shape.as_slice() else {
        return Err(format!("its input has shape {shape:?}, N×C×H×W is supported"));
    };
    let height = h.saturating_add(top).saturating_add(bottom);
    let width = w.saturating_add(left).saturating_add(right);
    let elements = n.saturating_mul(c).saturating_mul(height).saturating_mul(width);
    if elements <= GREATEST_ELEMENTS { Ok(pads) } else { Err(format!("its padding {pads:?} is too great")) }
}

pub(super) fn max_pool(
    importer: &Importer<'_>,
    node: &Node,
    config: &onnx_ir::max_pool2d::MaxPool2dConfig,
) -> Result<Converted> {
    let window = Window {
        kernel: config.kernel_size,
        stride: config.strides,
        pads: bounded(importer, node, pads(&config.padding, &config.auto_pad)?)?,
        dilation: config.dilation,
        ceil: config.ceil_mode,
    };
    apply_to_first(importer, node, Operator::MaxPool(window))
}

pub(super) fn average_pool(
    importer: &Importer<'_>,
    node: &Node,
    config: &onnx_ir::avg_pool2d::AvgPool2dConfig,
) -> Result<Converted> {
    let pads = bounded(importer, node, pads(&config.padding, &config.auto_pad)?)?;
    let uneven = pads.iter().any(|(before, after)| before != after);
    if config.dilation != [1, 1] || (uneven && !config.count_include_pad) {
        return Err("dilation, or uneven padding that is not counted, is lacking".to_owned());
    }
    let window = Window {
        kernel: config.kernel_size,
        stride: config.strides,
        pads,
        dilation: config.dilation,
        ceil: config.ceil_mode,
    };
    let operator = Operator::AveragePool { window, count_padding: config.count_include_pad };
    apply_to_first(importer, node, operator)
}

pub(super) fn global_average(importer: &Importer<'_>, node: &Node) -> Result<Converted> {
    bounded(importer, node, [(0, 0), (0, 0)])?;
    apply_to_first(importer, node, Operator::GlobalAveragePool)
}

/// Normalisation with constant statistics is `x × scale + shift`, folded into the convolution before it
/// where that is the only reader.
pub(super) fn batch_norm(
    importer: &mut Importer<'_>,
    node: &Node,
    config: &BatchNormConfig,
) -> Result<Converted> {
    let epsilon = match config {
        BatchNormConfig::Static(config) => config.epsilon,
        BatchNormConfig::Runtime(config) => config.epsilon,
    };
    let mut statistics = Vec::with_capacity(4);
    for index in 1..=4 {
        match known(importer, node, index)? {
            Known::Floats(tensor) => statistics.push(tensor),
            _ => return Err("only constant statistics are supported".to_owned()),
        }
    }
    let Ok([gamma, beta, mean, variance]) = <[Primitive; 4]>::try_from(statistics) else {
        return Err("its statistics are missing".to_owned());
    };
    let deviation = B::float_sqrt(B::float_add_scalar(variance, Scalar::Float(epsilon)));
    let scale = B::float_div(gamma, deviation);
    let shift = B::float_sub(beta, B::float_mul(mean, scale.clone()));
    let input = operand(importer, node, 0)?;
    if let (Operand::Value(value), Some(argument)) = (&input, node.inputs().first())
        && let Some(convolution) = importer.sole_convolution(argument, *value)
        && fold_into(&mut convolution.operands, &scale, &shift)
    {
        return Ok(Converted::Known(Known::Value(*value)));
    }
    let rank = shape_of(importer.trace(&input)).len();
    let operands = vec![
        input,
        Operand::Constant(per_channel(scale, rank, 1)),
        Operand::Constant(per_channel(shift, rank, 1)),
    ];
    Ok(Converted::Apply(Operator::Affine, operands))
}

/// Weights × scale and bias × scale + shift, an output channel each.
fn fold_into(operands: &mut Vec<Operand>, scale: &Primitive, shift: &Primitive) -> bool {
    let Some(Operand::Constant(weights)) = operands.get(1) else { return false };
    let rank = shape_of(weights).len();
    let weights = B::float_mul(weights.clone(), per_channel(scale.clone(), rank, 0));
    let bias = match operands.get(2) {
        None => shift.clone(),
        Some(Operand::Constant(bias)) => {
            B::float_add(B::float_mul(bias.clone(), scale.clone()), shift.clone())
        }
        Some(Operand::Value(_)) => return false,
    };
    operands.truncate(1);
    operands.extend([Operand::Constant(weights), Operand::Constant(bias)]);
    true
}

/// A vector as a tensor that broadcasts along all axes but one.
fn per_channel(vector: Primitive, rank: usize, axis: usize) -> Primitive {
    let mut shape = vec![1; rank];
    shape[axis] = shape_of(&vector).iter().product();
    reshape(vector, &shape)
}

pub(super) fn gemm(
    importer: &Importer<'_>,
    node: &Node,
    config: &onnx_ir::gemm::GemmConfig,
) -> Result<Converted> {
    let settings = Gemm {
        alpha: config.alpha,
        beta: config.beta,
        transpose_left: config.trans_a != 0,
        transpose_right: config.trans_b != 0,
    };
    apply(importer, node, Operator::Gemm(settings))
}

/// Burn wants the weights as `[in, out]`; they are turned once, here.
pub(super) fn linear(
    importer: &Importer<'_>,
    node: &Node,
    config: &onnx_ir::linear::LinearConfig,
) -> Result<Converted> {
    let weights = match operand(importer, node, 1)? {
        Operand::Constant(weights) if config.transpose_weight => {
            let turned = B::float_transpose(weights);
            Operand::Constant(contiguous(importer, turned)?)
        }
        Operand::Value(_) if config.transpose_weight => return Err("its weights are computed".to_owned()),
        weights => weights,
    };
    let mut operands = vec![operand(importer, node, 0)?, weights];
    if optional(importer, node, 2)?.is_some() {
        operands.push(operand(importer, node, 2)?);
    }
    Ok(Converted::Apply(Operator::Linear, operands))
}

/// A copy in row-major order, so that no run has to copy it again.
fn contiguous(importer: &Importer<'_>, tensor: Primitive) -> Result<Primitive> {
    let data = burn_backend::try_read_sync(B::float_into_data(tensor))
        .ok_or("the device gives its data asynchronously only")?
        .map_err(|e| e.to_string())?;
    let shape = data.shape().clone();
    let values = data.as_slice::<f32>().map_err(|e| e.to_string())?.to_vec();
    Ok(B::float_from_data(TensorData::new(values, shape), importer.device))
}

pub(super) fn layer_norm(
    importer: &Importer<'_>,
    node: &Node,
    config: &onnx_ir::layer_norm::LayerNormConfig,
) -> Result<Converted> {
    let rank = shape_of(importer.trace(&operand(importer, node, 0)?)).len() as i64;
    if config.axis != -1 && config.axis != rank - 1 {
        return Err(format!("axis {} is lacking, only the last is supported", config.axis));
    }
    apply(importer, node, Operator::LayerNorm { epsilon: config.epsilon })
}

pub(super) fn clip(importer: &Importer<'_>, node: &Node, config: &ClipConfig) -> Result<Converted> {
    let bound = |input: &Option<ClipInput>| match input {
        None => Ok(None),
        Some(ClipInput::Static(value)) => Ok(Some(*value)),
        Some(ClipInput::Runtime(_)) => Err("computed bounds are lacking".to_owned()),
    };
    let clip = Unary::Clip { least: bound(&config.min)?, greatest: bound(&config.max)? };
    apply_to_first(importer, node, Operator::Unary(clip))
}
