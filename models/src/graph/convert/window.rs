//! How a window slides over a plane: attributes that convolutions and pooling share. A signal of one
//! dimension is a plane one element high.

use super::{NodeView, Result};

/// For height and width.
#[derive(Debug, Clone)]
pub(super) struct Geometry {
    pub(super) plane: [usize; 2],
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
    /// Before and after.
    pub(super) pads: [(usize, usize); 2],
}

impl Geometry {
    /// Of a window of the given size over the node's first input.
    pub(super) fn new(node: &NodeView<'_>, kernel: &[usize]) -> Result<Self> {
        let shape = node.shape(0)?;
        if !(3..=4).contains(&shape.len()) || kernel.len() + 2 != shape.len() {
            return Err(format!(
                "its input {shape:?} and its window {kernel:?} are not of one or two dimensions"
            ));
        }
        let rank = kernel.len();
        let stride = sides(node, "strides", rank)?;
        let dilation = sides(node, "dilations", rank)?;
        let kernel = plane(kernel, 1);
        let at_least_one =
            [kernel, stride, dilation].iter().flatten().all(|side| (1..=1 << 16).contains(side));
        if !at_least_one {
            return Err(format!("the window {kernel:?}, {stride:?} or {dilation:?} is not valid"));
        }
        let mut geometry = Self { plane: plane(&shape[2..], 1), kernel, stride, dilation, pads: [(0, 0); 2] };
        geometry.pads = geometry.read_pads(node, rank)?;
        Ok(geometry)
    }

    /// What the window spans along an axis.
    pub(super) fn span(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    fn read_pads(&self, node: &NodeView<'_>, rank: usize) -> Result<[(usize, usize); 2]> {
        match node.text("auto_pad", "NOTSET")? {
            "NOTSET" => explicit_pads(node, rank),
            "VALID" => Ok([(0, 0); 2]),
            side @ ("SAME_UPPER" | "SAME_LOWER") => {
                let same = |axis: usize| {
                    let length = self.plane[axis];
                    let covered =
                        (length.div_ceil(self.stride[axis]) - 1) * self.stride[axis] + self.span(axis);
                    halves(covered.saturating_sub(length), side == "SAME_UPPER")
                };
                Ok([same(0), same(1)])
            }
            other => Err(format!("auto_pad {other:?} is lacking")),
        }
    }
}

/// An odd element goes after, or before.
pub(super) fn halves(total: usize, after: bool) -> (usize, usize) {
    let (less, more) = (total / 2, total - total / 2);
    if after { (less, more) } else { (more, less) }
}

fn explicit_pads(node: &NodeView<'_>, rank: usize) -> Result<[(usize, usize); 2]> {
    let pads = node.integers("pads").unwrap_or(&[]);
    let pads = super::node::counts(pads, "pads")?;
    match (pads.as_slice(), rank) {
        ([], _) => Ok([(0, 0); 2]),
        ([left, right], 1) => Ok([(0, 0), (*left, *right)]),
        ([top, left, bottom, right], 2) => Ok([(*top, *bottom), (*left, *right)]),
        _ => Err(format!("the pads {pads:?} are not valid")),
    }
}

/// An attribute with one number for each dimension, 1 where it is left out.
fn sides(node: &NodeView<'_>, name: &str, rank: usize) -> Result<[usize; 2]> {
    let values = node.integers(name).filter(|values| !values.is_empty());
    let values = super::node::counts(values.unwrap_or(&[1, 1][..rank.min(2)]), name)?;
    if values.len() == rank {
        Ok(plane(&values, 1))
    } else {
        Err(format!("the {name} {values:?} are not valid"))
    }
}

/// Two dimensions of one or two.
pub(super) fn plane(sides: &[usize], above: usize) -> [usize; 2] {
    match sides {
        [width] => [above, *width],
        [height, width, ..] => [*height, *width],
        [] => [above, above],
    }
}
