//! Pooling over height and width.

use burn_backend::ops::ModuleOps;

use super::shape::pad;
use super::{B, Primitive};

/// A sliding window.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Before and after, for height and width.
    pub(crate) pads: [(usize, usize); 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) ceil: bool,
}

impl Window {
    /// The padding where it is the same on both sides, which Burn's pooling does itself.
    fn even_padding(&self) -> Option<[usize; 2]> {
        let [(top, bottom), (left, right)] = self.pads;
        (top == bottom && left == right).then_some([top, left])
    }
}

pub(super) fn max(window: &Window, x: Primitive) -> Primitive {
    let (x, padding) = match window.even_padding() {
        Some(padding) => (x, padding),
        None => (pad_sides(x, window, f32::NEG_INFINITY), [0, 0]),
    };
    B::max_pool2d(x, window.kernel, window.stride, padding, window.dilation, window.ceil)
}

/// With uneven padding the padding is counted: import refuses the other case.
pub(super) fn average(window: &Window, count_padding: bool, x: Primitive) -> Primitive {
    let (x, padding) = match window.even_padding() {
        Some(padding) => (x, padding),
        None => (pad_sides(x, window, 0.0), [0, 0]),
    };
    B::avg_pool2d(x, window.kernel, window.stride, padding, count_padding, window.ceil)
}

pub(super) fn global_average(x: Primitive) -> Primitive {
    B::adaptive_avg_pool2d(x, [1, 1])
}

fn pad_sides(x: Primitive, window: &Window, value: f32) -> Primitive {
    pad(x, &[(0, 0), (0, 0), window.pads[0], window.pads[1]], value)
}
