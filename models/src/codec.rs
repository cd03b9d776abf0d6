//! Codecs: writes a frontier for the wire, and reads it back under the shapes that the cut's network expects.
//!
//! Pure. What a codec does to a number is said in [`encode`]; what it costs in accuracy was measured
//! (`docs/codecs.md`).

mod affine;
mod compression;
mod half_float;

use std::borrow::Cow;

use schemas::{Codec, Compression, DataType, ElementFormat, EncodedTensor, Scale, Tensor, TensorSignature};

use crate::error::ModelError;

/// Writes a frontier with a codec. A compression that does not make a tensor shorter is left out of that tensor.
///
/// - `f32` keeps every bit, and borrows the tensors' data when it is not compressed.
/// - `f16` rounds half to even: a relative error of at most 2⁻¹¹ down to 2⁻¹⁴, below that an absolute one of at
///   most 2⁻²⁵. Finite numbers beyond ±65 504 become ±65 504; infinities and NaN stay what they are.
/// - `i8` and `i8-channel` map the range of the tensor, or of each channel, extended to zero, onto −128..=127: `byte =
///   clamp(round_half_even(number / scale) + zero point)`. The error is at most half a scale, and zero stays zero.
///
/// # Errors
/// [`ModelError::NotFinite`] when an `i8` codec meets an infinity or NaN: there is no byte for them, and a range that
/// holds them has no steps. [`ModelError::WrongTensors`] when a tensor is not `f32`.
pub fn encode<'a>(codec: Codec, frontier: &'a [Tensor<'_>]) -> Result<Vec<EncodedTensor<'a>>, ModelError> {
    frontier.iter().map(|tensor| encode_tensor(codec, tensor)).collect()
}

fn encode_tensor<'a>(codec: Codec, tensor: &'a Tensor<'_>) -> Result<EncodedTensor<'a>, ModelError> {
    if tensor.data_type() != DataType::F32 {
        return Err(ModelError::WrongTensors(format!("no codec writes {:?}", tensor.data_type())));
    }
    let (numbers, _) = tensor.data().as_chunks::<4>();
    let (scales, raw): (Vec<Scale>, Cow<'a, [u8]>) =
        match (codec.elements, codec.elements.channels(tensor.shape())?) {
            (_, Some(channels)) => {
                let (scales, bytes) =
                    affine::write(numbers, channels).ok_or(ModelError::NotFinite { codec })?;
                (scales, bytes.into())
            }
            (ElementFormat::F16, None) => (Vec::new(), half_float::write(numbers).into()),
            (_, None) => (Vec::new(), tensor.data().into()),
        };
    let (compression, data) = match compression::compress(codec.compression, &raw)? {
        Some(compressed) if compressed.len() < raw.len() => (codec.compression, compressed.into()),
        _ => (Compression::None, raw),
    };
    let codec = Codec { compression, ..codec };
    Ok(EncodedTensor::new(codec, tensor.shape().to_vec(), &scales, data)?)
}

/// Reads a frontier as [`encode`] wrote it. `expected` are the tensors that cross the cut
/// ([`Network::frontier`](crate::Network::frontier)).
///
/// Nothing is allocated or decompressed before every tensor's shape is the expected one, and no more than that shape
/// takes afterwards, whatever compressed data would become. Every number is finite where it was finite, whatever
/// the scales are: beyond the greatest `f32` it saturates.
///
/// # Errors
/// [`ModelError::WrongTensors`] when the count or a shape is not as expected, [`ModelError::Undecodable`] when
/// compressed data is corrupt or becomes another length than its shape says.
pub fn decode<'a>(
    encoded: Vec<EncodedTensor<'a>>,
    expected: &[TensorSignature],
) -> Result<Vec<Tensor<'a>>, ModelError> {
    if encoded.len() != expected.len() {
        let reason = format!("{} tensors where {} are expected", encoded.len(), expected.len());
        return Err(ModelError::WrongTensors(reason));
    }
    for (tensor, signature) in encoded.iter().zip(expected) {
        if tensor.shape() != signature.shape || signature.data_type != DataType::F32 {
            return Err(ModelError::WrongTensors(format!(
                "{} is f32 {:?} where {:?} {:?} is expected",
                signature.name,
                tensor.shape(),
                signature.data_type,
                signature.shape
            )));
        }
    }
    encoded.into_iter().map(decode_tensor).collect()
}

fn decode_tensor(encoded: EncodedTensor<'_>) -> Result<Tensor<'_>, ModelError> {
    let Codec { elements, compression } = encoded.codec();
    let shape = encoded.shape().to_vec();
    let length = usize::try_from(encoded.raw_length()?)
        .map_err(|_| ModelError::Undecodable("a tensor is larger than this machine's memory".to_owned()))?;
    let channels = elements.channels(&shape)?;
    let scales: Vec<Scale> = encoded.scales().collect();
    let raw = match compression {
        Compression::None => encoded.into_data(),
        _ => compression::decompress(compression, encoded.data(), length)?.into(),
    };
    let numbers = match (elements, channels) {
        (_, Some(channels)) => affine::read(&raw, channels, &scales).into(),
        (ElementFormat::F16, None) => half_float::read(&raw).into(),
        (_, None) => raw,
    };
    Ok(Tensor::new(DataType::F32, shape, numbers)?)
}
