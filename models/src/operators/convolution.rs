//! Convolutions over height and width; a signal of one dimension is a picture one pixel high.

use std::sync::Arc;

use burn_backend::ops::{ConvOptions, ConvTransposeOptions, ModuleOps};

use super::processor::{numbers, on_the_processor};
use super::selection::{Range, slice};
use super::{B, Primitive, Spare, WrongOperands, reshape, shape_of, two_or_three};
use crate::kernels::{Clamp, Direct, Geometry};

/// Its settings; operands are input, weights and (optionally) bias.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    pub(crate) stride: [usize; 2],
    /// Before and after, for height and width.
    pub(crate) pads: [(usize, usize); 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) groups: usize,
}

/// A transposed convolution; operands as of a [`Convolution`].
#[derive(Debug, Clone)]
pub(crate) struct Transposed {
    pub(crate) stride: [usize; 2],
    /// What is cut off before and after, for height and width.
    pub(crate) pads: [(usize, usize); 2],
    /// What is added after, before anything is cut off.
    pub(crate) output_padding: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) groups: usize,
}

/// A convolution on the processor whose weights are constants, laid out for our own kernel.
#[derive(Debug, Clone)]
pub(crate) struct Prepared(Arc<Direct>);

impl Convolution {
    /// The shape of what it makes of N×C×H×W and weights of as many axes, and how many biases there must be, if any;
    /// `None` where the two do not fit.
    pub(super) fn output_shape(&self, input: &[usize], weights: &[usize]) -> Option<(Vec<usize>, usize)> {
        let ([pictures, channels, height, width], [outputs, inputs, ..]) = (input, weights) else {
            return None;
        };
        let fits = inputs * self.groups == *channels && outputs.is_multiple_of(self.groups);
        let [rows, columns] = self.geometry(weights)?.output([*height, *width]);
        (fits && rows > 0 && columns > 0).then(|| (vec![*pictures, *outputs, rows, columns], *outputs))
    }

    fn geometry(&self, weights: &[usize]) -> Option<Geometry> {
        let [_, _, height, width] = *weights else { return None };
        if height == 0 || width == 0 {
            return None;
        }
        Some(Geometry {
            kernel: [height, width],
            stride: self.stride,
            dilation: self.dilation,
            pads: self.pads,
        })
    }

    /// The same convolution with its weights taken in, where our kernel can run it: on the processor, in `f32`.
    pub(crate) fn prepare(&self, weights: &Primitive, bias: Option<&Primitive>) -> Option<Prepared> {
        let shape = shape_of(weights);
        let geometry = self.geometry(&shape)?;
        let bias = match bias {
            Some(bias) => numbers(bias)?.to_vec(),
            None => vec![0.0; shape[0]],
        };
        Direct::new(geometry, self.groups, &numbers(weights)?, bias).map(|direct| Prepared(Arc::new(direct)))
    }
}

pub(super) fn run_prepared(
    prepared: &Prepared,
    input: Primitive,
    clamp: Clamp,
    spare: &mut Spare,
) -> Result<Primitive, WrongOperands> {
    let [pictures, _, height, width] = shape_of(&input)[..] else { return Err(WrongOperands) };
    let [channels, rows, columns] = prepared.0.output_shape([height, width]);
    let mut made = spare.take(pictures * channels * rows * columns);
    prepared.0.run(&numbers(&input).ok_or(WrongOperands)?, [height, width], clamp, &mut made);
    spare.give(input);
    Ok(on_the_processor(made, vec![pictures, channels, rows, columns]))
}

pub(super) fn run(settings: &Convolution, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (input, weights, bias) = two_or_three(operands)?;
    let options =
        ConvOptions::new_with_padding(settings.stride, settings.pads, settings.dilation, settings.groups);
    Ok(as_picture(input, |input| B::conv2d(input, picture(weights), bias, options)))
}

pub(super) fn run_transposed(
    settings: &Transposed,
    operands: Vec<Primitive>,
) -> Result<Primitive, WrongOperands> {
    let (input, weights, bias) = two_or_three(operands)?;
    let even = settings.pads.iter().all(|(before, after)| before == after);
    let padding = if even { settings.pads.map(|(before, _)| before) } else { [0, 0] };
    let options = ConvTransposeOptions::new(
        settings.stride,
        padding,
        settings.output_padding,
        settings.dilation,
        settings.groups,
    );
    let convolve = |input| {
        let made = B::conv_transpose2d(input, picture(weights), bias, options);
        if even { made } else { cut_off(made, settings.pads) }
    };
    Ok(as_picture(input, convolve))
}

fn cut_off(x: Primitive, pads: [(usize, usize); 2]) -> Primitive {
    let mut ranges = vec![Range::WHOLE; 4];
    for (axis, (before, after)) in [2, 3].into_iter().zip(pads) {
        ranges[axis] = Range { start: before, end: shape_of(&x)[axis] - after, step: 1 };
    }
    slice(x, &ranges)
}

/// Works on N×C×W as on N×C×1×W.
pub(super) fn as_picture(x: Primitive, work: impl FnOnce(Primitive) -> Primitive) -> Primitive {
    if shape_of(&x).len() != 3 {
        return work(x);
    }
    let made = work(picture(x));
    let [n, c, _, w] = shape_of(&made)[..] else { return made };
    reshape(made, &[n, c, w])
}

fn picture(x: Primitive) -> Primitive {
    match shape_of(&x)[..] {
        [n, c, w] => reshape(x, &[n, c, 1, w]),
        _ => x,
    }
}
