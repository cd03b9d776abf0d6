//! Operators that move elements about.

use burn_backend::ops::FloatTensorOps;
use burn_backend::{Shape, Slice};

use super::{B, Primitive, shape_of, with_rank};

/// What is taken of one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// At least 1.
    pub(crate) step: usize,
}

/// As ONNX does: either side may have dimensions of 1 that take the other's length.
pub(super) fn expand(x: Primitive, shape: &[usize]) -> Primitive {
    let rank = shape_of(&x).len().max(shape.len());
    let x = with_rank(x, rank);
    let mut wanted = vec![1; rank - shape.len()];
    wanted.extend(shape);
    let both = shape_of(&x).into_iter().zip(wanted);
    let sides: Vec<usize> = both.map(|(have, want)| if want == 1 { have } else { want }).collect();
    B::float_expand(x, Shape::from(sides))
}

pub(super) fn slice(x: Primitive, ranges: &[Range]) -> Primitive {
    let slices: Vec<Slice> = ranges
        .iter()
        .map(|range| Slice::new(range.start as isize, Some(range.end as isize), range.step as isize))
        .collect();
    B::float_slice(x, &slices)
}

pub(super) fn pad(x: Primitive, pads: &[(usize, usize)], value: f32) -> Primitive {
    B::float_pad(x, pads, burn_backend::ops::PadMode::Constant(value))
}

/// Means over the given dimensions, which stay with length 1.
pub(super) fn mean(x: Primitive, axes: &[usize]) -> Primitive {
    axes.iter().fold(x, |x, axis| B::float_mean_dim(x, *axis))
}
