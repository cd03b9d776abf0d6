//! Numbers as 16-bit floats.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// Numbers converted at once: their three forms stay in the processor's first cache.
const BLOCK: usize = 1024;

/// The 16-bit floats, little endian, of some numbers.
pub(super) fn write(numbers: &[[u8; 4]]) -> Vec<u8> {
    let mut bytes = vec![0; numbers.len() * size_of::<f16>()];
    let (mut singles, mut halves) = ([0.0; BLOCK], [f16::ZERO; BLOCK]);
    let (out, _) = bytes.as_chunks_mut::<2>();
    for (block, out) in numbers.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let (singles, halves) = (&mut singles[..block.len()], &mut halves[..block.len()]);
        singles.iter_mut().zip(block).for_each(|(single, number)| *single = saturated(*number));
        halves.convert_from_f32_slice(singles);
        out.iter_mut().zip(halves.iter()).for_each(|(bytes, half)| *bytes = half.to_le_bytes());
    }
    bytes
}

/// The numbers, little endian, of what [`write()`] gave.
pub(super) fn read(bytes: &[u8]) -> Vec<u8> {
    let (bytes, _) = bytes.as_chunks::<2>();
    let mut numbers = vec![0; bytes.len() * size_of::<f32>()];
    let (mut singles, mut halves) = ([0.0_f32; BLOCK], [f16::ZERO; BLOCK]);
    let (out, _) = numbers.as_chunks_mut::<4>();
    for (block, out) in bytes.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let (singles, halves) = (&mut singles[..block.len()], &mut halves[..block.len()]);
        halves.iter_mut().zip(block).for_each(|(half, bytes)| *half = f16::from_le_bytes(*bytes));
        halves.convert_to_f32_slice(singles);
        out.iter_mut().zip(singles.iter()).for_each(|(bytes, single)| *bytes = single.to_le_bytes());
    }
    numbers
}

/// A finite number stays finite as a 16-bit float.
fn saturated(number: [u8; 4]) -> f32 {
    let value = f32::from_le_bytes(number);
    let greatest = f16::MAX.to_f32_const();
    if value.is_infinite() { value } else { value.clamp(-greatest, greatest) }
}
