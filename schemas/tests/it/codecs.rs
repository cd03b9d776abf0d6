//! Codecs as text, and the checks of a tensor that a codec wrote.

use proptest::prelude::*;
use schemas::{
    ByteCount, Codec, Compression, Cut, CutDescription, DataType, ElementFormat, EncodedTensor, Scale,
    TensorError, TensorSignature, WireError, decode, encode,
};

use crate::samples;

#[test]
fn names_are_stable() {
    let names: Vec<String> = Codec::ALL.iter().map(Codec::to_string).collect();
    let expected = [
        "f32",
        "f32+lz4",
        "f32+zstd",
        "f16",
        "f16+lz4",
        "f16+zstd",
        "i8-channel",
        "i8-channel+lz4",
        "i8-channel+zstd",
        "i8",
        "i8+lz4",
        "i8+zstd",
    ];
    assert_eq!(names, expected);
    for (codec, name) in Codec::ALL.iter().zip(expected) {
        assert_eq!(name.parse(), Ok(*codec));
        // On the wire it is that text too.
        assert_eq!(encode(codec).unwrap(), encode(&name).unwrap());
        assert_eq!(decode::<Codec>(&encode(&name).unwrap()).unwrap(), *codec);
    }
    assert_eq!(Codec::default(), Codec::F32);
}

#[test]
fn text_that_names_no_codec_is_refused_with_what_would() {
    for text in ["", "F32", "f64", "f16+", "f16+gzip", "+lz4", "lz4", "i8 channel", "f16+lz4+zstd", " f32"] {
        let error = text.parse::<Codec>().unwrap_err().to_string();
        assert!(error.contains(&format!("{text:?}")) && error.contains("i8-channel"), "{error}");
        match decode::<Codec>(&encode(&text).unwrap()) {
            Err(WireError::Malformed(error)) => assert!(error.contains("no codec"), "{error}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    assert!("x".repeat(1_000_000).parse::<Codec>().unwrap_err().to_string().len() < 200);
    assert!(decode::<Codec>(&encode(&7).unwrap()).is_err());
}

#[test]
fn a_configuration_without_a_codec_is_f32_and_others_say_theirs() {
    let old = serde_json::json!({ "cut": 3 });
    let read: schemas::Configuration = decode(&encode(&old).unwrap()).unwrap();
    assert_eq!((read.codec, read.to_string().as_str()), (Codec::F32, "cut 3"));
    let codec = Codec::new(ElementFormat::I8Channel, Compression::Lz4);
    let shown = schemas::Configuration { codec, ..read }.to_string();
    assert_eq!(shown, "cut 3 in i8-channel+lz4");
}

#[test]
fn channels_follow_the_shape() {
    struct Case {
        shape: &'static [u64],
        outer: u64,
        count: u64,
        inner: u64,
    }
    let cases = [
        // Pictures: the second dimension.
        Case { shape: &[1, 32, 56, 56], outer: 1, count: 32, inner: 3136 },
        Case { shape: &[4, 3, 8, 8], outer: 4, count: 3, inner: 64 },
        Case { shape: &[1, 4, 65, 32], outer: 1, count: 4, inner: 2080 },
        Case { shape: &[1, 2, 3, 4, 5], outer: 1, count: 2, inner: 60 },
        // Tokens: the last one.
        Case { shape: &[1, 65, 128], outer: 65, count: 128, inner: 1 },
        // Few elements a channel: one scale for all.
        Case { shape: &[1, 1280, 1, 1], outer: 1, count: 1, inner: 1280 },
        Case { shape: &[1, 15, 128], outer: 1, count: 1, inner: 1920 },
        Case { shape: &[1, 2, 4, 4], outer: 1, count: 2, inner: 16 },
        // Without channels.
        Case { shape: &[], outer: 1, count: 1, inner: 1 },
        Case { shape: &[1000], outer: 1, count: 1, inner: 1000 },
        Case { shape: &[1, 1000], outer: 1, count: 1, inner: 1000 },
        Case { shape: &[1, 0, 65, 65], outer: 1, count: 1, inner: 0 },
        // A product of some dimensions alone overflows.
        Case { shape: &[0, 1 << 40, 1 << 40, 1 << 40], outer: 1, count: 1, inner: 0 },
    ];
    for case in cases {
        let found = ElementFormat::I8Channel.channels(case.shape).unwrap().unwrap();
        assert_eq!(
            (found.outer, found.count, found.inner),
            (case.outer, case.count, case.inner),
            "{:?}",
            case.shape
        );
        let elements: u64 = if case.shape.contains(&0) { 0 } else { case.shape.iter().product() };
        let whole = ElementFormat::I8.channels(case.shape).unwrap().unwrap();
        assert_eq!((whole.outer, whole.count, whole.inner), (1, 1, elements));
        assert_eq!(ElementFormat::F16.channels(case.shape).unwrap(), None);
    }
    assert!(ElementFormat::I8Channel.channels(&[u64::MAX, 2, 1, 1]).is_err());
    assert!(ElementFormat::I8Channel.channels(&[1; 9]).is_err());
}

#[test]
fn bytes_of_a_cut_under_each_format() {
    let tensor =
        |shape: &[u64]| TensorSignature { name: "t".into(), data_type: DataType::F32, shape: shape.to_vec() };
    let cut = CutDescription {
        cut: Cut(3),
        name: "add".into(),
        frontier: vec![tensor(&[1, 8, 10, 10]), tensor(&[1, 100])],
        bytes: ByteCount(3_600),
        macs_before: 1,
        macs_after: 1,
        parameters_before: 0,
        parameters_after: 0,
        dominated_by: None,
    };
    let bytes = |cut: &CutDescription| ElementFormat::ALL.map(|format| cut.bytes_in(format).unwrap().0);
    // f32, f16, i8-channel (8 scales and 1, of 5 bytes), i8 (2 scales).
    assert_eq!(bytes(&cut), [3_600, 1_800, 945, 910]);
    let first = CutDescription { cut: Cut(0), bytes: ByteCount(192), ..cut.clone() };
    assert_eq!(bytes(&first), [192; 4], "the input travels as pixels");
    let last = CutDescription { frontier: vec![], bytes: ByteCount(0), ..cut };
    assert_eq!(bytes(&last), [0; 4]);
}

fn i8_tensor(shape: &[u64], scales: &[Scale], bytes: usize) -> Result<EncodedTensor<'static>, TensorError> {
    let codec = Codec::new(ElementFormat::I8Channel, Compression::None);
    EncodedTensor::new(codec, shape.to_vec(), scales, vec![0; bytes])
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let scale = Scale { scale: 0.5, zero_point: 0 };
    assert!(i8_tensor(&[1, 2, 4, 4], &[scale; 2], 32).is_ok());
    for count in [0, 1, 3] {
        let error = i8_tensor(&[1, 2, 4, 4], &vec![scale; count], 32).unwrap_err();
        assert_eq!(error, TensorError::WrongScales { expected: 10, actual: 5 * count as u64 });
    }
    for bytes in [0, 31, 33] {
        let error = i8_tensor(&[1, 2, 4, 4], &[scale; 2], bytes).unwrap_err();
        assert_eq!(error, TensorError::WrongLength { expected: 32, actual: bytes as u64 });
    }
    for bad in [0.0, -0.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let scales = [scale, Scale { scale: bad, zero_point: 0 }];
        let error = i8_tensor(&[1, 2, 4, 4], &scales, 32).unwrap_err();
        assert!(matches!(error, TensorError::UnusableScale(_)), "{bad}: {error}");
    }
    assert!(i8_tensor(&[1; 9], &[scale], 1).is_err());
    assert!(i8_tensor(&[u64::MAX, 2, 4, 4], &[scale; 2], 1).is_err());
    // Formats without scales have none.
    let f16 = Codec::new(ElementFormat::F16, Compression::None);
    assert!(EncodedTensor::new(f16, vec![2], &[], vec![0; 4]).is_ok());
    assert!(EncodedTensor::new(f16, vec![2], &[scale], vec![0; 4]).is_err());
}

/// The map of an encoded tensor from raw parts.
fn raw(codec: &str, shape: &[u64], scales: &[u8], data: &[u8]) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Raw<'a> {
        codec: &'a str,
        shape: &'a [u64],
        scales: &'a serde_bytes::Bytes,
        data: &'a serde_bytes::Bytes,
    }
    let [scales, data] = [scales, data].map(serde_bytes::Bytes::new);
    encode(&Raw { codec, shape, scales, data }).unwrap()
}

#[test]
fn what_arrives_is_checked_as_what_is_made() {
    let scale = [0, 0, 0, 63, 0];
    let nan = [0, 0, 192, 127, 0];
    assert!(decode::<EncodedTensor<'_>>(&raw("i8", &[3], &scale, &[0; 3])).is_ok());
    let refused = [
        (raw("i8", &[3], &scale, &[0; 4]), "4 bytes"),
        (raw("i8", &[3], &scale[..4], &[0; 3]), "4 bytes of scales"),
        (raw("i8", &[3], &[scale, scale].concat(), &[0; 3]), "10 bytes of scales"),
        (raw("i8", &[3], &nan, &[0; 3]), "NaN"),
        (raw("i8+zstd", &[3], &[], &[0; 30]), "0 bytes of scales"),
        (raw("f16", &[3], &[], &[0; 7]), "7 bytes"),
        (raw("f16+zstd", &[1 << 62, 8], &[], &[0; 7]), "overflows"),
        (raw("i9", &[3], &scale, &[0; 3]), "no codec"),
        (raw("f32+lz4", &[1; 9], &[], &[0; 3]), "rank 9"),
        // More channels than any memory holds: refused by their count alone.
        (raw("i8-channel+lz4", &[1, 1 << 50, 4, 4], &scale, &[0; 3]), "bytes of scales"),
    ];
    for (bytes, says) in refused {
        match decode::<EncodedTensor<'_>>(&bytes) {
            Err(WireError::Malformed(text)) => assert!(text.contains(says), "{text:?}, not {says:?}"),
            other => panic!("expected {says:?}, got {other:?}"),
        }
    }
}

#[test]
fn encoded_data_is_borrowed_from_the_message() {
    let bytes = encode(&samples::tail_request_encoded()).unwrap();
    let request: schemas::TailRequest<'_> = decode(&bytes).unwrap();
    let schemas::TailPayload::Encoded(tensors) = request.payload else { panic!("another payload") };
    assert_eq!(tensors.len(), 4);
    for tensor in tensors {
        assert!(bytes.as_ptr_range().contains(&tensor.data().as_ptr()), "the data was copied");
    }
}

proptest! {
    #[test]
    fn scales_survive_the_wire(
        parts in prop::collection::vec((f32::MIN_POSITIVE..f32::MAX, any::<i8>()), 1..20),
    ) {
        let scales: Vec<Scale> =
            parts.iter().map(|&(scale, zero_point)| Scale { scale, zero_point }).collect();
        let shape = [1, scales.len() as u64, 4, 4];
        // One channel counts as one for the whole.
        let tensor = i8_tensor(&shape, &scales, 16 * scales.len()).unwrap();
        let bytes = encode(&tensor).unwrap();
        let back: EncodedTensor<'_> = decode(&bytes).unwrap();
        prop_assert_eq!(back.scales().collect::<Vec<_>>(), scales);
    }

    #[test]
    fn a_flipped_byte_never_panics_and_never_breaks_the_invariant(
        position in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut bytes = encode(&samples::tail_request_encoded()).unwrap();
        let position = position.index(bytes.len());
        bytes[position] = value;
        if let Ok(schemas::TailRequest { payload: schemas::TailPayload::Encoded(tensors), .. }) = decode(&bytes) {
            for tensor in tensors {
                let channels = tensor.codec().elements.channels(tensor.shape()).unwrap();
                prop_assert_eq!(tensor.scales().count() as u64, channels.map_or(0, |channels| channels.count));
                prop_assert!(tensor.scales().all(|scale| scale.scale.is_finite() && scale.scale > 0.0));
                if tensor.codec().compression == Compression::None {
                    prop_assert_eq!(tensor.raw_length().unwrap(), tensor.data().len() as u64);
                }
            }
        }
    }
}
