//! What codecs promise: error bounds, and exactness where it is promised. (`hostile` has what they refuse.)

mod hostile;

use models::{ModelError, codec};
use proptest::prelude::*;
use schemas::{Codec, Compression, DataType, ElementFormat, EncodedTensor, Scale, Tensor, TensorSignature};

use crate::shared;

fn tensor(shape: &[u64], values: &[f32]) -> Tensor<'static> {
    Tensor::from_f32(shape.to_vec(), values).unwrap()
}

fn expected(frontier: &[Tensor<'_>]) -> Vec<TensorSignature> {
    let signature = |tensor: &Tensor<'_>| TensorSignature {
        name: "t".into(),
        data_type: DataType::F32,
        shape: tensor.shape().to_vec(),
    };
    frontier.iter().map(signature).collect()
}

fn codecs(elements: ElementFormat) -> [Codec; 3] {
    Compression::ALL.map(|compression| Codec::new(elements, compression))
}

/// Over the wire and back.
fn round_trip(codec: Codec, frontier: &[Tensor<'_>]) -> Vec<Tensor<'static>> {
    let bytes = schemas::encode(&codec::encode(codec, frontier).unwrap()).unwrap();
    let encoded: Vec<EncodedTensor<'_>> = schemas::decode(&bytes).unwrap();
    let decoded = codec::decode(encoded, &expected(frontier)).unwrap();
    decoded.into_iter().map(Tensor::into_owned).collect()
}

fn scales_and_bytes(elements: ElementFormat, tensor: &Tensor<'_>) -> (Vec<Scale>, Vec<i8>) {
    let codec = Codec::new(elements, Compression::None);
    let encoded = codec::encode(codec, std::slice::from_ref(tensor)).unwrap();
    let bytes = encoded[0].data().iter().map(|byte| byte.cast_signed()).collect();
    (encoded[0].scales().collect(), bytes)
}

/// `DynamicQuantizeLinear` of ONNX Runtime 1.32.0, its unsigned bytes and zero point less 128; the first three inputs
/// are the examples of the ONNX specification, the others have ties.
#[test]
fn i8_equals_onnx_runtime() {
    struct Case {
        values: &'static [f32],
        scale: f32,
        zero_point: i8,
        bytes: &'static [i8],
    }
    let cases = [
        Case {
            values: &[0.0, 2.0, -3.0, -2.5, 1.34, 0.5],
            scale: 0.019_607_844,
            zero_point: 25,
            bytes: &[25, 127, -128, -102, 93, 51],
        },
        Case {
            values: &[-1.0, -2.1, -1.3, -2.5, -3.34, -4.0],
            scale: 0.015_686_275,
            zero_point: 127,
            bytes: &[63, -7, 44, -32, -86, -128],
        },
        Case {
            values: &[1.0, 2.1, 1.3, 2.5, 3.34, 4.0, 1.5, 2.6, 3.9, 4.0, 3.0, 2.345],
            scale: 0.015_686_275,
            zero_point: -128,
            bytes: &[-64, 6, -45, 31, 85, 127, -32, 38, 121, 127, 63, 21],
        },
        Case {
            values: &[0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 127.0, -128.0],
            scale: 1.0,
            zero_point: 0,
            bytes: &[0, 2, 2, 0, -2, -2, 127, -128],
        },
        Case {
            values: &[0.5, 1.5, 2.5, 253.5, 254.5, 255.0],
            scale: 1.0,
            zero_point: -128,
            bytes: &[-128, -126, -126, 126, 126, 127],
        },
    ];
    for case in cases {
        let tensor = tensor(&[1, case.values.len() as u64], case.values);
        let (scales, bytes) = scales_and_bytes(ElementFormat::I8, &tensor);
        assert_eq!(scales, [Scale { scale: case.scale, zero_point: case.zero_point }], "{:?}", case.values);
        assert_eq!(bytes, case.bytes, "{:?}", case.values);
    }
}

/// `numpy.float16` of numpy 2.4.6, but for what saturates: IEEE 754 makes 65 520 infinite.
#[test]
fn f16_equals_ieee_754_and_saturates() {
    let cases: [(f32, u16); 17] = [
        (1.0 / 3.0, 0x3555),
        (0.1, 0x2e66),
        (-1.5, 0xbe00),
        (-0.0, 0x8000),
        (65_504.0, 0x7bff),
        (65_519.9, 0x7bff),
        (f32::INFINITY, 0x7c00),
        (f32::NEG_INFINITY, 0xfc00),
        (2_049.0, 0x6800),
        (2_051.0, 0x6802),
        (6.1e-5, 0x03ff),
        (5.96e-8, 0x0001),
        (2.980_232_2e-8, 0x0000),
        (8.940_697e-8, 0x0002),
        (65_520.0, 0x7bff),
        (1e9, 0x7bff),
        (f32::MIN, 0xfbff),
    ];
    let (values, bits): (Vec<f32>, Vec<u16>) = cases.into_iter().unzip();
    let frontier = [tensor(&[17], &values), tensor(&[1], &[f32::NAN])];
    let encoded = codec::encode(Codec::new(ElementFormat::F16, Compression::None), &frontier).unwrap();
    let expected: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    assert_eq!(encoded[0].data(), expected);
    for codec in codecs(ElementFormat::F16) {
        assert!(round_trip(codec, &frontier)[1].to_f32().unwrap()[0].is_nan());
    }
}

#[test]
fn each_channel_has_its_own_scale() {
    // Channel 1 is a thousand times as large as channel 0; laid out as N × C × H × W and as N × tokens × C.
    let small: Vec<f32> = (0..16).map(|step| step as f32 / 15.0).collect();
    let large: Vec<f32> = small.iter().map(|value| 1000.0 * value).collect();
    let planes = tensor(&[1, 2, 4, 4], &[small.clone(), large.clone()].concat());
    let tokens: Vec<f32> = small.iter().zip(&large).flat_map(|(small, large)| [*small, *large]).collect();
    let tokens = tensor(&[1, 16, 2], &tokens);
    for tensor in [&planes, &tokens] {
        let (scales, _) = scales_and_bytes(ElementFormat::I8Channel, tensor);
        assert_eq!(scales.len(), 2);
        assert!(scales[0].scale < 0.004 && (3.9..4.0).contains(&scales[1].scale), "{scales:?}");
        // One scale for all has no step between 0 and 1.
        let error = |elements| {
            let codec = Codec::new(elements, Compression::None);
            let back = round_trip(codec, std::slice::from_ref(tensor)).remove(0).to_f32().unwrap();
            let values = tensor.to_f32().unwrap();
            let small = values.iter().zip(&back).filter(|(value, _)| **value <= 1.0);
            small.map(|(value, back)| (value - back).abs()).fold(0.0, f32::max)
        };
        assert!(error(ElementFormat::I8Channel) < 0.002, "the small channel keeps its steps");
        assert!(error(ElementFormat::I8) > 0.9, "it would not with one scale for both");
    }
}

#[test]
fn i8_refuses_what_is_not_finite() {
    for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for place in [0, 1, 20, 63] {
            let mut values = [0.25; 64];
            values[place] = bad;
            for shape in [&[64][..], &[1, 2, 8, 4], &[1, 32, 2]] {
                for elements in [ElementFormat::I8, ElementFormat::I8Channel] {
                    let frontier = [tensor(&[2], &[1.0, 2.0]), tensor(shape, &values)];
                    let error = codec::encode(Codec::new(elements, Compression::Lz4), &frontier).unwrap_err();
                    assert!(matches!(error, ModelError::NotFinite { .. }), "{bad} at {place}: {error}");
                }
            }
        }
    }
}

#[test]
fn extreme_and_empty_tensors() {
    let tiny = f32::from_bits(1);
    let frontiers: [&[f32]; 8] = [
        &[],
        &[0.0],
        &[-0.0, 0.0],
        &[7.5; 40],
        &[-7.5; 40],
        &[f32::MAX, f32::MIN],
        &[tiny, -tiny],
        &[f32::MIN_POSITIVE, 200.0 * f32::MIN_POSITIVE],
    ];
    for values in frontiers {
        let frontier = [tensor(&[1, values.len() as u64], values)];
        for codec in Codec::ALL {
            let back = round_trip(codec, &frontier).remove(0).to_f32().unwrap();
            assert_eq!(back.len(), values.len());
            assert!(back.iter().all(|value| value.is_finite()), "{codec}: {back:?}");
            let constant = values.iter().all(|value| *value == values[0]);
            if constant {
                // A constant is an end of its range: exact but for the rounding of its scale.
                let near = |(value, back): (&f32, &f32)| (value - back).abs() <= value.abs() * 1e-6;
                assert!(values.iter().zip(&back).all(near), "{codec}: {back:?}");
            }
        }
    }
    let nothing = [tensor(&[1, 0, 7, 7], &[])];
    assert!(Codec::ALL.iter().all(|codec| round_trip(*codec, &nothing) == nothing));
    assert!(Codec::ALL.iter().all(|codec| round_trip(*codec, &[]).is_empty()));
}

#[test]
fn only_f32_tensors_are_written() {
    let bytes = Tensor::new(DataType::U8, vec![4], vec![1, 2, 3, 4]).unwrap();
    for codec in Codec::ALL {
        assert!(matches!(
            codec::encode(codec, std::slice::from_ref(&bytes)),
            Err(ModelError::WrongTensors(_))
        ));
    }
}

#[test]
fn what_compression_does_not_shorten_stays_as_it_is() {
    let numbers = [tensor(&[5], &[1.7, -0.3, 9.1, 2.2, 0.9])];
    for codec in Codec::ALL {
        let encoded = codec::encode(codec, &numbers).unwrap();
        assert_eq!(encoded[0].codec(), Codec::new(codec.elements, Compression::None));
    }
    let zeros = [tensor(&[1, 8, 16, 16], &[0.0; 2048])];
    for codec in Codec::ALL.into_iter().filter(|codec| codec.compression != Compression::None) {
        let encoded = codec::encode(codec, &zeros).unwrap();
        assert_eq!(encoded[0].codec(), codec);
        assert!(encoded[0].data().len() < 100, "{codec}: {} bytes", encoded[0].data().len());
    }
}

#[test]
fn the_frontiers_of_a_real_network_come_back() {
    let Some(shared) = shared::folder("the_frontiers_of_a_real_network") else { return };
    let (bundle, network) = shared::network(&shared, "vit4_cifar10");
    let (path, _) = shared::pictures(&shared, "cifar10_lossless_228").swap_remove(3);
    let bytes = std::fs::read(path).unwrap().into();
    let input = models::preprocess(bundle.preprocessing(), &schemas::Input::Encoded { bytes }).unwrap();
    let whole = network.run(&input).unwrap();
    let description = network.describe(bundle.name(), &[]);
    let mut widest = 0;
    for cut in description.cuts.iter().filter(|cut| cut.cut < network.last_cut()) {
        let signatures = network.frontier(cut.cut).unwrap();
        assert_eq!(signatures, cut.frontier);
        let frontier = network.head(cut.cut, &input).unwrap();
        widest = widest.max(frontier.len());
        for codec in Codec::ALL {
            let encoded = codec::encode(codec, &frontier).unwrap();
            let decoded = codec::decode(encoded, &signatures).unwrap();
            if codec.is_exact() {
                assert_eq!(network.tail(cut.cut, &decoded).unwrap(), whole, "{codec} at {}", cut.cut);
            }
        }
    }
    assert!(widest > 1, "no frontier of several tensors was tried");
}

/// Tensors of different ranks, so that every layout of channels occurs.
fn frontiers() -> impl Strategy<Value = Vec<Tensor<'static>>> {
    let shapes = prop::sample::select(vec![
        vec![64],
        vec![1, 48],
        vec![1, 16, 3],
        vec![2, 20, 5],
        vec![1, 3, 4, 5],
        vec![2, 3, 4, 5],
        vec![1, 2, 2, 3, 7],
        vec![1, 0, 4, 4],
    ]);
    let one = (shapes, prop::sample::select(vec![1e-30_f32, 1e-6, 1.0, 300.0, 1e30])).prop_flat_map(
        |(shape, magnitude): (Vec<u64>, f32)| {
            let count = shape.iter().product::<u64>() as usize;
            // Ranges with zero inside, at an end, and far outside.
            (prop::collection::vec(-1.0_f32..1.0, count), prop::sample::select(vec![0.0_f32, 1.0, -30.0]))
                .prop_map(move |(values, shift)| {
                    let values: Vec<f32> =
                        values.into_iter().map(|value| (value + shift) * magnitude).collect();
                    Tensor::from_f32(shape.clone(), &values).unwrap()
                })
        },
    );
    prop::collection::vec(one, 0..4)
}

proptest! {
    #[test]
    fn f32_keeps_every_bit(values in prop::collection::vec(any::<u32>(), 0..200)) {
        let data: Vec<u8> = values.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let frontier = [Tensor::new(DataType::F32, vec![values.len() as u64], data).unwrap()];
        for codec in codecs(ElementFormat::F32) {
            let back = round_trip(codec, &frontier);
            prop_assert_eq!(back[0].data(), frontier[0].data());
        }
    }

    #[test]
    fn f16_errs_by_half_a_unit_at_most(values in prop::collection::vec(-65_504.0_f32..65_504.0, 0..3000), shift in 0_i32..40) {
        let values: Vec<f32> = values.iter().map(|value| value * 2_f32.powi(-shift)).collect();
        let frontier = [tensor(&[values.len() as u64], &values)];
        for codec in codecs(ElementFormat::F16) {
            let back = round_trip(codec, &frontier).remove(0).to_f32().unwrap();
            for (value, back) in values.iter().zip(back) {
                let bound = if value.abs() >= 2_f32.powi(-14) { value.abs() * 2_f32.powi(-11) } else { 2_f32.powi(-25) };
                prop_assert!((value - back).abs() <= bound, "{} became {}", value, back);
            }
        }
    }

    #[test]
    fn i8_errs_by_half_a_scale_at_most(frontier in frontiers()) {
        for elements in [ElementFormat::I8, ElementFormat::I8Channel] {
            let encoded = codec::encode(Codec::new(elements, Compression::None), &frontier).unwrap();
            let decoded = round_trip(Codec::new(elements, Compression::None), &frontier);
            for ((tensor, encoded), decoded) in frontier.iter().zip(&encoded).zip(&decoded) {
                let channels = elements.channels(tensor.shape()).unwrap().unwrap();
                let scales: Vec<Scale> = encoded.scales().collect();
                let (values, back) = (tensor.to_f32().unwrap(), decoded.to_f32().unwrap());
                for (place, (value, back)) in values.iter().zip(&back).enumerate() {
                    let channel = place / channels.inner as usize % channels.count as usize;
                    // The scale itself, the quotient and the product are rounded: 2⁻²⁴ each of up to 255 steps.
                    let bound = scales[channel].scale * (0.5 + 3.0 * 255.0 * 2_f32.powi(-24));
                    prop_assert!((value - back).abs() <= bound, "{} became {}, more than {} off", value, back, bound);
                    prop_assert!(*value != 0.0 || *back == 0.0, "zero became {}", back);
                }
            }
        }
    }

    #[test]
    fn compression_changes_nothing(frontier in frontiers()) {
        for elements in ElementFormat::ALL {
            let [plain, lz4, zstd] = codecs(elements).map(|codec| round_trip(codec, &frontier));
            prop_assert_eq!(&plain, &lz4);
            prop_assert_eq!(&plain, &zstd);
        }
    }

    #[test]
    fn the_announced_bytes_are_the_bytes(frontier in frontiers()) {
        for elements in ElementFormat::ALL {
            let encoded = codec::encode(Codec::new(elements, Compression::None), &frontier).unwrap();
            for tensor in &encoded {
                let bytes = tensor.data().len() + Scale::BYTES * tensor.scales().count();
                prop_assert_eq!(bytes as u64, elements.bytes(tensor.shape()).unwrap());
            }
        }
    }
}
