//! Convolutions.

use super::window::{Geometry, halves, plane};
use super::{Converted, NodeView, Result};
use crate::operators::Operator;
use crate::operators::convolution::{Convolution, Transposed};

/// The shape of the weights, of which the first two sides are channels.
fn weights(node: &NodeView<'_>) -> Result<Vec<usize>> {
    let (input, weights) = (node.shape(0)?, node.shape(1)?);
    if weights.len() == input.len() && weights.len() > 2 {
        Ok(weights)
    } else {
        Err(format!("its weights {weights:?} do not fit its input {input:?}"))
    }
}

pub(super) fn convolution(node: &NodeView<'_>) -> Result<Converted> {
    let weights = weights(node)?;
    let geometry = Geometry::new(node, &weights[2..])?;
    for axis in 0..2 {
        let (before, after) = geometry.pads[axis];
        if geometry.plane[axis] + before + after < geometry.span(axis) {
            return Err(format!("its window {:?} is greater than its input", geometry.kernel));
        }
    }
    let groups = groups(node)?;
    let channels = node.shape(0)?[1];
    if weights[1].checked_mul(groups) != Some(channels) || !weights[0].is_multiple_of(groups) {
        return Err(format!("its weights {weights:?} in {groups} groups do not fit {channels} channels"));
    }
    let Geometry { stride, dilation, pads, .. } = geometry;
    with_bias(node, Operator::Convolution(Convolution { stride, pads, dilation, groups }))
}

fn groups(node: &NodeView<'_>) -> Result<usize> {
    let groups = node.integer("group").unwrap_or(1);
    usize::try_from(groups)
        .ok()
        .filter(|groups| *groups > 0)
        .ok_or_else(|| format!("{groups} groups are not valid"))
}

fn with_bias(node: &NodeView<'_>, operator: Operator) -> Result<Converted> {
    let count = if node.optional(2)?.is_some() { 3 } else { 2 };
    node.apply_to(count, operator).map(Converted::Apply)
}

pub(super) fn transposed(node: &NodeView<'_>) -> Result<Converted> {
    let weights = weights(node)?;
    let kernel = &weights[2..];
    let mut geometry = Geometry::new(node, kernel)?;
    let groups = groups(node)?;
    if node.shape(0)?[1] != weights[0] || !weights[0].is_multiple_of(groups) {
        return Err(format!("its weights {weights:?} in {groups} groups do not fit its input"));
    }
    let added = super::node::counts(node.integers("output_padding").unwrap_or(&[]), "output_padding")?;
    let output_padding = if added.is_empty() { [0, 0] } else { plane(&added, 0) };
    if output_padding.iter().any(|side| *side > 1 << 16) {
        return Err(format!("the output_padding {added:?} is too great"));
    }
    let whole = [0, 1].map(|axis| {
        (geometry.plane[axis] - 1) * geometry.stride[axis] + geometry.span(axis) + output_padding[axis]
    });
    if let Some(wanted) = wanted_plane(node, &geometry)? {
        let after = node.text("auto_pad", "NOTSET")? == "SAME_UPPER";
        geometry.pads = [0, 1].map(|axis| halves(whole[axis].saturating_sub(wanted[axis]), after));
    }
    if (0..2).any(|axis| geometry.pads[axis].0.saturating_add(geometry.pads[axis].1) >= whole[axis]) {
        return Err(format!("the pads {:?} leave nothing", geometry.pads));
    }
    let Geometry { stride, dilation, pads, .. } = geometry;
    let operator = Transposed { stride, pads, output_padding, dilation, groups };
    with_bias(node, Operator::TransposedConvolution(operator))
}

/// The output's height and width where the file says them and not the padding.
fn wanted_plane(node: &NodeView<'_>, geometry: &Geometry) -> Result<Option<[usize; 2]>> {
    let wanted = super::node::counts(node.integers("output_shape").unwrap_or(&[]), "output_shape")?;
    if !wanted.is_empty() {
        let rank = node.shape(0)?.len() - 2;
        return Ok(Some(plane(&wanted[wanted.len().saturating_sub(rank)..], 1)));
    }
    let same = node.text("auto_pad", "NOTSET")?.starts_with("SAME");
    Ok(same.then(|| [0, 1].map(|axis| geometry.plane[axis] * geometry.stride[axis])))
}
