//! Numbers as signed bytes, affine, with one scale for each channel.
//!
//! The loops are written for the compiler to vectorise: whole rows, arrays rather than structures, no branches on
//! values, no calls.

use schemas::{ChannelLayout, Scale};

/// A number as its bytes on the wire, little endian.
type Number = [u8; 4];

/// Steps between the least and the greatest byte.
const STEPS: f64 = 255.0;

/// Added to a number of less than 2²² it leaves no bits for a fraction: the sum is rounded to an integer, half to
/// even, and its low bits are that integer. `f32::round_ties_even` is a library call on processors that
/// a portable build is for.
const INTEGER: f32 = 12_582_912.0; // 1.5 × 2²³

/// The scales and the bytes of some numbers; `None` when one of them is not finite.
pub(super) fn write(numbers: &[Number], channels: ChannelLayout) -> Option<(Vec<Scale>, Vec<u8>)> {
    let (count, inner) = (channels.count as usize, channels.inner as usize);
    let scales = Ranges::of(numbers, count, inner).scales()?;
    let mut bytes = vec![0; numbers.len()];
    if inner == 1 {
        let (steps, zero_points) = columns(&scales);
        for (row, out) in numbers.chunks_exact(count).zip(bytes.chunks_exact_mut(count)) {
            let elements = row.iter().zip(out).zip(&steps).zip(&zero_points);
            elements.for_each(|(((number, byte), scale), zero)| *byte = to_byte(*number, *scale, *zero));
        }
    } else if inner > 0 {
        let blocks = numbers.chunks_exact(inner).zip(bytes.chunks_exact_mut(inner));
        for ((block, out), Scale { scale, zero_point }) in blocks.zip(scales.iter().cycle()) {
            let elements = block.iter().zip(out);
            elements.for_each(|(number, byte)| *byte = to_byte(*number, *scale, *zero_point));
        }
    }
    Some((scales, bytes))
}

/// The numbers, little endian, of what [`write()`] gave. As many scales as channels.
pub(super) fn read(bytes: &[u8], channels: ChannelLayout, scales: &[Scale]) -> Vec<u8> {
    let (count, inner) = (channels.count as usize, channels.inner as usize);
    let mut numbers = vec![0; bytes.len() * size_of::<Number>()];
    let (out, _) = numbers.as_chunks_mut::<4>();
    if inner == 1 {
        let (steps, zero_points) = columns(scales);
        for (row, out) in bytes.chunks_exact(count).zip(out.chunks_exact_mut(count)) {
            let elements = row.iter().zip(out).zip(&steps).zip(&zero_points);
            elements.for_each(|(((byte, number), scale), zero)| *number = to_number(*byte, *scale, *zero));
        }
    } else if inner > 0 {
        let blocks = bytes.chunks_exact(inner).zip(out.chunks_exact_mut(inner));
        for ((block, out), Scale { scale, zero_point }) in blocks.zip(scales.iter().cycle()) {
            let elements = block.iter().zip(out);
            elements.for_each(|(byte, number)| *number = to_number(*byte, *scale, *zero_point));
        }
    }
    numbers
}

fn to_byte(number: Number, scale: f32, zero_point: i8) -> u8 {
    // No number of the range is more than 255 steps, give or take a rounding, from zero.
    let steps = f32::from_le_bytes(number) / scale;
    let integer = (steps + INTEGER).to_bits().wrapping_sub(INTEGER.to_bits()).cast_signed();
    (integer + i32::from(zero_point)).clamp(-128, 127) as u8
}

fn to_number(byte: u8, scale: f32, zero_point: i8) -> Number {
    let steps = i32::from(byte.cast_signed()) - i32::from(zero_point);
    (steps as f32 * scale).clamp(f32::MIN, f32::MAX).to_le_bytes()
}

fn columns(scales: &[Scale]) -> (Vec<f32>, Vec<i8>) {
    scales.iter().map(|scale| (scale.scale, scale.zero_point)).unzip()
}

/// For each of some columns the least and the greatest of its numbers and zero.
struct Ranges<T> {
    least: T,
    greatest: T,
    /// The sum of all numbers times zero: zero as long as all are finite, and NaN from the first that is not.
    spoilt: T,
}

impl Ranges<Vec<f32>> {
    /// The ranges of channels whose numbers lie in blocks of `inner`.
    fn of(numbers: &[Number], count: usize, inner: usize) -> Self {
        let mut ranges =
            Self { least: vec![0.0; count], greatest: vec![0.0; count], spoilt: vec![0.0; count] };
        if inner == 1 {
            numbers.chunks_exact(count).for_each(|row| ranges.extend(row));
        } else if inner > 0 {
            for (block, channel) in numbers.chunks_exact(inner).zip((0..count).cycle()) {
                ranges.join(channel, &Ranges::of_block(block));
            }
        }
        ranges
    }

    fn join<const LANES: usize>(&mut self, channel: usize, lanes: &Ranges<[f32; LANES]>) {
        self.least[channel] = lanes.least.iter().copied().fold(self.least[channel], f32::min);
        self.greatest[channel] = lanes.greatest.iter().copied().fold(self.greatest[channel], f32::max);
        self.spoilt[channel] += lanes.spoilt.iter().sum::<f32>();
    }

    /// The scales that map the ranges onto the bytes −128..=127; `None` when a number is not finite.
    fn scales(&self) -> Option<Vec<Scale>> {
        if self.spoilt.iter().any(|spoilt| spoilt.is_nan()) {
            return None;
        }
        Some(
            self.least.iter().zip(&self.greatest).map(|(least, greatest)| scale(*least, *greatest)).collect(),
        )
    }
}

impl Ranges<[f32; 16]> {
    /// The range of a block in as many parts, so that no number waits for the one before.
    fn of_block(block: &[Number]) -> Self {
        let mut lanes = Self { least: [0.0; 16], greatest: [0.0; 16], spoilt: [0.0; 16] };
        let (rows, rest) = block.as_chunks::<16>();
        rows.iter().for_each(|row| lanes.extend(row));
        lanes.extend(rest);
        lanes
    }
}

impl<T: AsMut<[f32]>> Ranges<T> {
    /// Takes each number of a row into its column.
    fn extend(&mut self, row: &[Number]) {
        let (least, greatest) = (self.least.as_mut(), self.greatest.as_mut());
        let columns = least.iter_mut().zip(greatest).zip(self.spoilt.as_mut());
        for (((least, greatest), spoilt), number) in columns.zip(row) {
            let value = f32::from_le_bytes(*number);
            // Comparisons rather than `min` and `max`: those also choose between NaN and a number, which costs.
            *least = if value < *least { value } else { *least };
            *greatest = if value > *greatest { value } else { *greatest };
            *spoilt += value * 0.0;
        }
    }
}

/// The scale that maps a range with zero in it onto the bytes −128..=127, and the byte that then means zero.
///
/// The least scale is the least normal number: a quotient of smaller ones would be a subnormal scale, which has
/// too few digits, or zero.
fn scale(least: f32, greatest: f32) -> Scale {
    let (least, greatest) = (f64::from(least), f64::from(greatest));
    let scale = ((greatest - least) / STEPS).max(f64::from(f32::MIN_POSITIVE)) as f32;
    let zero_point = f64::from(i8::MIN) - (least / f64::from(scale)).round_ties_even();
    Scale { scale, zero_point: zero_point.clamp(f64::from(i8::MIN), f64::from(i8::MAX)) as i8 }
}
