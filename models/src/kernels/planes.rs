//! How the input's planes are laid out so that what one kernel tap reads for a row of outputs lies side by side.

/// A convolution over height and width; each pair is height, width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Before and after.
    pub(crate) pads: [(usize, usize); 2],
}

impl Geometry {
    /// Height and width of the output; 0 where the kernel does not fit.
    pub(crate) fn output(&self, input: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|side| {
            let reach = (self.kernel[side] - 1) * self.dilation[side] + 1;
            let padded = input[side] + self.pads[side].0 + self.pads[side].1;
            padded.checked_sub(reach).map_or(0, |room| room / self.stride[side] + 1)
        })
    }

    /// Multiplications for one output of one input channel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
}

/// One channel's plane after padding, its rows and columns sorted by phase: row `y` and column `x` of the padded plane
/// lie in phase `(y % stride, x % stride)` at `(y / stride, x / stride)`.
///
/// With outputs numbered `y × columns + x`, every tap then reads at a fixed offset from the output's number, whatever
/// the stride. Numbers with `x` beyond the output's width belong to no output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    rows: usize,
    /// The distance between two rows, of the grid and of output numbers.
    pub(super) columns: usize,
    stride: [usize; 2],
    /// Whether the plane is its own grid.
    is_plain: bool,
}

impl Grid {
    pub(super) fn new(geometry: &Geometry, input: [usize; 2]) -> Self {
        let side = |side: usize| {
            let (before, after) = geometry.pads[side];
            (input[side] + before + after).div_ceil(geometry.stride[side])
        };
        let is_plain = geometry.stride == [1, 1] && geometry.pads == [(0, 0); 2];
        Self { rows: side(0), columns: side(1), stride: geometry.stride, is_plain }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Numbers of one channel's grid.
    pub(super) fn length(&self) -> usize {
        self.rows * self.columns * self.stride[0] * self.stride[1]
    }

    /// Where the tap in row `y`, column `x` of the padded plane reads for output 0.
    fn place(&self, y: usize, x: usize) -> usize {
        let phase = (y % self.stride[0]) * self.stride[1] + x % self.stride[1];
        (phase * self.rows + y / self.stride[0]) * self.columns + x / self.stride[1]
    }

    /// The offsets of every tap of a kernel, row by row.
    pub(super) fn taps(&self, geometry: &Geometry) -> Vec<usize> {
        let [height, width] = geometry.kernel;
        let [down, right] = geometry.dilation;
        (0..height).flat_map(|y| (0..width).map(move |x| self.place(y * down, x * right))).collect()
    }

    /// Writes a plane into its grid, which holds zeros.
    pub(super) fn fill(&self, geometry: &Geometry, plane: &[f32], width: usize, grid: &mut [f32]) {
        let (top, left) = (geometry.pads[0].0, geometry.pads[1].0);
        for (y, row) in plane.chunks_exact(width).enumerate() {
            for first in 0..self.stride[1].min(width) {
                let start = self.place(y + top, left + first);
                spread(&row[first..], self.stride[1], &mut grid[start..]);
            }
        }
    }
}

/// Copies every `stride`-th number, from the first on.
fn spread(from: &[f32], stride: usize, to: &mut [f32]) {
    match stride {
        1 => to[..from.len()].copy_from_slice(from),
        // By far the most frequent: in this form the compiler vectorises it.
        2 => {
            let (pairs, rest) = from.as_chunks::<2>();
            to.iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair[0]);
            to[pairs.len()..].iter_mut().zip(rest).for_each(|(to, last)| *to = *last);
        }
        _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, from)| *to = *from),
    }
}
