//! Encoded frontiers that no honest encoder wrote: refused, with the caller at fault.

use models::{ModelError, codec};
use proptest::prelude::*;
use schemas::{Codec, Compression, DataType, ElementFormat, EncodedTensor, Scale, TensorSignature};

use super::{expected, tensor};

/// An encoded tensor of 4096 elements and its signature.
fn compressible(codec: Codec) -> (EncodedTensor<'static>, Vec<TensorSignature>) {
    let values: Vec<f32> = (0..4096).map(|place| (place % 16) as f32).collect();
    let frontier = [tensor(&[1, 16, 16, 16], &values)];
    let encoded = codec::encode(codec, &frontier).unwrap().remove(0);
    assert_eq!(encoded.codec(), codec, "it was compressed");
    let (shape, scales): (_, Vec<Scale>) = (encoded.shape().to_vec(), encoded.scales().collect());
    let owned = EncodedTensor::new(codec, shape, &scales, encoded.into_data().into_owned()).unwrap();
    (owned, expected(&frontier))
}

/// The same tensor with other compressed data.
fn with_data(tensor: &EncodedTensor<'_>, data: Vec<u8>) -> EncodedTensor<'static> {
    let scales: Vec<Scale> = tensor.scales().collect();
    EncodedTensor::new(tensor.codec(), tensor.shape().to_vec(), &scales, data).unwrap()
}

fn compressed_codecs() -> impl Iterator<Item = Codec> {
    Codec::ALL.into_iter().filter(|codec| codec.compression != Compression::None)
}

#[test]
fn truncated_and_longer_compressed_data_is_refused() {
    for codec in compressed_codecs() {
        let (tensor, signatures) = compressible(codec);
        for length in 0..tensor.data().len() {
            let cut = with_data(&tensor, tensor.data()[..length].to_vec());
            let error = codec::decode(vec![cut], &signatures).unwrap_err();
            assert!(matches!(error, ModelError::Undecodable(_)), "{codec}, {length} bytes: {error}");
            assert!(error.is_callers_fault());
        }
        for tail in [&[1][..], &[0x10, 7], &[0xff; 40], tensor.data()] {
            let longer = with_data(&tensor, [tensor.data(), tail].concat());
            let error = codec::decode(vec![longer], &signatures).unwrap_err();
            assert!(matches!(error, ModelError::Undecodable(_)), "{codec}, {tail:x?}: {error}");
        }
    }
}

#[test]
fn compressed_data_of_another_length_is_refused() {
    for codec in compressed_codecs() {
        let (tensor, signatures) = compressible(codec);
        let raw = usize::try_from(tensor.raw_length().unwrap()).unwrap();
        for length in [0, 1, raw - 1, raw + 1, 2 * raw, 1000 * raw] {
            let bytes = vec![3; length];
            let data = match codec.compression {
                Compression::Lz4 => lz4_flex::block::compress(&bytes),
                _ => zstd::bulk::compress(&bytes, 3).unwrap(),
            };
            let error = codec::decode(vec![with_data(&tensor, data)], &signatures).unwrap_err();
            assert!(matches!(error, ModelError::Undecodable(_)), "{codec}, {length} bytes: {error}");
        }
    }
}

#[test]
fn a_frontier_of_another_cut_is_refused() {
    let frontier = [tensor(&[1, 2, 4, 4], &[0.5; 32]), tensor(&[1, 8], &[0.25; 8])];
    let signatures = expected(&frontier);
    for codec in Codec::ALL {
        let encoded = || codec::encode(codec, &frontier).unwrap();
        assert!(codec::decode(encoded(), &signatures).is_ok());
        let [first, second] = [signatures[0].clone(), signatures[1].clone()];
        let others = [
            vec![],
            vec![first.clone()],
            vec![second.clone(), first.clone()],
            vec![first.clone(), second.clone(), second.clone()],
            vec![first.clone(), TensorSignature { shape: vec![8, 1], ..second.clone() }],
            vec![first.clone(), TensorSignature { shape: vec![8], ..second.clone() }],
            vec![first, TensorSignature { data_type: DataType::I64, ..second }],
        ];
        for other in others {
            let error = codec::decode(encoded(), &other).unwrap_err();
            assert!(matches!(error, ModelError::WrongTensors(_)), "{codec}: {error}");
            assert!(error.is_callers_fault());
        }
    }
}

#[test]
fn any_scale_that_is_accepted_gives_finite_numbers() {
    for scale in [f32::MAX, 1e38, f32::from_bits(1)] {
        let scales = [Scale { scale, zero_point: -128 }];
        let codec = Codec::new(ElementFormat::I8, Compression::None);
        let tensor = EncodedTensor::new(codec, vec![256], &scales, (0..=255).collect::<Vec<u8>>()).unwrap();
        let signature = TensorSignature { name: "t".into(), data_type: DataType::F32, shape: vec![256] };
        let decoded = codec::decode(vec![tensor], &[signature]).unwrap();
        assert!(decoded[0].to_f32().unwrap().iter().all(|value| value.is_finite()), "{scale}");
    }
}

proptest! {
    #[test]
    fn any_compressed_bytes_decode_to_the_shape_or_are_refused(
        data in prop::collection::vec(any::<u8>(), 0..300),
        codec in prop::sample::select(compressed_codecs().collect::<Vec<_>>()),
    ) {
        let (tensor, signatures) = compressible(codec);
        match codec::decode(vec![with_data(&tensor, data)], &signatures) {
            Ok(decoded) => prop_assert_eq!(decoded[0].shape(), &signatures[0].shape),
            Err(error) => prop_assert!(error.is_callers_fault(), "{}", error),
        }
    }

    #[test]
    fn a_flipped_byte_decodes_to_the_shape_or_is_refused(
        position in any::<prop::sample::Index>(),
        value in any::<u8>(),
        codec in prop::sample::select(compressed_codecs().collect::<Vec<_>>()),
    ) {
        let (tensor, signatures) = compressible(codec);
        let mut data = tensor.data().to_vec();
        let position = position.index(data.len());
        data[position] = value;
        match codec::decode(vec![with_data(&tensor, data)], &signatures) {
            Ok(decoded) => prop_assert_eq!(decoded[0].shape(), &signatures[0].shape),
            Err(error) => prop_assert!(error.is_callers_fault(), "{}", error),
        }
    }
}
