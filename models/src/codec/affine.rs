//! Numbers as signed bytes, affine, with one scale for each channel.
//!
//! The loops are written for the compiler to vectorise: whole blocks, no branches on values, no calls.

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
    let mut ranges = vec![Range::default(); count];
    let mut bytes = vec![0; numbers.len()];
    if inner == 1 {
        for row in numbers.chunks_exact(count) {
            ranges.iter_mut().zip(row).for_each(|(range, number)| range.extend(*number));
        }
    } else if inner > 0 {
        for (block, channel) in numbers.chunks_exact(inner).zip((0..count).cycle()) {
            ranges[channel].join(Range::of(block));
        }
    }
    if ranges.iter().any(|range| !range.is_finite()) {
        return None;
    }
    let scales: Vec<Scale> = ranges.iter().map(Range::scale).collect();
    if inner == 1 {
        for (row, out) in numbers.chunks_exact(count).zip(bytes.chunks_exact_mut(count)) {
            row.iter()
                .zip(out)
                .zip(&scales)
                .for_each(|((number, byte), scale)| *byte = to_byte(*number, *scale));
        }
    } else if inner > 0 {
        let blocks = numbers.chunks_exact(inner).zip(bytes.chunks_exact_mut(inner));
        for ((block, out), scale) in blocks.zip(scales.iter().cycle()) {
            block.iter().zip(out).for_each(|(number, byte)| *byte = to_byte(*number, *scale));
        }
    }
    Some((scales, bytes))
}

/// The numbers, little endian, of what [`write`] gave. As many scales as channels.
pub(super) fn read(bytes: &[u8], channels: ChannelLayout, scales: &[Scale]) -> Vec<u8> {
    let (count, inner) = (channels.count as usize, channels.inner as usize);
    let mut numbers = vec![0; bytes.len() * size_of::<Number>()];
    let (out, _) = numbers.as_chunks_mut::<4>();
    if inner == 1 {
        for (row, out) in bytes.chunks_exact(count).zip(out.chunks_exact_mut(count)) {
            row.iter()
                .zip(out)
                .zip(scales)
                .for_each(|((byte, number), scale)| *number = to_number(*byte, *scale));
        }
    } else if inner > 0 {
        let blocks = bytes.chunks_exact(inner).zip(out.chunks_exact_mut(inner));
        for ((block, out), scale) in blocks.zip(scales.iter().cycle()) {
            block.iter().zip(out).for_each(|(byte, number)| *number = to_number(*byte, *scale));
        }
    }
    numbers
}

fn to_byte(number: Number, Scale { scale, zero_point }: Scale) -> u8 {
    // No number of the range is more than 255 steps, give or take a rounding, from zero.
    let steps = f32::from_le_bytes(number) / scale;
    let integer = (steps + INTEGER).to_bits().wrapping_sub(INTEGER.to_bits()).cast_signed();
    (integer + i32::from(zero_point)).clamp(-128, 127) as u8
}

fn to_number(byte: u8, Scale { scale, zero_point }: Scale) -> Number {
    let steps = i32::from(byte.cast_signed()) - i32::from(zero_point);
    (steps as f32 * scale).clamp(f32::MIN, f32::MAX).to_le_bytes()
}

/// The least and the greatest of some numbers and zero, and the greatest magnitude's bits (above those of every
/// finite number when one is infinite or NaN).
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    least: f32,
    greatest: f32,
    magnitude: i32,
}

impl Range {
    fn of(block: &[Number]) -> Self {
        // Several ranges at once, so that no number waits for the one before.
        const LANES: usize = 16;
        let mut lanes = [Self::default(); LANES];
        let (chunks, rest) = block.as_chunks::<LANES>();
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(lane, number)| lane.extend(*number));
        }
        lanes.iter_mut().zip(rest).for_each(|(lane, number)| lane.extend(*number));
        let mut range = Self::default();
        lanes.into_iter().for_each(|lane| range.join(lane));
        range
    }

    fn extend(&mut self, number: Number) {
        let value = f32::from_le_bytes(number);
        let magnitude = i32::from_le_bytes(number) & i32::MAX;
        // Comparisons rather than `min` and `max`: those also choose between NaN and a number, which costs.
        self.least = if value < self.least { value } else { self.least };
        self.greatest = if value > self.greatest { value } else { self.greatest };
        self.magnitude = if magnitude > self.magnitude { magnitude } else { self.magnitude };
    }

    fn join(&mut self, other: Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.magnitude = self.magnitude.max(other.magnitude);
    }

    fn is_finite(&self) -> bool {
        self.magnitude < f32::INFINITY.to_bits().cast_signed()
    }

    /// The scale that maps this range onto the bytes −128..=127, and the byte that then means zero.
    ///
    /// The least scale is the least normal number: a quotient of smaller ones would be a subnormal scale, which has
    /// too few digits, or zero.
    fn scale(&self) -> Scale {
        let (least, greatest) = (f64::from(self.least), f64::from(self.greatest));
        let scale = ((greatest - least) / STEPS).max(f64::from(f32::MIN_POSITIVE)) as f32;
        let zero_point = f64::from(i8::MIN) - (least / f64::from(scale)).round_ties_even();
        Scale { scale, zero_point: zero_point.clamp(f64::from(i8::MIN), f64::from(i8::MAX)) as i8 }
    }
}
