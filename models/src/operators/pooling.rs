//! Pooling over height and width.

use burn_backend::ops::{FloatTensorOps, ModuleOps};

use super::convolution::as_picture;
use super::selection::pad_constant;
use super::{B, Primitive, WrongOperands};

/// A sliding window. The padding is such that the last window fits: nothing is rounded.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Before and after, for height and width.
    pub(crate) pads: [(usize, usize); 2],
    pub(crate) dilation: [usize; 2],
}

/// Means under a window.
#[derive(Debug, Clone)]
pub(crate) struct Average {
    pub(crate) window: Window,
    /// What the sums are multiplied by, where the windows do not all count the same number of elements:
    /// 1×1×height×width of the output.
    pub(crate) weights: Option<Primitive>,
}

impl Window {
    /// The padding where it is the same on both sides, which Burn's pooling does itself.
    fn even_padding(&self) -> Option<[usize; 2]> {
        let [(top, bottom), (left, right)] = self.pads;
        // Burn wants a padding of at most half the window.
        let small = top * 2 <= self.kernel[0] && left * 2 <= self.kernel[1];
        (top == bottom && left == right && small).then_some([top, left])
    }

    fn padded(&self, x: Primitive, value: f32) -> (Primitive, [usize; 2]) {
        match self.even_padding() {
            Some(padding) => (x, padding),
            None => (pad_constant(x, &[(0, 0), (0, 0), self.pads[0], self.pads[1]], value), [0, 0]),
        }
    }
}

pub(super) fn max(window: &Window, x: Primitive) -> Primitive {
    as_picture(x, |x| {
        let (x, padding) = window.padded(x, f32::NEG_INFINITY);
        B::max_pool2d(x, window.kernel, window.stride, padding, window.dilation, false)
    })
}

pub(super) fn average(settings: &Average, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let x = super::one(operands)?;
    let window = &settings.window;
    Ok(as_picture(x, |x| {
        let (x, padding) = window.padded(x, 0.0);
        let means = B::avg_pool2d(x, window.kernel, window.stride, padding, true, false);
        match &settings.weights {
            Some(weights) => B::float_mul(means, weights.clone()),
            None => means,
        }
    }))
}

pub(super) fn global_average(x: Primitive) -> Primitive {
    as_picture(x, |x| B::adaptive_avg_pool2d(x, [1, 1]))
}
