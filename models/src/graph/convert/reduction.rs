//! Operators that make one number of many.

use burn_backend::DType;

use super::node::axis;
use super::{Converted, NodeView, Result};
use crate::graph::import::GREATEST_ELEMENTS;
use crate::operators::Operator;
use crate::operators::reduction::{Best, Extreme, Reduce, Reduction};

/// The axes are an attribute before opset 18 (13 for sums), then an input; none stands for all.
pub(super) fn reduce(node: &NodeView<'_>, to: Reduction) -> Result<Converted> {
    let rank = node.shape(0)?.len();
    let given = node.list_or_attribute(1, "axes")?.map(|list| list.values).unwrap_or_default();
    let mut axes = given.iter().map(|value| axis(*value, rank)).collect::<Result<Vec<usize>>>()?;
    if axes.is_empty() {
        if node.flag("noop_with_empty_axes", false) {
            return Ok(Converted::Known(node.input(0)?.clone()));
        }
        axes = (0..rank).collect();
    }
    axes.sort_unstable();
    axes.dedup();
    let keep = node.flag("keepdims", true);
    let scalar = rank == 0 || (!keep && axes.len() == rank);
    // A scalar is a vector of one here.
    let axes = if rank == 0 { vec![0] } else { axes };
    Ok(node.apply_to(1, Operator::Reduce(Reduce { to, axes, keep }))?.with_scalar(scalar).into())
}

pub(super) fn global_greatest(node: &NodeView<'_>) -> Result<Converted> {
    let axes = (2..node.shape(0)?.len()).collect();
    node.apply(Operator::Reduce(Reduce { to: Reduction::Greatest, axes, keep: true }))
}

pub(super) fn extreme(node: &NodeView<'_>, least: bool) -> Result<Converted> {
    if node.flag("select_last_index", false) {
        return Err("select_last_index is lacking".to_owned());
    }
    let rank = node.shape(0)?.len();
    let keep = node.flag("keepdims", true);
    let operator = Operator::Extreme(Extreme { axis: node.axis(0, rank)?, least, keep });
    Ok(node.apply_to(1, operator)?.of_kinds(vec![DType::I64]).with_scalar(!keep && rank == 1).into())
}

pub(super) fn best(node: &NodeView<'_>) -> Result<Converted> {
    let shape = node.shape(0)?;
    let axis = node.axis(-1, shape.len())?;
    let count = match node.number(1)? {
        Some(count) => count as i64,
        None => node.integer("k").ok_or("its k is missing")?,
    };
    let count = usize::try_from(count).ok().filter(|count| *count <= shape[axis].min(GREATEST_ELEMENTS));
    let count =
        count.ok_or_else(|| format!("it takes more than there are along axis {axis} of {shape:?}"))?;
    let operator = Operator::Best(Best { axis, count, least: !node.flag("largest", true) });
    let kinds = vec![node.kind(0)?, DType::I64];
    Ok(node.apply_to(1, operator)?.of_kinds(kinds).into())
}

pub(super) fn running_sum(node: &NodeView<'_>) -> Result<Converted> {
    if node.flag("exclusive", false) || node.flag("reverse", false) {
        return Err("exclusive and reverse sums are lacking".to_owned());
    }
    let along = node.number(1)?.ok_or("its axis is missing")? as i64;
    let axis = axis(along, node.shape(0)?.len())?;
    node.apply(Operator::RunningSum { axis })
}
