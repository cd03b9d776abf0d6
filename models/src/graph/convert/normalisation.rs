//! Normalisations and softmax.

use burn_backend::Scalar;
use burn_backend::ops::FloatTensorOps;

use super::{Applied, Converted, NodeView, Result};
use crate::graph::constant::{Constant, Known};
use crate::operators::normalisation::{LocalResponse, Normalise, Over, Softmax};
use crate::operators::reduction::{Reduce, Reduction};
use crate::operators::{B, Operator, Primitive, reshape, shape_of};

/// With constant statistics it is `x × scale + shift`.
pub(super) fn batch(node: &NodeView<'_>) -> Result<Converted> {
    if node.flag("training_mode", false) {
        return Err("it is exported for training; export it with model.eval()".to_owned());
    }
    let epsilon = node.float("epsilon", 1e-5);
    let statistic = |index| node.constant(index).map(|constant| constant.tensor.clone());
    let (gamma, beta, mean, variance) = (statistic(1)?, statistic(2)?, statistic(3)?, statistic(4)?);
    let deviation = B::float_sqrt(B::float_add_scalar(variance, Scalar::Float(epsilon)));
    let scale = B::float_div(gamma, deviation);
    let shift = B::float_sub(beta, B::float_mul(mean, scale.clone()));
    let rank = node.shape(0)?.len();
    let channel = |vector| per_channel(node, vector, rank);
    let operands = vec![node.input(0)?.clone(), channel(scale)?, channel(shift)?];
    Ok(Applied::new(Operator::Affine, operands).into())
}

/// A vector as a tensor that broadcasts along all axes but that of the channels.
fn per_channel(node: &NodeView<'_>, vector: Primitive, rank: usize) -> Result<Known> {
    let channels = node.shape(0)?.get(1).copied().unwrap_or(1);
    let length: usize = shape_of(&vector).iter().product();
    if length != channels || rank < 2 {
        return Err(format!("it has {length} scales for {channels} channels"));
    }
    let mut shape = vec![1; rank];
    shape[1] = channels;
    Ok(Known::Constant(Constant::new(reshape(vector, &shape), node.kind(0)?, false)))
}

pub(super) fn instance(node: &NodeView<'_>) -> Result<Converted> {
    let channels = node.shape(0)?.get(1).copied().unwrap_or(1);
    groups(node, channels, channels)
}

/// Scale and shift are one for each group before opset 21, then one for each channel.
pub(super) fn group(node: &NodeView<'_>) -> Result<Converted> {
    let channels = node.shape(0)?.get(1).copied().unwrap_or(1);
    let count = node.integer("num_groups").ok_or("its num_groups is missing")?;
    let count = usize::try_from(count).ok().filter(|count| *count > 0 && channels.is_multiple_of(*count));
    let count = count.ok_or_else(|| format!("its groups do not divide {channels} channels"))?;
    groups(node, count, if node.opset() < 21 { count } else { channels })
}

fn groups(node: &NodeView<'_>, count: usize, scales: usize) -> Result<Converted> {
    let shape = node.shape(0)?;
    let rank = shape.len();
    let each = |index| {
        let vector = node.constant(index)?.tensor.clone();
        let channels = shape.get(1).copied().unwrap_or(1);
        let repeated = if scales == channels {
            vector
        } else {
            let columns = reshape(vector, &[scales, 1]);
            reshape(B::float_repeat_dim(columns, 1, channels / scales), &[channels])
        };
        per_channel(node, repeated, rank)
    };
    let operator =
        Operator::Normalise(Normalise { over: Over::Groups(count), epsilon: node.float("epsilon", 1e-5) });
    Ok(Applied::new(operator, vec![node.input(0)?.clone(), each(1)?, each(2)?]).into())
}

pub(super) fn layer(node: &NodeView<'_>) -> Result<Converted> {
    let shape = node.shape(0)?;
    let axis = node.axis(-1, shape.len())?;
    let inner: usize = shape[axis..].iter().product();
    let vector = |index| -> Result<Option<Known>> {
        let Some(constant) = node.optional_constant(index)? else { return Ok(None) };
        if constant.shape().iter().product::<usize>() != inner {
            return Err(format!("its input {index} {:?} does not fit {shape:?}", constant.shape()));
        }
        let flat = reshape(constant.tensor.clone(), &[inner]);
        Ok(Some(Known::Constant(Constant::new(flat, constant.kind, false))))
    };
    let scale = vector(1)?.ok_or("its scale is missing")?;
    let operands = [node.input(0)?.clone(), scale].into_iter().chain(vector(2)?).collect();
    let operator =
        Operator::Normalise(Normalise { over: Over::AxesFrom(axis), epsilon: node.float("epsilon", 1e-5) });
    Ok(Applied::new(operator, operands).into())
}

pub(super) fn local_response(node: &NodeView<'_>) -> Result<Converted> {
    let size = node.integer("size").and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| (1..=1024).contains(size)).ok_or("its size is not valid")?;
    if node.shape(0)?.len() < 2 {
        return Err("its input has no channels".to_owned());
    }
    node.apply(Operator::LocalResponse(LocalResponse {
        size,
        alpha: node.float("alpha", 1e-4),
        beta: node.float("beta", 0.75),
        bias: node.float("bias", 1.0),
    }))
}

/// Each vector along an axis by its length.
pub(super) fn length(node: &NodeView<'_>) -> Result<Converted> {
    let axis = node.axis(-1, node.shape(0)?.len())?;
    let to = match node.integer("p").unwrap_or(2) {
        1 => Reduction::AbsoluteSum,
        2 => Reduction::Length,
        other => return Err(format!("p = {other} is lacking")),
    };
    node.apply(Operator::ByLength(Reduce { to, axes: vec![axis], keep: true }))
}

/// Before opset 13 the default axis is 1, and the sum is over all axes from there on.
pub(super) fn softmax(node: &NodeView<'_>, logarithm: bool) -> Result<Converted> {
    let rank = node.shape(0)?.len();
    let old = node.opset() < 13;
    let axis = node.axis(if old { 1 } else { -1 }, rank)?;
    node.apply(Operator::Softmax(Softmax { axis, flat: old && axis + 1 < rank, logarithm }))
}
