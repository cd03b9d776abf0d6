//! What comes from outside may be anything: typed errors, no panics, no memory for mere announcements.

use std::borrow::Cow;
use std::fs;

use models::{Accelerator, Bundle, Channels, ModelError, Network, Preprocessing, classify, preprocess};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use schemas::{Input, Tensor};

use crate::shared;

fn exact(width: u32, height: u32) -> Preprocessing {
    Preprocessing {
        resize_short_side: None,
        width,
        height,
        channels: Channels::Rgb,
        scale: 1.0,
        mean: [0.0; 3],
        deviation: [1.0; 3],
    }
}

fn encoded(bytes: &[u8]) -> Input<'_> {
    Input::Encoded { bytes: Cow::Borrowed(bytes) }
}

/// The start of a PNG file: signature and header, with a right checksum.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    bytes.extend(&header);
    bytes.extend(crc32(&header).to_be_bytes());
    bytes.extend(b"\0\0\0\x00IDAT\x35\xaf\x06\x1e");
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[test]
fn a_huge_picture_is_refused_by_its_header() {
    let error = preprocess(&exact(32, 32), &encoded(&png_header(10_000, 10_000))).unwrap_err();
    assert!(matches!(error, ModelError::PictureTooLarge { width: 10_000, height: 10_000, .. }), "{error:?}");
    assert!(error.is_callers_fault());
}

#[test]
fn a_truncated_picture_is_a_typed_error() {
    let Some(shared) = shared::folder("a_truncated_picture") else { return };
    for folder in ["imagenet_100", "cifar10_lossless_228"] {
        let (path, _) = shared::pictures(&shared, folder).swap_remove(0);
        let bytes = fs::read(path).unwrap();
        for length in [0, 1, 10, 100, bytes.len() / 2, bytes.len() - 100] {
            let result = preprocess(&exact(32, 32), &encoded(&bytes[..length]));
            match result {
                Ok(_) => panic!("{folder}: {length} of {} bytes were accepted", bytes.len()),
                Err(error) => assert!(error.is_callers_fault(), "{folder}, {length} bytes: {error}"),
            }
        }
    }
}

#[test]
fn pixels_must_be_as_many_as_announced() {
    let cases = [(2, 2, 11), (2, 2, 13), (0, 2, 0), (u32::MAX, u32::MAX, 12), (10_000, 10_000, 0)];
    for (width, height, length) in cases {
        let rgb = Cow::Owned(vec![0; length]);
        let error = preprocess(&exact(2, 2), &Input::Pixels { width, height, rgb }).unwrap_err();
        assert!(error.is_callers_fault(), "{width}×{height}, {length} bytes: {error}");
    }
}

#[test]
fn a_narrow_strip_is_not_blown_up() {
    let settings = Preprocessing { resize_short_side: Some(256), ..exact(224, 224) };
    let rgb = Cow::Owned(vec![0; 3_000_000]);
    let strip = Input::Pixels { width: 1_000_000, height: 1, rgb };
    assert!(matches!(preprocess(&settings, &strip), Err(ModelError::PictureTooLarge { .. })));
}

#[test]
fn values_planes_and_crop() {
    let rgb: Vec<u8> = (0..4).flat_map(|pixel| [pixel, 100 + pixel, 200 + pixel]).collect();
    let input = Input::Pixels { width: 2, height: 2, rgb: Cow::Owned(rgb) };
    let settings = Preprocessing {
        channels: Channels::Bgr,
        scale: 0.5,
        mean: [1.0, 0.0, 0.0],
        deviation: [2.0, 1.0, 1.0],
        ..exact(2, 2)
    };
    let tensor = preprocess(&settings, &input).unwrap();
    assert_eq!(tensor.shape(), [1, 3, 2, 2]);
    let expected = [49.5, 49.75, 50.0, 50.25, 50.0, 50.5, 51.0, 51.5, 0.0, 0.5, 1.0, 1.5];
    assert_eq!(tensor.to_f32().unwrap(), expected);
}

#[test]
fn classes_are_sorted_and_named() {
    let output = Tensor::from_f32(vec![1, 3], &[1.0, 3.0, 2.0]).unwrap();
    let top = classify(&output, &["a".to_owned(), "b".to_owned()]).unwrap();
    let named: Vec<(u32, &str)> = top.iter().map(|class| (class.index, class.label.as_str())).collect();
    assert_eq!(named, [(1, "b"), (2, "2"), (0, "a")]);
    let sum: f64 = top.iter().map(|class| class.probability.get()).sum();
    assert!((sum - 1.0).abs() < 1e-9);
    for values in [vec![], vec![f32::NAN, 1.0], vec![f32::INFINITY]] {
        let output = Tensor::from_f32(vec![values.len() as u64], &values).unwrap();
        assert!(classify(&output, &[]).is_err());
    }
}

#[test]
fn a_corrupt_onnx_file_is_a_typed_error() {
    let manifest = shared::manifest("resnet20_cifar10");
    let mut files = vec![Vec::new(), b"hello".to_vec(), vec![0xff; 1000]];
    if let Some(shared) = shared::folder("a_corrupt_onnx_file (with a real file)") {
        let whole = fs::read(shared.join("models/resnet20_cifar10.onnx")).unwrap();
        files.push(whole[..whole.len() / 2].to_vec());
        files.push(whole[..whole.len() - 1].to_vec());
        files.push(whole.iter().map(|byte| byte ^ 0x55).collect());
    }
    for (index, onnx) in files.into_iter().enumerate() {
        let bundle = Bundle::from_files(&manifest, onnx, None).unwrap();
        let error = Network::load(&bundle, Accelerator::Cpu).unwrap_err();
        assert!(matches!(error, ModelError::Onnx { .. }), "file {index}: {error}");
    }
}

#[test]
fn an_operator_we_lack_is_named() {
    let Some(shared) = shared::folder("an_operator_we_lack") else { return };
    let mut onnx = fs::read(shared.join("models/resnet20_cifar10.onnx")).unwrap();
    // The same length, so the protobuf stays whole: every Relu becomes an Acos.
    for start in 0..onnx.len() - 6 {
        if &onnx[start..start + 6] == b"\x22\x04Relu" {
            onnx[start + 2..start + 6].copy_from_slice(b"Acos");
        }
    }
    let bundle = Bundle::from_files(&shared::manifest("resnet20_cifar10"), onnx, None).unwrap();
    let error = Network::load(&bundle, Accelerator::Cpu).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ModelError::Unsupported { .. }), "{text}");
    assert!(text.contains("Acos") && text.contains("resnet20_cifar10/model.onnx"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_a_picture_or_a_typed_error(bytes: Vec<u8>, png in any::<bool>()) {
        let mut file = if png { png_header(40, 40) } else { b"\xff\xd8\xff\xe0".to_vec() };
        file.extend(bytes);
        match preprocess(&exact(8, 8), &encoded(&file)) {
            Ok(tensor) => prop_assert!(tensor.shape() == [1, 3, 8, 8]),
            Err(error) => prop_assert!(error.is_callers_fault(), "{}", error),
        }
    }

    #[test]
    fn any_pixels_fit_or_are_refused(width in 0_u32..40, height in 0_u32..40, bytes: Vec<u8>, crop: bool) {
        let settings = Preprocessing { resize_short_side: crop.then_some(12), ..exact(8, 8) };
        let mut rgb = bytes;
        if crop { rgb.resize((width * height * 3) as usize, 7); }
        match preprocess(&settings, &Input::Pixels { width, height, rgb: Cow::Owned(rgb) }) {
            Ok(tensor) => prop_assert!(tensor.shape() == [1, 3, 8, 8]),
            Err(error) => prop_assert!(error.is_callers_fault(), "{}", error),
        }
    }
}
