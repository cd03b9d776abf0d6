//! Kernels of our own for `f32` on the processor, where Burn's were measured to be the slow part (docs/adr/0006).
//!
//! Plain slices in, plain vectors out; no tensors here. The instructions are chosen at run time (`pulp`): AVX-512, AVX2,
//! NEON, or what every processor has.

mod convolution;
mod planes;
mod product;

pub(crate) use convolution::{Clamp, Direct};
pub(crate) use planes::Geometry;
pub(crate) use product::product;

/// Numbers in the longest vector of any processor that is known here.
const LONGEST_VECTOR: usize = 16;

/// Least multiply-accumulates that are worth a second thread: some ten microseconds.
const WORTH_A_THREAD: usize = 1 << 19;

/// Whether a processor with so many numbers in a vector has 32 registers for them (AVX-512, NEON) rather than 16.
const fn has_many_registers(lanes: usize) -> bool {
    cfg!(target_arch = "aarch64") || lanes >= LONGEST_VECTOR
}
