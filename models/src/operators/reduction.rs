//! Operators that make one number of many.

use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_backend::{FloatDType, IntDType, TensorMetadata};

use super::{B, Primitive, reshape, shape_of};

/// One number of all along some axes.
#[derive(Debug, Clone)]
pub(crate) struct Reduce {
    pub(crate) to: Reduction,
    /// In rising order.
    pub(crate) axes: Vec<usize>,
    /// Whether the axes stay, with length 1.
    pub(crate) keep: bool,
}

/// Which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduction {
    Mean,
    Sum,
    Product,
    Greatest,
    Least,
    /// Of the absolute values.
    AbsoluteSum,
    SquareSum,
    Length,
    LogSum,
    LogSumExp,
}

/// Where the greatest or least element along an axis is; the first of equals.
#[derive(Debug, Clone)]
pub(crate) struct Extreme {
    pub(crate) axis: usize,
    pub(crate) least: bool,
    /// Whether the axis stays, with length 1.
    pub(crate) keep: bool,
}

/// The greatest (or least) elements along an axis in order, and where they are.
#[derive(Debug, Clone)]
pub(crate) struct Best {
    pub(crate) axis: usize,
    pub(crate) count: usize,
    pub(crate) least: bool,
}

impl Reduce {
    /// Where another axis is afterwards.
    pub(super) fn axis_after(&self, axis: usize) -> Option<usize> {
        let before = self.axes.iter().filter(|reduced| **reduced < axis).count();
        match (self.keep, self.axes.contains(&axis)) {
            (_, true) => None,
            (true, false) => Some(axis),
            (false, false) => Some(axis - before),
        }
    }
}

impl Extreme {
    /// Where another axis is afterwards.
    pub(super) fn axis_after(&self, axis: usize) -> Option<usize> {
        let removed = usize::from(!self.keep && self.axis < axis);
        (axis != self.axis).then(|| axis - removed)
    }
}

pub(super) fn reduce(settings: &Reduce, x: Primitive) -> Primitive {
    let along = |x: Primitive, with: fn(Primitive, usize) -> Primitive| {
        settings.axes.iter().fold(x, |x, axis| with(x, *axis))
    };
    let made = match settings.to {
        Reduction::Mean => along(x, B::float_mean_dim),
        Reduction::Sum => along(x, B::float_sum_dim),
        Reduction::Product => along(x, B::float_prod_dim),
        Reduction::Greatest => along(x, B::float_max_dim),
        Reduction::Least => along(x, B::float_min_dim),
        Reduction::AbsoluteSum => along(B::float_abs(x), B::float_sum_dim),
        Reduction::SquareSum => along(B::float_mul(x.clone(), x), B::float_sum_dim),
        Reduction::Length => B::float_sqrt(along(B::float_mul(x.clone(), x), B::float_sum_dim)),
        Reduction::LogSum => B::float_log(along(x, B::float_sum_dim)),
        Reduction::LogSumExp => {
            // Less the greatest, so that nothing overflows.
            let greatest = along(x.clone(), B::float_max_dim);
            let sum = along(B::float_exp(B::float_sub(x, greatest.clone())), B::float_sum_dim);
            B::float_add(B::float_log(sum), greatest)
        }
    };
    if settings.keep { made } else { without(made, &settings.axes) }
}

/// Each vector by its length.
pub(super) fn by_length(length: &Reduce, x: Primitive) -> Primitive {
    B::float_div(x.clone(), reduce(length, x))
}

pub(super) fn extreme(settings: &Extreme, x: Primitive) -> Primitive {
    let find = if settings.least { B::float_argmin } else { B::float_argmax };
    let kind: FloatDType = x.dtype().into();
    let at = B::int_into_float(find(x, settings.axis, IntDType::I64), kind);
    if settings.keep { at } else { without(at, &[settings.axis]) }
}

pub(super) fn best(settings: &Best, x: Primitive) -> Vec<Primitive> {
    let kind: FloatDType = x.dtype().into();
    let (values, at) = B::float_sort_with_indices(x, settings.axis, !settings.least, IntDType::I64);
    let at = B::int_into_float(at, kind);
    [values, at]
        .map(|x| {
            let length = shape_of(&x)[settings.axis];
            let lengths = [settings.count, length - settings.count];
            super::selection::split(x, settings.axis, &lengths).swap_remove(0)
        })
        .to_vec()
}

/// Without some axes of length 1; one number stays a vector of one.
fn without(x: Primitive, axes: &[usize]) -> Primitive {
    let kept = shape_of(&x).into_iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    let shape: Vec<usize> = kept.map(|(_, side)| side).collect();
    reshape(x, if shape.is_empty() { &[1] } else { &shape })
}
