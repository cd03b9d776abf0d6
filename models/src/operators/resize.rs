//! Changing the size of a picture, axis by axis.

use burn_backend::ops::FloatTensorOps;
use burn_backend::tensor::IntTensor;

use super::{B, Primitive, shape_of, with_rank};

/// One step for each axis whose length changes.
#[derive(Debug, Clone)]
pub(crate) struct Resize {
    /// How many times as many elements the greatest result has, at most.
    pub(crate) growth: usize,
    pub(crate) steps: Vec<Step>,
}

/// What each new element of an axis is made of; all prepared when the network is loaded.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// One old element.
    Pick { axis: usize, places: IntTensor<B> },
    /// A mixture of old elements of the last axis: old × new weights.
    MixColumns(Primitive),
    /// A mixture of old elements of the last axis but one: new × old weights.
    MixRows(Primitive),
}

pub(super) fn run(settings: &Resize, x: Primitive) -> Primitive {
    settings.steps.iter().fold(x, |x, step| {
        let rank = shape_of(&x).len();
        match step {
            Step::Pick { axis, places } => B::float_select(x, *axis, places.clone()),
            Step::MixColumns(weights) => B::float_matmul(x, with_rank(weights.clone(), rank)),
            Step::MixRows(weights) => B::float_matmul(with_rank(weights.clone(), rank), x),
        }
    })
}
