//! What is known of a network's values while it is loaded.

use burn_backend::ops::FloatTensorOps;
use burn_backend::{Bytes, DType, FloatDType, TensorData, TensorMetadata};
use burn_dispatch::DispatchDevice;
use onnx_ir::TensorProto;
use pulp::bytemuck;

use super::ValueId;
use crate::operators::{B, Primitive, shape_of};

/// `TensorProto.DataType.FLOAT` of the format.
const SINGLE_PRECISION: i32 = 1;

/// What a name of the file stands for.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "as many as the file has names, only while it is loaded")]
pub(super) enum Known {
    /// Computed at every run.
    Value {
        id: ValueId,
        kind: DType,
    },
    Constant(Constant),
}

/// A tensor that does not depend on the picture.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    /// In double precision where it holds wide whole numbers (sizes, places), which must stay exact.
    pub(crate) tensor: Primitive,
    /// What it is for a batch of two, where that differs: sizes that the file computes from its input's shape.
    pub(crate) doubled: Option<Primitive>,
    /// What the file says its elements are.
    pub(crate) kind: DType,
    /// Whether it has no axis: Burn has no such tensors, it holds a vector of one element.
    pub(super) scalar: bool,
}

impl Constant {
    pub(super) fn new(tensor: Primitive, kind: DType, scalar: bool) -> Self {
        Self { tensor: B::float_cast(tensor, computed_in(kind)), doubled: None, kind, scalar }
    }

    /// Takes elements and shape as ONNX has them.
    pub(super) fn from_values(
        values: Vec<f64>,
        shape: &[usize],
        kind: DType,
        device: &DispatchDevice,
    ) -> Self {
        let sides = if shape.is_empty() { &[1] } else { shape };
        let data = TensorData::new(values, sides.to_vec());
        let data = match computed_in(kind) {
            FloatDType::F64 => data,
            _ => data.convert::<f32>(),
        };
        Self { tensor: B::float_from_data(data, device), doubled: None, kind, scalar: shape.is_empty() }
    }

    /// Reads weights; fails when they are of a type that is not supported or not as many as announced.
    pub(super) fn from_file(mut tensor: TensorProto, device: &DispatchDevice) -> Result<Self, String> {
        let data = match taken_over(&mut tensor) {
            Some(data) => data,
            None => TensorData::try_from(tensor).map_err(|error| {
                // The library's error has no text but that of its variant's field.
                let text = format!("{error:?}");
                let text = text.strip_prefix("VariantNotFound(\"").and_then(|text| text.strip_suffix("\")"));
                format!("its weights cannot be read: {}", text.unwrap_or("they are not valid"))
            })?,
        };
        let kind = data.dtype();
        let shape = data.shape().as_slice().to_vec();
        if computed_in(kind) == FloatDType::F64 {
            return Ok(Self::from_values(data.iter::<f64>().collect(), &shape, kind, device));
        }
        let sides = if shape.is_empty() { vec![1] } else { shape.clone() };
        let data = match kind {
            DType::F32 => TensorData::from_bytes(data.into_parts().0, sides, DType::F32),
            _ => TensorData::new(data.iter::<f32>().collect::<Vec<f32>>(), sides),
        };
        Ok(Self { tensor: B::float_from_data(data, device), doubled: None, kind, scalar: shape.is_empty() })
    }

    /// As a weight of a file.
    pub(crate) fn to_file(&self, name: &str) -> Result<TensorProto, String> {
        let shape = self.shape();
        let data = TensorData::new(read(self.tensor.clone())?, shape.clone());
        // Burn's truth values are bytes, as the format's.
        let kind = if matches!(self.kind, DType::Bool(_)) { DType::U8 } else { self.kind };
        let bytes = data.convert_dtype(kind).into_bytes();
        Ok(TensorProto {
            name: name.to_owned(),
            dims: shape.iter().map(|side| i64::try_from(*side).unwrap_or(i64::MAX)).collect(),
            data_type: number_of(self.kind),
            raw_data: bytes.to_vec().into(),
            ..TensorProto::default()
        })
    }

    /// Its shape as ONNX has it.
    pub(crate) fn shape(&self) -> Vec<usize> {
        if self.scalar { Vec::new() } else { shape_of(&self.tensor) }
    }
}

/// `TensorProto.DataType` of the format.
pub(crate) fn number_of(kind: DType) -> i32 {
    match kind {
        DType::F32 => SINGLE_PRECISION,
        DType::U8 => 2,
        DType::I8 => 3,
        DType::U16 => 4,
        DType::I16 => 5,
        DType::I32 => 6,
        DType::I64 => 7,
        DType::Bool(_) => 9,
        DType::F16 => 10,
        DType::F64 => 11,
        DType::U32 => 12,
        DType::U64 => 13,
        DType::BF16 => 16,
        _ => 0,
    }
}

/// Single precision numbers in the memory into which they were read, so that great weights are never there twice. `None`
/// for all else, and for what is not as long as announced.
fn taken_over(tensor: &mut TensorProto) -> Option<TensorData> {
    let sides = tensor.dims.iter().map(|side| usize::try_from(*side).ok());
    let sides: Vec<usize> = sides.collect::<Option<_>>()?;
    let bytes = sides.iter().try_fold(size_of::<f32>(), |product, side| product.checked_mul(*side))?;
    let in_place = tensor.data_type == SINGLE_PRECISION
        && tensor.raw_data.len() == bytes
        && bytes > 0
        && cfg!(target_endian = "little")
        && bytemuck::try_cast_slice::<u8, f32>(&tensor.raw_data).is_ok();
    in_place.then(|| {
        let raw = std::mem::take(&mut tensor.raw_data);
        TensorData::from_bytes(Bytes::from_elems::<u8>(raw.into()), sides, DType::F32)
    })
}

/// Whether a kind holds whole numbers or truth values.
pub(super) fn is_whole(kind: DType) -> bool {
    !matches!(kind, DType::F16 | DType::BF16 | DType::F32 | DType::F64)
}

/// Single precision is exact for whole numbers of 16 bits, which keeps quantised weights small.
fn computed_in(kind: DType) -> FloatDType {
    match kind {
        DType::I64 | DType::U64 | DType::I32 | DType::U32 => FloatDType::F64,
        _ => FloatDType::F32,
    }
}

/// Brings tensors to one precision: the double one only if all have it.
pub(super) fn of_one_precision(tensors: Vec<Primitive>) -> Vec<Primitive> {
    let double = tensors.iter().all(|tensor| tensor.dtype() == DType::F64);
    if double { tensors } else { tensors.into_iter().map(single).collect() }
}

/// In single precision, as everything is at run time.
pub(super) fn single(tensor: Primitive) -> Primitive {
    B::float_cast(tensor, FloatDType::F32)
}

/// The elements of a tensor, in row-major order.
pub(crate) fn read(tensor: Primitive) -> Result<Vec<f64>, String> {
    let data = burn_backend::try_read_sync(B::float_into_data(tensor))
        .ok_or("the device gives its data asynchronously only")?
        .map_err(|error| error.to_string())?;
    Ok(data.iter::<f64>().collect())
}
