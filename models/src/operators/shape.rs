//! Operators that keep all elements and change how they lie.

use burn_backend::Shape;
use burn_backend::ops::FloatTensorOps;

use super::{B, Primitive, reshape, shape_of, with_rank};

/// Another shape for the same elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reshape {
    /// For one picture.
    pub(crate) shape: Vec<usize>,
    /// The axis that grows with the batch: it takes whatever the others leave.
    pub(crate) free: Option<usize>,
}

/// Moves between channels and the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rearrange {
    /// Channels are block × block × depth.
    DepthColumnRow {
        block: usize,
    },
    /// Channels are depth × block × block.
    ColumnRowDepth {
        block: usize,
    },
    SpaceToDepth {
        block: usize,
    },
}

pub(super) fn to_shape(settings: &Reshape, x: Primitive) -> Primitive {
    let Some(free) = settings.free else { return reshape(x, &settings.shape) };
    let mut shape = settings.shape.clone();
    shape[free] = 1;
    let fixed: usize = shape.iter().product();
    shape[free] = shape_of(&x).iter().product::<usize>() / fixed.max(1);
    reshape(x, &shape)
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

pub(super) fn tile(x: Primitive, repeats: &[usize]) -> Primitive {
    let repeated = repeats.iter().enumerate().filter(|(_, times)| **times != 1);
    repeated.fold(x, |x, (axis, times)| B::float_repeat_dim(x, axis, *times))
}

/// One after the other along an axis. What is the same for all pictures of a batch, such as a class token,
/// is repeated for each.
pub(super) fn concatenate(parts: Vec<Primitive>, axis: usize) -> Primitive {
    let shapes: Vec<Vec<usize>> = parts.iter().map(shape_of).collect();
    let rank = shapes.first().map_or(0, Vec::len);
    let greatest =
        |axis: usize| shapes.iter().filter_map(|shape| shape.get(axis)).copied().max().unwrap_or(1);
    let mut sides: Vec<usize> = (0..rank).map(greatest).collect();
    if axis < rank {
        sides[axis] = 1; // each part keeps its own
    }
    let alike = |(part, shape): (Primitive, &Vec<usize>)| {
        let fits = shape.iter().zip(&sides).enumerate().all(|(at, (have, want))| at == axis || have == want);
        if fits { part } else { expand(part, &sides) }
    };
    B::float_cat(parts.into_iter().zip(&shapes).map(alike).collect(), axis)
}

pub(super) fn rearrange(settings: &Rearrange, x: Primitive) -> Primitive {
    let [n, c, h, w] = shape_of(&x)[..] else { return x };
    let through = |split: [usize; 6], axes: [usize; 6], joined: [usize; 4]| {
        reshape(B::float_permute(reshape(x, &split), &axes), &joined)
    };
    match *settings {
        Rearrange::DepthColumnRow { block } => {
            let depth = c / (block * block);
            through([n, block, block, depth, h, w], [0, 3, 4, 1, 5, 2], [n, depth, h * block, w * block])
        }
        Rearrange::ColumnRowDepth { block } => {
            let depth = c / (block * block);
            through([n, depth, block, block, h, w], [0, 1, 4, 2, 5, 3], [n, depth, h * block, w * block])
        }
        Rearrange::SpaceToDepth { block } => {
            let (rows, columns) = (h / block, w / block);
            through(
                [n, c, rows, block, columns, block],
                [0, 3, 5, 1, 2, 4],
                [n, c * block * block, rows, columns],
            )
        }
    }
}
