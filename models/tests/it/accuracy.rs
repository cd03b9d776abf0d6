//! Accuracy on real pictures equals what ONNX Runtime gives for the same files.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use models::{classify, preprocess};
use schemas::Input;

use crate::shared;

/// Share of the pictures whose class is the best, and among the best five, in percent.
fn accuracy(shared: &Path, name: &str, folder: &str) -> (f64, f64) {
    let (bundle, network) = shared::network(shared, name);
    let pictures = shared::pictures(shared, folder);
    let (mut first, mut five) = (0, 0);
    for (path, class) in &pictures {
        let bytes = Cow::Owned(fs::read(path).unwrap());
        let input = preprocess(bundle.preprocessing(), &Input::Encoded { bytes }).unwrap();
        let top = classify(&network.run(&input).unwrap(), &[]).unwrap();
        first += usize::from(top[0].index == *class);
        five += usize::from(top.iter().any(|candidate| candidate.index == *class));
    }
    let percent = |count: usize| count as f64 * 100.0 / pictures.len() as f64;
    (percent(first), percent(five))
}

/// One picture in a hundred may fall on the other side: decoders round pixels differently. The published
/// figures have one decimal.
const TOLERANCE: f64 = 1.05;

fn check(name: &str, folder: &str, published: f64, published_five: Option<f64>) {
    let Some(shared) = shared::folder(&format!("accuracy of {name} on {folder}")) else { return };
    let (first, five) = accuracy(&shared, name, folder);
    println!("{name} on {folder}: {first:.2} % top-1, {five:.2} % top-5");
    assert!((first - published).abs() <= TOLERANCE, "{name} on {folder}: {first} %, published {published} %");
    if let Some(published) = published_five {
        assert!(
            (five - published).abs() <= TOLERANCE,
            "{name} on {folder}: {five} %, published {published} %"
        );
    }
}

#[test]
fn mobilenetv2() {
    check("mobilenetv2_1.0_224", "imagenet_100", 82.0, Some(98.0));
}

#[test]
fn squeezenet() {
    check("squeezenet1.1_224", "imagenet_100", 63.0, Some(84.0));
}

#[test]
fn resnet20() {
    check("resnet20_cifar10", "cifar10_lossless_228", 94.3, None);
    check("resnet20_cifar10", "cifar10_test_1000", 80.4, None);
}

#[test]
fn resnet56() {
    check("resnet56_cifar10", "cifar10_lossless_228", 95.2, None);
    check("resnet56_cifar10", "cifar10_test_1000", 82.5, None);
}

#[test]
fn vision_transformer() {
    check("vit4_cifar10", "cifar10_lossless_228", 75.9, None);
    check("vit4_cifar10", "cifar10_test_1000", 68.6, None);
}
