//! Pooling.

use burn_backend::TensorData;
use burn_backend::ops::FloatTensorOps;

use super::window::Geometry;
use super::{Converted, NodeView, Result};
use crate::operators::pooling::{Average, Window};
use crate::operators::{B, Operator};

/// A window with padding such that its last place fits, and how much of that padding the file asked for.
fn window(node: &NodeView<'_>) -> Result<(Window, Geometry)> {
    let kernel = node.integers("kernel_shape").ok_or("its kernel_shape is missing")?;
    let declared = Geometry::new(node, &super::node::counts(kernel, "kernel_shape")?)?;
    let mut pads = declared.pads;
    for (axis, pads) in pads.iter_mut().enumerate() {
        let (length, stride, span) = (declared.plane[axis], declared.stride[axis], declared.span(axis));
        let padded = length + pads.0 + pads.1;
        if padded < span {
            return Err(format!("its window {kernel:?} is greater than its input"));
        }
        if node.flag("ceil_mode", false) {
            let places = (padded - span).div_ceil(stride) + 1;
            // A place wholly in the padding after the input is none.
            let places = if (places - 1) * stride >= length + pads.0 { places - 1 } else { places };
            pads.1 = ((places - 1) * stride + span).saturating_sub(length + pads.0);
        }
    }
    let Geometry { kernel, stride, dilation, .. } = declared;
    Ok((Window { kernel, stride, pads, dilation }, declared))
}

pub(super) fn max(node: &NodeView<'_>) -> Result<Converted> {
    node.apply(Operator::MaxPool(window(node)?.0))
}

pub(super) fn average(node: &NodeView<'_>) -> Result<Converted> {
    let (window, declared) = window(node)?;
    if window.dilation != [1, 1] {
        return Err(format!("dilations {:?} are lacking", window.dilation));
    }
    let counted = node.flag("count_include_pad", false);
    let [rows, columns] = [0, 1].map(|axis| counts(&window, &declared, axis, counted));
    let full = window.kernel[0] * window.kernel[1];
    let share = |row: &usize, column: &usize| full as f32 / (row * column).max(1) as f32;
    let shares: Vec<f32> = rows.iter().flat_map(|row| columns.iter().map(|c| share(row, c))).collect();
    let weights = shares.iter().any(|share| *share != 1.0).then(|| {
        let data = TensorData::new(shares, [1, 1, rows.len(), columns.len()]);
        B::float_from_data(data, node.device())
    });
    node.apply(Operator::AveragePool(Average { window, weights }))
}

/// How many elements the window counts at each place along an axis.
fn counts(window: &Window, declared: &Geometry, axis: usize, padding_counts: bool) -> Vec<usize> {
    let (length, kernel) = (declared.plane[axis], window.kernel[axis]);
    let (before, after) = window.pads[axis];
    let places = (length + before + after - kernel) / window.stride[axis] + 1;
    let counted =
        if padding_counts { 0..before + length + declared.pads[axis].1 } else { before..before + length };
    let count = |place: usize| {
        let start = place * window.stride[axis];
        (start + kernel).min(counted.end).saturating_sub(start.max(counted.start))
    };
    (0..places).map(count).collect()
}

pub(super) fn global_average(node: &NodeView<'_>) -> Result<Converted> {
    match node.shape(0)?.len() {
        3 | 4 => node.apply(Operator::GlobalAveragePool),
        rank => Err(format!("inputs of {rank} dimensions are lacking")),
    }
}
