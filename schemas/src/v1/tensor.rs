//! Tensors on the wire: `{dtype, shape, data}` with `data` as MessagePack `bin`, little endian, row major.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Greatest number of dimensions of a tensor on the wire.
pub const GREATEST_RANK: usize = 8;

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// 32-bit IEEE float.
    F32,
    /// 16-bit IEEE float.
    F16,
    /// Signed byte.
    I8,
    /// Unsigned byte.
    U8,
    /// 32-bit signed integer.
    I32,
    /// 64-bit signed integer.
    I64,
    /// One byte an element, 0 or 1.
    Bool,
}

impl DataType {
    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::I64 => 8,
        }
    }
}

/// Why a tensor is not what it says it is.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// More than [`GREATEST_RANK`] dimensions.
    #[error("a tensor of rank {0} is not accepted, the greatest rank is {GREATEST_RANK}")]
    RankTooGreat(usize),
    /// The product of the dimensions and the element size overflows.
    #[error("the tensor's shape {0:?} overflows")]
    ShapeOverflows(Vec<u64>),
    /// The data has another length than shape and type say.
    #[error("the tensor holds {actual} bytes where its shape and type say {expected}")]
    WrongLength {
        /// Bytes that shape and type ask for.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },
    /// The elements are of another type than the reader wants.
    #[error("the tensor's elements are {actual:?}, expected {expected:?}")]
    WrongType {
        /// The type the reader wants.
        expected: DataType,
        /// The type that is there.
        actual: DataType,
    },
    /// More or fewer scales than the codec and the shape ask for.
    #[error("the tensor has {actual} bytes of scales where its codec and shape say {expected}")]
    WrongScales {
        /// Bytes of scales that codec and shape ask for.
        expected: u64,
        /// Bytes of scales that are there.
        actual: u64,
    },
    /// A scale that is zero, negative or not finite.
    #[error("a scale of {0} is not usable, it must be finite and above zero")]
    UnusableScale(f32),
}

/// A tensor whose data is borrowed from the message it came in, or owned.
///
/// Invariant, kept by [`Tensor::new`] and by decoding: rank ≤ 8 and `data.len()` = product of
/// `shape` × size of `data_type`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tensor<'a> {
    #[serde(rename = "dtype")]
    data_type: DataType,
    shape: Vec<u64>,
    #[serde(serialize_with = "serialize_bin")]
    data: Cow<'a, [u8]>,
}

impl<'a> Tensor<'a> {
    /// Takes a tensor's parts after checking that they fit together.
    pub fn new(
        data_type: DataType,
        shape: Vec<u64>,
        data: impl Into<Cow<'a, [u8]>>,
    ) -> Result<Self, TensorError> {
        let data = data.into();
        let expected = byte_length(data_type, &shape)?;
        let actual = data.len() as u64;
        if actual == expected {
            Ok(Self { data_type, shape, data })
        } else {
            Err(TensorError::WrongLength { expected, actual })
        }
    }

    /// Makes an `f32` tensor from its values.
    pub fn from_f32(shape: Vec<u64>, values: &[f32]) -> Result<Self, TensorError> {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::new(DataType::F32, shape, data)
    }

    /// The type of the elements.
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    /// The dimensions, outermost first.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The elements' bytes, little endian, row major.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The values of an `f32` tensor, copied out (the bytes on the wire are not aligned).
    pub fn to_f32(&self) -> Result<Vec<f32>, TensorError> {
        if self.data_type != DataType::F32 {
            return Err(TensorError::WrongType { expected: DataType::F32, actual: self.data_type });
        }
        let (chunks, _) = self.data.as_chunks::<4>();
        Ok(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// The same tensor, its data borrowed from this one.
    pub fn as_borrowed(&self) -> Tensor<'_> {
        Tensor { data_type: self.data_type, shape: self.shape.clone(), data: Cow::Borrowed(&self.data) }
    }

    /// The same tensor with its own copy of the data.
    pub fn into_owned(self) -> Tensor<'static> {
        Tensor { data_type: self.data_type, shape: self.shape, data: Cow::Owned(self.data.into_owned()) }
    }
}

/// Bytes that a tensor of this type and shape holds.
pub fn byte_length(data_type: DataType, shape: &[u64]) -> Result<u64, TensorError> {
    if shape.len() > GREATEST_RANK {
        return Err(TensorError::RankTooGreat(shape.len()));
    }
    shape
        .iter()
        .try_fold(data_type.size() as u64, |product, dimension| product.checked_mul(*dimension))
        .ok_or_else(|| TensorError::ShapeOverflows(shape.to_vec()))
}

impl<'de: 'a, 'a> Deserialize<'de> for Tensor<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Tensor")]
        struct Parts<'a> {
            #[serde(rename = "dtype")]
            data_type: DataType,
            shape: Vec<u64>,
            #[serde(borrow, deserialize_with = "deserialize_bin")]
            data: Cow<'a, [u8]>,
        }
        let parts = Parts::deserialize(deserializer)?;
        Tensor::new(parts.data_type, parts.shape, parts.data).map_err(D::Error::custom)
    }
}

/// Writes bytes as MessagePack `bin`.
pub(crate) fn serialize_bin<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Reads MessagePack `bin`, borrowed; anything else (text, an array of numbers) is refused: an array of
/// 8 M one-byte numbers would otherwise become 32 MB of floats.
pub(crate) fn deserialize_bin<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'a, [u8]>, D::Error> {
    struct BinVisitor;
    impl<'de> Visitor<'de> for BinVisitor {
        type Value = Cow<'de, [u8]>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("binary data")
        }
        fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(bytes))
        }
        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            Ok(Cow::Owned(bytes.to_vec()))
        }
    }
    deserializer.deserialize_bytes(BinVisitor)
}
