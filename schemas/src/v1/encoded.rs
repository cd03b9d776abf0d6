//! Tensors of a frontier as a codec wrote them.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::v1::codec::{Codec, Compression, Scale};
use crate::v1::tensor::{TensorError, byte_length, deserialize_bin, serialize_bin};

/// A tensor of 32-bit floats as a codec wrote it; its data is borrowed from the message it came in, or owned.
///
/// Invariant, kept by [`EncodedTensor::new`] and by decoding: rank ≤ 8; as many scales as the codec's elements and
/// the shape ask for, each finite and above zero; without compression `data.len()` = product of `shape` × size of an
/// element. How long compressed data becomes is known only to whoever decompresses it, and must be held to that product.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EncodedTensor<'a> {
    codec: Codec,
    shape: Vec<u64>,
    /// Five bytes for each channel: scale (`f32`, little endian), zero point (`i8`).
    #[serde(serialize_with = "serialize_bin", skip_serializing_if = "is_empty")]
    scales: Cow<'a, [u8]>,
    #[serde(serialize_with = "serialize_bin")]
    data: Cow<'a, [u8]>,
}

impl<'a> EncodedTensor<'a> {
    /// Takes a tensor's parts after checking that they fit together. `codec` is the one that this tensor was written
    /// with: the encoder may leave out a compression that does not make it shorter.
    pub fn new(
        codec: Codec,
        shape: Vec<u64>,
        scales: &[Scale],
        data: impl Into<Cow<'a, [u8]>>,
    ) -> Result<Self, TensorError> {
        let scales: Vec<u8> = scales.iter().flat_map(|scale| scale.to_bytes()).collect();
        Self { codec, shape, scales: scales.into(), data: data.into() }.checked()
    }

    fn checked(self) -> Result<Self, TensorError> {
        let expected = self.raw_length()?;
        let actual = self.data.len() as u64;
        if self.codec.compression == Compression::None && actual != expected {
            return Err(TensorError::WrongLength { expected, actual });
        }
        let channels = self.codec.elements.channels(&self.shape)?.map_or(0, |channels| channels.count);
        let expected = channels.saturating_mul(Scale::BYTES as u64);
        if self.scales.len() as u64 != expected {
            return Err(TensorError::WrongScales { expected, actual: self.scales.len() as u64 });
        }
        let unusable = self.scales().find(|scale| !(scale.scale.is_finite() && scale.scale > 0.0));
        unusable.map_or(Ok(self), |unusable| Err(TensorError::UnusableScale(unusable.scale)))
    }

    /// The codec that this tensor was written with.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The dimensions, outermost first.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The scales, one for each channel; none for formats without scales.
    pub fn scales(&self) -> impl Iterator<Item = Scale> {
        let (scales, _) = self.scales.as_chunks::<{ Scale::BYTES }>();
        scales.iter().map(|bytes| Scale::from_bytes(*bytes))
    }

    /// The elements' bytes, little endian, row major, compressed as the codec says.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The same as [`EncodedTensor::data`], without a copy.
    pub fn into_data(self) -> Cow<'a, [u8]> {
        self.data
    }

    /// The elements' bytes before compression.
    ///
    /// # Errors
    /// Never on a tensor that was made: its shape was checked.
    pub fn raw_length(&self) -> Result<u64, TensorError> {
        byte_length(self.codec.elements.data_type(), &self.shape)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for EncodedTensor<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "EncodedTensor")]
        struct Parts<'a> {
            codec: Codec,
            shape: Vec<u64>,
            #[serde(borrow, default, deserialize_with = "deserialize_bin")]
            scales: Cow<'a, [u8]>,
            #[serde(borrow, deserialize_with = "deserialize_bin")]
            data: Cow<'a, [u8]>,
        }
        let Parts { codec, shape, scales, data } = Parts::deserialize(deserializer)?;
        Self { codec, shape, scales, data }.checked().map_err(D::Error::custom)
    }
}

fn is_empty(bytes: &[u8]) -> bool {
    bytes.is_empty()
}
