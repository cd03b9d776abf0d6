//! Two-dimensional convolution.

use burn_backend::ops::{ConvOptions, ModuleOps};

use super::{B, Primitive, WrongOperands, two_or_three};

/// Its settings; operands are input, weights and (optionally) bias.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    pub(crate) stride: [usize; 2],
    /// Before and after, for height and width.
    pub(crate) pads: [(usize, usize); 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) groups: usize,
}

pub(super) fn run(settings: &Convolution, operands: Vec<Primitive>) -> Result<Primitive, WrongOperands> {
    let (input, weights, bias) = two_or_three(operands)?;
    let options =
        ConvOptions::new_with_padding(settings.stride, settings.pads, settings.dilation, settings.groups);
    Ok(B::conv2d(input, weights, bias, options))
}
