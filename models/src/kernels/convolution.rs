//! Direct convolution: no columns are laid out and no product of matrices is called; a block of outputs is held in
//! registers while every tap of every input channel is added to it.

#[cfg(test)]
mod tests;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::planes::{Geometry, Grid};
use super::{LONGEST_VECTOR, WORTH_A_THREAD, has_many_registers};

/// Output channels computed together, for which each input value is loaded once, where there are 32 registers (AVX-512,
/// NEON): with 3 vectors of outputs 24 accumulators. Inputs come from the second cache, weights mostly from the first:
/// more channels and fewer vectors would be as many loads, fewer channels and more vectors twice the inputs.
const BLOCK_OF_MANY: usize = 8;
/// The same for 16 registers: with 3 vectors 12 accumulators.
const BLOCK_OF_FEW: usize = 4;

/// Most vectors of outputs computed together in a block of channels.
const VECTORS: usize = 3;
/// The same for one channel.
const VECTORS_ALONE: usize = 6;

/// Where outputs are cut off. NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clamp {
    pub(crate) least: f32,
    pub(crate) greatest: f32,
}

impl Clamp {
    pub(crate) const NONE: Self = Self { least: f32::NEG_INFINITY, greatest: f32::INFINITY };

    fn apply(self, value: f32) -> f32 {
        let value = if value < self.least { self.least } else { value };
        if value > self.greatest { self.greatest } else { value }
    }
}

/// A convolution with its weights, laid out for the kernel.
#[derive(Debug)]
pub(crate) struct Direct {
    geometry: Geometry,
    groups: usize,
    /// Input and output channels of one group.
    inputs: usize,
    outputs: usize,
    /// For each group and each block of output channels: for each input channel and tap one weight an output channel.
    weights: Vec<f32>,
    /// One an output channel.
    bias: Vec<f32>,
    /// Output channels in a block: fewer where a group has fewer.
    block: usize,
}

impl Direct {
    /// Takes weights as ONNX has them, output channels × input channels of one group × kernel height × width, and one
    /// bias an output channel. `None` when their numbers do not fit together.
    pub(crate) fn new(geometry: Geometry, groups: usize, weights: &[f32], bias: Vec<f32>) -> Option<Self> {
        let taps = geometry.taps();
        let outputs = bias.len().checked_div(groups).filter(|outputs| outputs * groups == bias.len())?;
        let inputs = weights.len().checked_div(bias.len() * taps)?;
        if inputs * bias.len() * taps != weights.len() || outputs == 0 || inputs == 0 {
            return None;
        }
        let block = [block_of_this_machine(), BLOCK_OF_FEW, 1].into_iter().find(|block| *block <= outputs)?;
        let packed = pack(weights, outputs, inputs * taps, block);
        Some(Self { geometry, groups, inputs, outputs, weights: packed, bias, block })
    }

    /// Channels, height and width of the output of one picture.
    pub(crate) fn output_shape(&self, input: [usize; 2]) -> [usize; 3] {
        let [height, width] = self.geometry.output(input);
        [self.groups * self.outputs, height, width]
    }

    /// Input channels of one picture.
    pub(crate) fn channels(&self) -> usize {
        self.groups * self.inputs
    }

    /// Convolves pictures of channels × height × width, one after the other. All of `output` is written, which holds
    /// [`Self::output_shape`] of each.
    pub(crate) fn run(&self, input: &[f32], sides: [usize; 2], clamp: Clamp, output: &mut [f32]) {
        let [_, height, width] = self.output_shape(sides);
        let plane = height * width;
        let picture = self.channels() * sides[0] * sides[1];
        let pictures = input.len().checked_div(picture).unwrap_or(0);
        if output.is_empty() {
            return;
        }
        let macs = output.len() * self.inputs * self.geometry.taps();
        let work = Work::new(self, sides, clamp);
        let groups = input
            .chunks_exact(self.inputs * sides[0] * sides[1])
            .zip(output.chunks_exact_mut(self.outputs * plane))
            .enumerate();
        let threads = if macs < WORTH_A_THREAD { 1 } else { rayon::current_num_threads() };
        if threads > 1 && self.groups * pictures >= 2 * threads {
            let groups: Vec<_> = groups.collect();
            groups.into_par_iter().for_each_init(Vec::new, |scratch, (group, (input, output))| {
                work.group(group, input, scratch, output, 1);
            });
        } else {
            let mut scratch = Vec::new();
            groups.for_each(|(group, (input, output))| {
                work.group(group, input, &mut scratch, output, threads);
            });
        }
    }
}

/// Output channels computed together on the processor that runs this.
fn block_of_this_machine() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;

        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    if has_many_registers(Arch::new().dispatch(Lanes)) { BLOCK_OF_MANY } else { BLOCK_OF_FEW }
}

/// Puts the weights of each block of output channels side by side, the last block filled up with zeros.
fn pack(weights: &[f32], outputs: usize, depth: usize, block: usize) -> Vec<f32> {
    let mut packed =
        Vec::with_capacity(weights.len().div_ceil(outputs * depth) * outputs.next_multiple_of(block) * depth);
    for group in weights.chunks_exact(outputs * depth) {
        for channels in group.chunks(block * depth) {
            for place in 0..depth {
                let of_channel = |channel| channels.get(channel * depth + place).copied().unwrap_or(0.0);
                packed.extend((0..block).map(of_channel));
            }
        }
    }
    packed
}

/// One run of a convolution.
struct Work<'a> {
    direct: &'a Direct,
    grid: Grid,
    /// For each input channel of a group and each tap, where it reads for output 0.
    offsets: Vec<usize>,
    sides: [usize; 2],
    output: [usize; 2],
    /// Numbers of outputs, those between rows included.
    span: usize,
    clamp: Clamp,
}

impl<'a> Work<'a> {
    fn new(direct: &'a Direct, sides: [usize; 2], clamp: Clamp) -> Self {
        let grid = Grid::new(&direct.geometry, sides);
        let (taps, length) = (grid.taps(&direct.geometry), grid.length());
        let of_channel = |channel: usize| taps.iter().map(move |tap| channel * length + tap);
        let output = direct.geometry.output(sides);
        Self {
            direct,
            grid,
            offsets: (0..direct.inputs).flat_map(of_channel).collect(),
            sides,
            output,
            span: output[0].saturating_sub(1) * grid.columns + output[1],
            clamp,
        }
    }

    /// Computes one group's outputs, split among so many threads. `scratch` is this run's own, used again and again.
    fn group(&self, group: usize, input: &[f32], scratch: &mut Vec<f32>, output: &mut [f32], threads: usize) {
        let direct = self.direct;
        let input = self.grids(input, scratch);
        let (plane, depth) = (self.output[0] * self.output[1], self.offsets.len());
        let blocks = direct.outputs.div_ceil(direct.block);
        let each = blocks.div_ceil(threads) * direct.block;
        let group = group % direct.groups;
        let weights =
            &direct.weights[group * blocks * direct.block * depth..][..blocks * direct.block * depth];
        let bias = &direct.bias[group * direct.outputs..][..direct.outputs];
        let part = |(index, output): (usize, &mut [f32])| {
            let channels = index * each..(index * each + output.len() / plane);
            let weights =
                &weights[channels.start * depth..channels.end.next_multiple_of(direct.block) * depth];
            Arch::new().dispatch(Part { work: self, input, weights, bias: &bias[channels], output });
        };
        if threads == 1 {
            output.chunks_mut(each * plane).enumerate().for_each(part);
        } else {
            output.par_chunks_mut(each * plane).enumerate().for_each(part);
        }
    }

    /// The input's planes as grids. What lies between their rows and behind the last is read for outputs that do not
    /// exist, and thrown away.
    fn grids<'b>(&self, input: &'b [f32], scratch: &'b mut Vec<f32>) -> &'b [f32] {
        if self.grid.is_plain() && self.span >= LONGEST_VECTOR {
            return input;
        }
        let length = self.grid.length();
        // Nothing but the planes' own places is written: what was zero for one group is zero for the next.
        scratch.resize(self.direct.inputs * length + LONGEST_VECTOR, 0.0);
        let planes = input.chunks_exact(self.sides[0] * self.sides[1]);
        for (plane, grid) in planes.zip(scratch.chunks_exact_mut(length)) {
            self.grid.fill(&self.direct.geometry, plane, self.sides[1], grid);
        }
        scratch
    }
}

/// Some output channels of one group.
struct Part<'a> {
    work: &'a Work<'a>,
    input: &'a [f32],
    weights: &'a [f32],
    bias: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match self.work.direct.block {
            BLOCK_OF_MANY => self.run::<S, BLOCK_OF_MANY>(simd),
            BLOCK_OF_FEW => self.run::<S, BLOCK_OF_FEW>(simd),
            _ => self.run_alone::<S>(simd),
        }
    }
}

impl Part<'_> {
    /// Every column of outputs, in blocks of channels.
    #[inline(always)]
    fn run<S: Simd, const CHANNELS: usize>(&mut self, simd: S) {
        let mut start = 0;
        while let Some((at, vectors)) = self.column_from::<S>(start, VECTORS) {
            match vectors {
                VECTORS => self.column::<S, CHANNELS, VECTORS>(simd, at),
                2 => self.column::<S, CHANNELS, 2>(simd, at),
                _ => self.column::<S, CHANNELS, 1>(simd, at),
            }
            start += vectors * S::F32_LANES;
        }
    }

    /// Every column of outputs, channel by channel.
    #[inline(always)]
    fn run_alone<S: Simd>(&mut self, simd: S) {
        let mut start = 0;
        while let Some((at, vectors)) = self.column_from::<S>(start, VECTORS_ALONE) {
            let vectors = match vectors {
                VECTORS_ALONE => {
                    self.column::<S, 1, VECTORS_ALONE>(simd, at);
                    VECTORS_ALONE
                }
                3.. => {
                    self.column::<S, 1, 3>(simd, at);
                    3
                }
                _ => {
                    self.column::<S, 1, 1>(simd, at);
                    1
                }
            };
            start += vectors * S::F32_LANES;
        }
    }

    /// Where the column of the outputs from a number on begins and how many vectors it has. The last one of all may
    /// overlap the one before it, or reach behind the only one.
    #[inline(always)]
    fn column_from<S: Simd>(&self, start: usize, most: usize) -> Option<(usize, usize)> {
        let (lanes, span) = (S::F32_LANES, self.work.span);
        let left = span.checked_sub(start).filter(|left| *left > 0)?;
        Some(match left / lanes {
            0 => (span.saturating_sub(lanes), 1),
            whole => (start, whole.min(most)),
        })
    }

    /// All channels' outputs from a number on, block by block, so that the input stays in the nearest cache.
    #[inline(always)]
    fn column<S: Simd, const CHANNELS: usize, const VECTORS: usize>(&mut self, simd: S, start: usize) {
        let Work { grid, offsets, output: [height, width], clamp, .. } = self.work;
        let (plane, depth) = (height * width, offsets.len());
        for (block, (output, bias)) in
            self.output.chunks_mut(CHANNELS * plane).zip(self.bias.chunks(CHANNELS)).enumerate()
        {
            let (weights, _) = self.weights[block * depth * CHANNELS..].as_chunks::<CHANNELS>();
            let bias = std::array::from_fn(|channel| bias.get(channel).copied().unwrap_or(0.0));
            let sums = accumulate::<S, CHANNELS, VECTORS>(simd, &self.input[start..], offsets, weights, bias);
            for (sums, plane) in sums.into_iter().zip(output.chunks_exact_mut(plane)) {
                let numbers: &[f32] = pulp::bytemuck::cast_slice(&sums);
                write(numbers, start, grid.columns, *width, *clamp, plane);
            }
        }
    }
}

/// For each channel its bias and, of every tap, the input's vectors from the tap's offset on times the channel's weight.
///
/// Given back by value and copied before anything points at them: sums that are pointed at would be stored again in every turn
/// of the loop.
#[inline(always)]
fn accumulate<S: Simd, const CHANNELS: usize, const VECTORS: usize>(
    simd: S,
    input: &[f32],
    offsets: &[usize],
    weights: &[[f32; CHANNELS]],
    bias: [f32; CHANNELS],
) -> [[S::f32s; VECTORS]; CHANNELS] {
    let mut sums = bias.map(|bias| [simd.splat_f32s(bias); VECTORS]);
    for (&offset, weights) in offsets.iter().zip(weights) {
        let (vectors, _) = S::as_simd_f32s(&input[offset..offset + VECTORS * S::F32_LANES]);
        let Some(vectors) = vectors.first_chunk::<VECTORS>() else { return sums };
        for channel in 0..CHANNELS {
            let weight = simd.splat_f32s(weights[channel]);
            for vector in 0..VECTORS {
                sums[channel][vector] = simd.mul_add_f32s(weight, vectors[vector], sums[channel][vector]);
            }
        }
    }
    sums
}

/// Writes outputs from a number on to their places, and leaves out those between rows.
#[inline(always)]
fn write(numbers: &[f32], start: usize, columns: usize, width: usize, clamp: Clamp, plane: &mut [f32]) {
    let mut done = 0;
    let (mut y, mut x) = (start / columns, start % columns);
    while done < numbers.len() {
        if x < width {
            let run = (width - x).min(numbers.len() - done);
            let Some(to) = plane.get_mut(y * width + x..y * width + x + run) else { return };
            to.iter_mut().zip(&numbers[done..done + run]).for_each(|(to, from)| *to = clamp.apply(*from));
        }
        done += columns - x;
        (y, x) = (y + 1, 0);
    }
}
