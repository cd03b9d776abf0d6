//! Kernels of our own for `f32` on the processor, where Burn's were measured to be the slow part (docs/adr/0006).
//!
//! Plain slices in, plain vectors out; no tensors here. The instructions are chosen at run time (`pulp`): AVX-512, AVX2,
//! NEON, or what every processor has.

mod convolution;
mod planes;

pub(crate) use convolution::{Clamp, Direct};
pub(crate) use planes::Geometry;
