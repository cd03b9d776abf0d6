//! Quantities, identifiers and tensors refuse what they cannot be.

use std::time::Duration;

use proptest::prelude::*;
use schemas::{
    Cut, DataType, Digest, InstanceId, Joules, Millis, ModelName, Share, Tensor, UnixMillis, Watts,
};

#[test]
fn quantities_refuse_what_is_not_one() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        assert!(Millis::new(bad).is_err(), "{bad}");
        assert!(Joules::new(bad).is_err(), "{bad}");
        assert!(schemas::decode::<Millis>(&schemas::encode(&bad).unwrap()).is_err(), "{bad}");
    }
    assert!(Share::new(1.000_001).is_err());
    assert!(Share::new(1.0).is_ok());
}

#[test]
fn power_for_a_time_is_energy() {
    assert_eq!(Watts::new(4.0).unwrap() * Millis::new(250.0).unwrap(), Joules::new(1.0).unwrap());
}

#[test]
fn identifiers_are_one_subject_token() {
    for bad in ["", "a.b", "a b", "*", ">", "a/b", "ä", &"x".repeat(65)] {
        assert!(ModelName::new(bad).is_err(), "{bad:?}");
        assert!(schemas::decode::<ModelName>(&schemas::encode(&bad).unwrap()).is_err(), "{bad:?}");
    }
    for good in ["mobilenetv2", "ViT_b-16", &"x".repeat(64)] {
        assert!(ModelName::new(good).is_ok(), "{good:?}");
    }
}

#[test]
fn fresh_instances_differ() {
    assert_ne!(InstanceId::fresh(), InstanceId::fresh());
    assert_eq!(InstanceId::fresh().as_str().len(), 12);
}

#[test]
fn digests_are_64_hexadecimal_digits() {
    assert!(Digest::new("ab".repeat(32)).is_ok());
    assert!(Digest::new("ab".repeat(31)).is_err());
    assert!(Digest::new("zz".repeat(32)).is_err());
}

#[test]
fn a_passed_moment_has_nothing_remaining() {
    let now = UnixMillis(1_000);
    assert_eq!(UnixMillis(999).remaining_at(now), Duration::ZERO);
    assert_eq!(UnixMillis(1_250).remaining_at(now), Duration::from_millis(250));
    assert_eq!(UnixMillis(u64::MAX).after(Duration::MAX), UnixMillis(u64::MAX));
}

#[test]
fn binary_data_is_borrowed_from_the_message() {
    let bytes = schemas::encode(&crate::samples::tensor()).unwrap();
    let tensor: Tensor<'_> = schemas::decode(&bytes).unwrap();
    assert!(bytes.as_ptr_range().contains(&tensor.data().as_ptr()), "the data was copied");
}

#[test]
fn unknown_fields_are_tolerated() {
    #[derive(serde::Serialize)]
    struct Newer {
        cut: u16,
        something_new: &'static str,
    }
    let bytes = schemas::encode(&Newer { cut: 3, something_new: "later" }).unwrap();
    let read: schemas::Configuration = schemas::decode(&bytes).unwrap();
    assert_eq!(read.cut, Cut(3));
}

proptest! {
    #[test]
    fn a_tensor_is_accepted_exactly_when_its_length_fits(
        shape in prop::collection::vec(0u64..6, 0..5),
        length in 0usize..64,
    ) {
        let elements: u64 = shape.iter().product();
        let accepted = Tensor::new(DataType::U8, shape, vec![0; length]).is_ok();
        prop_assert_eq!(accepted, elements == length as u64);
    }

    #[test]
    fn f32_values_survive_the_wire(values in prop::collection::vec(any::<f32>(), 0..64)) {
        let tensor = Tensor::from_f32(vec![values.len() as u64], &values).unwrap();
        let bytes = schemas::encode(&tensor).unwrap();
        let back = schemas::decode::<Tensor<'_>>(&bytes).unwrap().to_f32().unwrap();
        prop_assert!(values.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}
