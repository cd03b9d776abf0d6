//! Operators that take some elements, or put some around.

use burn_backend::ops::{FloatTensorOps, PadMode};
use burn_backend::tensor::{IndexingUpdateOp, IntTensor};
use burn_backend::{IntDType, Scalar, Slice};

use super::{B, Primitive, WrongOperands, reshape, shape_of};

/// What is taken of one axis: from `start` up to `end` (cut off at the axis's length), every `step`th.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Backwards from the last where it is below 0; never 0.
    pub(crate) step: isize,
}

impl Range {
    /// The whole axis, however long it is.
    pub(crate) const WHOLE: Self = Self { start: 0, end: usize::MAX, step: 1 };
}

/// Places along one axis that are known when the network is loaded.
#[derive(Debug, Clone)]
pub(crate) struct Select {
    pub(crate) axis: usize,
    pub(crate) indices: Indices,
    /// What the axis becomes: the shape of ONNX's indices.
    pub(crate) shape: Vec<usize>,
}

/// Places along the first few axes together, known when the network is loaded.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// How many axes.
    pub(crate) axes: usize,
    /// Counted through all of these axes.
    pub(crate) places: IntTensor<B>,
    /// What the axes become.
    pub(crate) shape: Vec<usize>,
}

/// Which places.
#[derive(Debug, Clone)]
pub(crate) enum Indices {
    /// Neighbours: nothing is copied.
    Run(Range),
    Any(IntTensor<B>),
}

/// Elements put around (or, below 0, taken away from) each axis.
#[derive(Debug, Clone)]
pub(crate) struct Pad {
    pub(crate) pads: Vec<(i64, i64)>,
    pub(crate) mode: PadMode,
}

pub(super) fn slice(x: Primitive, ranges: &[Range]) -> Primitive {
    let sides = shape_of(&x);
    let slices: Vec<Slice> = ranges
        .iter()
        .zip(sides)
        .map(|(range, side)| Slice::new(range.start as isize, Some(range.end.min(side) as isize), range.step))
        .collect();
    B::float_slice(x, &slices)
}

pub(super) fn split(x: Primitive, axis: usize, lengths: &[usize]) -> Vec<Primitive> {
    let rank = shape_of(&x).len();
    let mut start = 0;
    let mut part = |length: &usize| {
        let mut ranges = vec![Range::WHOLE; rank];
        ranges[axis] = Range { start, end: start + length, step: 1 };
        start += length;
        slice(x.clone(), &ranges)
    };
    lengths.iter().map(&mut part).collect()
}

pub(super) fn select(settings: &Select, x: Primitive) -> Primitive {
    let mut shape = shape_of(&x);
    let taken = match &settings.indices {
        Indices::Run(range) => {
            let mut ranges = vec![Range::WHOLE; shape.len()];
            ranges[settings.axis] = *range;
            slice(x, &ranges)
        }
        Indices::Any(indices) => B::float_select(x, settings.axis, indices.clone()),
    };
    if settings.shape.len() == 1 {
        return taken;
    }
    shape.splice(settings.axis..=settings.axis, settings.shape.iter().copied());
    reshape(taken, if shape.is_empty() { &[1] } else { &shape })
}

/// What lies at each place of the first axes; the rest comes with it.
pub(super) fn select_places(settings: &Places, x: Primitive) -> Primitive {
    let shape = shape_of(&x);
    let (first, rest) = shape.split_at(settings.axes);
    let flat: Vec<usize> = std::iter::once(first.iter().product()).chain(rest.iter().copied()).collect();
    let taken = B::float_select(reshape(x, &flat), 0, settings.places.clone());
    reshape(taken, &[&settings.shape, rest].concat())
}

/// For each element of the output the place along one axis; below 0 counts from the end.
pub(super) fn select_each(x: Primitive, places: Primitive, axis: usize) -> Primitive {
    let places = from_the_start(places, shape_of(&x)[axis]);
    B::float_gather(axis, x, B::float_into_int(places, IntDType::I64))
}

fn from_the_start(places: Primitive, side: usize) -> Primitive {
    let from_end = B::float_lower_elem(places.clone(), Scalar::Float(0.0), super::arithmetic::TRUTH);
    let turned = B::float_add_scalar(places.clone(), Scalar::Float(side as f64));
    B::float_mask_where(places, from_end, turned)
}

/// Operands: a tensor, places in it, what is put there.
pub(super) fn scatter(operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let [x, places, updates] = <[Primitive; 3]>::try_from(operands).map_err(|_| WrongOperands)?;
    let places = B::float_into_int(places, IntDType::I64);
    Ok(B::float_scatter_nd(x, places, updates, IndexingUpdateOp::Assign))
}

pub(super) fn pad(settings: &Pad, x: Primitive) -> Primitive {
    let sides = shape_of(&x);
    let cut = |(pad, side): (&(i64, i64), usize)| Range {
        start: pad.0.min(0).unsigned_abs() as usize,
        end: side.saturating_sub(pad.1.min(0).unsigned_abs() as usize),
        step: 1,
    };
    let x = if settings.pads.iter().any(|(before, after)| *before < 0 || *after < 0) {
        let ranges: Vec<Range> = settings.pads.iter().zip(sides).map(cut).collect();
        slice(x, &ranges)
    } else {
        x
    };
    let added: Vec<(usize, usize)> = settings
        .pads
        .iter()
        .map(|(before, after)| ((*before).max(0) as usize, (*after).max(0) as usize))
        .collect();
    B::float_pad(x, &added, settings.mode)
}

pub(super) fn pad_constant(x: Primitive, pads: &[(usize, usize)], value: f32) -> Primitive {
    B::float_pad(x, pads, PadMode::Constant(value))
}
