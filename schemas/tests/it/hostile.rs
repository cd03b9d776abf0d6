//! Hostile bytes: typed errors, no panic. (`tests/allocation.rs` holds the memory bound.)

use proptest::prelude::*;
use schemas::{InferRequest, Presence, TailRequest, Tensor, WireError, decode, encode};

use crate::samples;

fn malformed<T: std::fmt::Debug>(result: Result<T, WireError>, says: &str) {
    match result {
        Err(WireError::Malformed(text)) => assert!(text.contains(says), "{text:?} does not say {says:?}"),
        other => panic!("expected Malformed with {says:?}, got {other:?}"),
    }
}

/// A MessagePack map `{dtype, shape, data}` from raw parts.
fn raw_tensor(data_type: &str, shape: &[u64], data: &[u8]) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Raw<'a> {
        dtype: &'a str,
        shape: &'a [u64],
        data: &'a serde_bytes::Bytes,
    }
    encode(&Raw { dtype: data_type, shape, data: serde_bytes::Bytes::new(data) }).unwrap()
}

#[test]
fn every_truncation_of_every_shape_of_message_is_refused() {
    for request in [samples::tail_request(), samples::tail_request_encoded()] {
        let bytes = encode(&request).unwrap();
        for length in 0..bytes.len() {
            assert!(
                decode::<TailRequest<'_>>(&bytes[..length]).is_err(),
                "{length} of {} bytes",
                bytes.len()
            );
        }
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let bytes = encode(&samples::tensor()).unwrap();
    for tail in [&[0u8][..], &[0xc0], &[0xc1], &[0x91], &[0xdb, 0xff], &[0xa5, b'x']] {
        let longer = [&bytes, tail].concat();
        let error = decode::<Tensor<'_>>(&longer).unwrap_err();
        assert!(matches!(error, WireError::TrailingBytes), "{tail:x?}: {error}");
    }
}

#[test]
fn an_overflowing_shape_is_refused() {
    malformed(decode::<Tensor<'_>>(&raw_tensor("f32", &[u64::MAX, 2], &[0; 8])), "overflows");
    malformed(decode::<Tensor<'_>>(&raw_tensor("f32", &[1 << 62], &[0; 8])), "overflows");
}

#[test]
fn a_wrong_length_is_refused() {
    malformed(decode::<Tensor<'_>>(&raw_tensor("f32", &[4], &[0; 15])), "15 bytes");
    malformed(decode::<Tensor<'_>>(&raw_tensor("f32", &[0], &[0; 4])), "4 bytes");
}

#[test]
fn a_rank_above_eight_is_refused() {
    malformed(decode::<Tensor<'_>>(&raw_tensor("u8", &[1; 9], &[0])), "rank 9");
}

#[test]
fn an_unknown_type_of_elements_is_refused() {
    malformed(decode::<Tensor<'_>>(&raw_tensor("f64", &[1], &[0; 8])), "f64");
}

#[test]
fn an_array_of_numbers_is_not_binary_data() {
    #[derive(serde::Serialize)]
    struct AsNumbers {
        dtype: &'static str,
        shape: Vec<u64>,
        data: Vec<u8>,
    }
    let bytes = encode(&AsNumbers { dtype: "u8", shape: vec![3], data: vec![1, 2, 3] }).unwrap();
    malformed(decode::<Tensor<'_>>(&bytes), "binary data");
}

#[test]
fn deep_nesting_is_refused() {
    let bytes = vec![0x91; 4_000_000];
    assert!(decode::<Tensor<'_>>(&bytes).is_err());
    assert!(decode::<Presence>(&bytes).is_err());
}

#[test]
fn a_model_name_with_wildcards_is_refused() {
    let value = serde_json::json!({ "model": "*.>", "pictures": [], "samples": 1 });
    malformed(decode::<schemas::OptimizeRequest<'_>>(&encode(&value).unwrap()), "model name");
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let outcomes = [
            decode::<Tensor<'_>>(&bytes).is_ok(),
            decode::<InferRequest<'_>>(&bytes).is_ok(),
            decode::<TailRequest<'_>>(&bytes).is_ok(),
            decode::<Presence>(&bytes).is_ok(),
        ];
        prop_assert!(outcomes.len() == 4);
    }

    #[test]
    fn a_flipped_byte_never_panics_and_never_breaks_the_invariant(
        position in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut bytes = encode(&samples::tail_request()).unwrap();
        let position = position.index(bytes.len());
        bytes[position] = value;
        if let Ok(TailRequest { payload: schemas::TailPayload::Frontier(tensors), .. }) = decode(&bytes) {
            for tensor in tensors {
                let elements: u64 = tensor.shape().iter().product();
                prop_assert_eq!(elements * tensor.data_type().size() as u64, tensor.data().len() as u64);
            }
        }
    }
}
