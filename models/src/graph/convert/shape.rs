//! Operators that keep all elements and change how they lie.

use super::node::{axis, counts};
use super::{Converted, NodeView, Result};
use crate::graph::batch::{Wanted, reshaped};
use crate::graph::constant::Known;
use crate::operators::Operator;
use crate::operators::shape::{Rearrange, Reshape};

pub(super) fn reshape(node: &NodeView<'_>) -> Result<Converted> {
    let from = node.shape(0)?;
    let list = node.list_or_attribute(1, "shape")?.ok_or("its shape is missing")?;
    // A file for any number of pictures says what two become; one for a single picture does not mean it.
    let same = node.any_batch().then_some(list.values.as_slice());
    let wanted = Wanted {
        one: &list.values,
        two: list.doubled.as_deref().or(same),
        zero_is_zero: node.flag("allowzero", false),
    };
    let (shape, free) = reshaped(&from, node.batch(0)?, wanted)
        .ok_or_else(|| format!("{from:?} cannot become {:?}", list.values))?;
    to(node, shape, free)
}

/// To a shape of as many elements, for one picture.
pub(super) fn reshape_to(node: &NodeView<'_>, sides: &[usize]) -> Result<Converted> {
    let one: Vec<i64> = sides.iter().map(|side| *side as i64).collect();
    let wanted = Wanted { one: &one, two: None, zero_is_zero: true };
    let (shape, free) = reshaped(&node.shape(0)?, node.batch(0)?, wanted)
        .ok_or_else(|| format!("{:?} cannot become {sides:?}", node.shape(0)))?;
    to(node, shape, free)
}

/// The output's shape for one picture, and which of its axes grows with the batch.
fn to(node: &NodeView<'_>, shape: Vec<usize>, free: Option<usize>) -> Result<Converted> {
    let scalar = shape.is_empty();
    let shape = if scalar { vec![1] } else { shape };
    if matches!(node.input(0)?, Known::Value { .. }) && node.shape(0)? == shape {
        return Ok(Converted::Known(node.input(0)?.clone()));
    }
    Ok(node.apply_to(1, Operator::Reshape(Reshape { shape, free }))?.with_scalar(scalar).into())
}

pub(super) fn flatten(node: &NodeView<'_>) -> Result<Converted> {
    let from = node.shape(0)?;
    let rank = from.len() as i64;
    let at = node.integer("axis").unwrap_or(1);
    let at = if at < 0 { at + rank } else { at };
    let at = usize::try_from(at).ok().filter(|at| *at <= from.len());
    let at = at.ok_or_else(|| format!("there is no such axis of {from:?}"))?;
    let (outer, inner) = from.split_at(at);
    let free = node.batch(0)?.map(|batch| usize::from(batch >= at));
    to(node, vec![outer.iter().product(), inner.iter().product()], free)
}

/// Axes are an attribute before opset 13, then an input; none stands for all of length 1.
pub(super) fn squeeze(node: &NodeView<'_>) -> Result<Converted> {
    let from = node.shape(0)?;
    let batch = node.batch(0)?;
    let removed = match node.list_or_attribute(1, "axes")? {
        Some(axes) => axes.values.iter().map(|value| axis(*value, from.len())).collect::<Result<Vec<_>>>()?,
        None => (0..from.len()).filter(|axis| from[*axis] == 1 && Some(*axis) != batch).collect(),
    };
    if removed.iter().any(|axis| from[*axis] != 1) {
        return Err(format!("axes {removed:?} of {from:?} are not all of length 1"));
    }
    let kept: Vec<usize> = (0..from.len()).filter(|axis| !removed.contains(axis)).collect();
    let free = kept.iter().position(|axis| Some(*axis) == batch);
    to(node, kept.iter().map(|axis| from[*axis]).collect(), free)
}

pub(super) fn unsqueeze(node: &NodeView<'_>) -> Result<Converted> {
    let from = node.shape(0)?;
    let axes = node.list_or_attribute(1, "axes")?.ok_or("its axes are missing")?.values;
    let rank = from.len() + axes.len();
    let added = axes.iter().map(|value| axis(*value, rank)).collect::<Result<Vec<_>>>()?;
    let old: Vec<usize> = (0..rank).filter(|axis| !added.contains(axis)).collect();
    if old.len() != from.len() {
        return Err(format!("its axes {axes:?} are not different ones"));
    }
    let mut shape = vec![1; rank];
    for (axis, side) in old.iter().zip(&from) {
        shape[*axis] = *side;
    }
    let free = node.batch(0)?.and_then(|batch| old.get(batch).copied());
    to(node, shape, free)
}

pub(super) fn transpose(node: &NodeView<'_>) -> Result<Converted> {
    let rank = node.shape(0)?.len();
    let axes = match node.integers("perm") {
        Some(perm) => perm.iter().map(|value| axis(*value, rank)).collect::<Result<Vec<_>>>()?,
        None => (0..rank).rev().collect(),
    };
    if axes.len() != rank || !(0..rank).all(|axis| axes.contains(&axis)) {
        return Err(format!("perm {axes:?} is no order of {rank} axes"));
    }
    node.apply(Operator::Transpose { axes })
}

/// Sides that differ for two pictures are the batch's: the input has them already or broadcasts.
pub(super) fn expand(node: &NodeView<'_>) -> Result<Converted> {
    let list = node.list(1)?.ok_or("its shape is missing")?;
    let mut shape = counts(&list.values, "shape")?;
    for (side, (one, two)) in shape.iter_mut().zip(list.values.iter().zip(list.doubled.iter().flatten())) {
        if one != two {
            *side = 1;
        }
    }
    let scalar = shape.is_empty() && node.shape(0)?.is_empty();
    Ok(node.apply_to(1, Operator::Expand { shape })?.with_scalar(scalar).into())
}

pub(super) fn tile(node: &NodeView<'_>) -> Result<Converted> {
    let list = node.list(1)?.ok_or("its repeats are missing")?;
    let mut repeats = counts(&list.values, "repeats")?;
    for (times, (one, two)) in repeats.iter_mut().zip(list.values.iter().zip(list.doubled.iter().flatten())) {
        if one != two {
            *times = 1;
        }
    }
    if repeats.len() != node.shape(0)?.len() || repeats.contains(&0) {
        return Err(format!("its repeats {repeats:?} do not fit {:?}", node.shape(0)?));
    }
    node.apply(Operator::Tile { repeats })
}

pub(super) fn concat(node: &NodeView<'_>) -> Result<Converted> {
    let rank = node.shape(0)?.len();
    let axis = axis(node.integer("axis").ok_or("its axis is missing")?, rank)?;
    node.apply_to(node.inputs(), Operator::Concat { axis }).map(Converted::Apply)
}

fn block(node: &NodeView<'_>) -> Result<(usize, [usize; 4])> {
    let shape = node.shape(0)?;
    let shape =
        <[usize; 4]>::try_from(shape).map_err(|shape| format!("its input {shape:?} is not N×C×H×W"))?;
    let block = node.integer("blocksize").and_then(|block| usize::try_from(block).ok());
    let block = block.filter(|block| (1..=1 << 16).contains(block)).ok_or("its blocksize is not valid")?;
    Ok((block, shape))
}

pub(super) fn depth_to_space(node: &NodeView<'_>) -> Result<Converted> {
    let (block, [_, channels, ..]) = block(node)?;
    if !channels.is_multiple_of(block * block) {
        return Err(format!("{channels} channels are no multiple of {block}²"));
    }
    node.apply(Operator::Rearrange(match node.text("mode", "DCR")? {
        "DCR" => Rearrange::DepthColumnRow { block },
        "CRD" => Rearrange::ColumnRowDepth { block },
        other => return Err(format!("the mode {other:?} is lacking")),
    }))
}

pub(super) fn space_to_depth(node: &NodeView<'_>) -> Result<Converted> {
    let (block, [_, _, height, width]) = block(node)?;
    if !height.is_multiple_of(block) || !width.is_multiple_of(block) {
        return Err(format!("{height}×{width} is no multiple of {block}"));
    }
    node.apply(Operator::Rearrange(Rearrange::SpaceToDepth { block }))
}
