//! Tensors on the processor as plain numbers, for kernels of our own.

use std::borrow::Cow;

use burn_backend::ops::FloatTensorOps;
use burn_backend::{DType, TensorData};
use burn_dispatch::devices::FlexDevice;
use burn_dispatch::{BackendTensor, DispatchDevice, DispatchTensorKind};

use super::{B, Primitive};

/// A tensor's numbers, where it lies on the processor in `f32`; copied only when they do not lie in order.
pub(super) fn numbers(tensor: &Primitive) -> Option<Cow<'_, [f32]>> {
    let DispatchTensorKind::Flex(BackendTensor::Float(tensor)) = &tensor.kind else { return None };
    if tensor.dtype() != DType::F32 {
        return None;
    }
    match tensor.as_slice::<f32>() {
        Some(numbers) => Some(Cow::Borrowed(numbers)),
        None => tensor.to_contiguous().as_slice::<f32>().map(|numbers| Cow::Owned(numbers.to_vec())),
    }
}

/// A tensor of these numbers.
pub(super) fn on_the_processor(numbers: Vec<f32>, shape: Vec<usize>) -> Primitive {
    B::float_from_data(TensorData::new(numbers, shape), &DispatchDevice::Flex(FlexDevice))
}

/// Zeros of a shape, if all of these tensors lie on the processor in `f32`.
pub(super) fn zeros_beside(tensors: &[Primitive], shape: Vec<usize>) -> Option<Primitive> {
    let is_plain = |tensor: &Primitive| match &tensor.kind {
        DispatchTensorKind::Flex(BackendTensor::Float(tensor)) => tensor.dtype() == DType::F32,
        _ => false,
    };
    tensors.iter().all(is_plain).then(|| on_the_processor(vec![0.0; shape.iter().product()], shape))
}
