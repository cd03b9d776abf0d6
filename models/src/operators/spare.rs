//! Memory of tensors that nobody reads any more, for those that our kernels make next.
//!
//! Fresh memory costs a page fault every 4 KB and is zeroed by the system and by us before a kernel writes all of it, on one
//! thread however many there are (what that took: docs/adr/0006-own-kernels.md).

use burn_backend::{DType, TensorData};
use burn_dispatch::{BackendTensor, DispatchTensorKind};

use super::Primitive;

/// Most tensors that are kept: as many sizes as a network has that are worth it. More are let go, the oldest first.
const MOST: usize = 16;

/// Smaller ones, in numbers, come cheap from the allocator.
const LEAST: usize = 1 << 12;

/// A tensor gets no memory that is more than so many times too large for it.
const WASTE: usize = 2;

/// What is kept of runs before, for one run at a time. Never more than [`MOST`] times the largest tensor of a network.
#[derive(Debug, Default)]
pub(crate) struct Spare(Vec<Vec<f32>>);

impl Spare {
    /// So many numbers, of any value: the caller writes all of them.
    pub(crate) fn take(&mut self, length: usize) -> Vec<f32> {
        let fits = |capacity: usize| (length..=length.saturating_mul(WASTE)).contains(&capacity);
        let kept = self.0.iter().enumerate().filter(|(_, kept)| fits(kept.capacity()));
        let best = kept.min_by_key(|(_, kept)| kept.capacity()).map(|(position, _)| position);
        let mut numbers = match best {
            Some(best) => self.0.remove(best),
            None => vec![0.0; length],
        };
        numbers.resize(length, 0.0);
        if cfg!(test) {
            // What a kernel forgets to write is found out.
            numbers.fill(f32::NAN);
        }
        numbers
    }

    /// Keeps the memory of a tensor, where it lies on the processor and nobody else reads it.
    pub(crate) fn give(&mut self, tensor: Primitive) {
        let DispatchTensorKind::Flex(BackendTensor::Float(tensor)) = tensor.kind else { return };
        if tensor.dtype() != DType::F32 || !tensor.is_unique() || !tensor.is_contiguous() {
            return;
        }
        let data: TensorData = tensor.into_data();
        let Ok(numbers) = data.try_into_vec::<f32>() else { return };
        if numbers.capacity() < LEAST {
            return;
        }
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(numbers);
    }
}
