//! The pictures stay what they are, and the bundle is what `model.toml` says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use demo_network::pictures::{SIDE, draw};
use demo_network::{CLASS_NAMES, bundle};
use sha2::{Digest, Sha256};

/// Of the first hundred pictures of seed 1 and their classes. Whoever changes it makes the accuracy in the README,
/// and every one ever measured, incomparable.
const PICTURES_SHA256: &str = "4c88b70ef3db345af821e484c5641229cce3d3e2530af7afdf30f9e3d29fe4d3";

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_seed_always_draws_the_same_pictures() {
    let mut hash = Sha256::new();
    for index in 0..100 {
        let picture = draw(1, index);
        hash.update(picture.class.to_le_bytes());
        hash.update(&picture.rgb);
    }
    assert_eq!(hex(hash.finalize()), PICTURES_SHA256);
}

#[test]
fn no_two_pictures_are_the_same() {
    assert_eq!(draw(7, 3), draw(7, 3));
    assert_ne!(draw(7, 3).rgb, draw(7, 4).rgb);
    assert_ne!(draw(7, 3).rgb, draw(8, 3).rgb);
}

#[test]
fn every_class_is_drawn_about_equally_often() {
    let mut counts = [0u32; CLASS_NAMES.len()];
    for index in 0..1000 {
        counts[draw(2, index).class as usize] += 1;
    }
    // A hundred each is expected, with a deviation of 9.5.
    assert!(counts.iter().all(|count| (60..=140).contains(count)), "{counts:?}");
}

#[test]
fn a_picture_survives_as_png() {
    let picture = draw(3, 0);
    let decoded = image::load_from_memory_with_format(&picture.to_png(), image::ImageFormat::Png).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (SIDE, SIDE));
    assert_eq!((picture.width, picture.height), (SIDE, SIDE));
    assert_eq!(decoded.to_rgb8().into_raw(), picture.rgb);
}

#[test]
fn the_bundle_has_the_digests_it_names() {
    let bundle = bundle();
    let named = |key: &str| {
        let line = bundle.model_toml.lines().find(|line| line.starts_with(&format!("{key} = "))).expect(key);
        line.split('"').nth(1).expect("a quoted value").to_owned()
    };
    assert_eq!(named("name"), "shapes10");
    assert_eq!(named("onnx_sha256"), hex(Sha256::digest(bundle.onnx)));
    assert_eq!(named("labels_sha256"), hex(Sha256::digest(bundle.labels.as_bytes())));
    assert!(bundle.labels.lines().eq(CLASS_NAMES));
}
