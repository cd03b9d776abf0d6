//! Other engines give what our own gives, alone and on one side of a cut.
#![cfg(any(feature = "onnxruntime", feature = "wgpu"))]

#[cfg(feature = "onnxruntime")]
use models::ModelError;
use models::{Accelerator, Network};
use schemas::{Cut, Tensor};

use crate::shared;

/// ONNX Runtime fuses operators, graphics processors divide sums among their cores: all are made in another order.
const TOLERANCE: f32 = 1e-3;

fn close(a: &Tensor<'_>, b: &Tensor<'_>) -> bool {
    let (a, b) = (a.to_f32().unwrap(), b.to_f32().unwrap());
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= TOLERANCE * (1.0 + b.abs()))
}

/// The network on our engine and on ONNX Runtime; says so when that is not there.
#[cfg(feature = "onnxruntime")]
fn engines(test: &str, name: &str) -> Option<(Network, Network)> {
    let shared = shared::folder(test)?;
    let (bundle, ours) = shared::network(&shared, name);
    match ours.load_beside(&bundle, Accelerator::OnnxRuntime) {
        Ok(theirs) => Some((ours, theirs)),
        Err(ModelError::Accelerator { reason, .. }) if reason.contains("not found") => {
            eprintln!("SKIPPED {test}: {reason}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[cfg(feature = "onnxruntime")]
#[test]
fn onnx_runtime_gives_what_we_give() {
    for name in ["resnet20_cifar10", "vit4_cifar10"] {
        let Some((ours, theirs)) = engines("onnx_runtime_gives_what_we_give", name) else { return };
        assert_eq!((ours.accelerator(), theirs.accelerator()), (Accelerator::Cpu, Accelerator::OnnxRuntime));
        equal_at_some_cuts(name, &ours, &theirs);
    }
}

/// A graphics processor, or a driver that plays one on the processor (lavapipe).
#[cfg(feature = "wgpu")]
#[test]
fn a_graphics_processor_gives_what_the_processor_gives() {
    let test = "a_graphics_processor_gives_what_the_processor_gives";
    let drivers = std::fs::read_dir("/usr/share/vulkan/icd.d").map_or(0, Iterator::count);
    if drivers == 0 {
        eprintln!("SKIPPED {test}: no Vulkan driver is installed (Debian: mesa-vulkan-drivers)");
        return;
    }
    let Some(shared) = shared::folder(test) else { return };
    let (bundle, ours) = shared::network(&shared, "resnet20_cifar10");
    let theirs = ours.load_beside(&bundle, Accelerator::Wgpu).unwrap();
    assert_eq!(theirs.accelerator(), Accelerator::Wgpu);
    equal_at_some_cuts("resnet20_cifar10", &ours, &theirs);
}

/// Whole, and with the head on one engine and the tail on the other, as on two machines.
fn equal_at_some_cuts(name: &str, ours: &Network, theirs: &Network) {
    let values: Vec<f32> = (0..3072).map(|index| (index as f32 * 0.618).sin()).collect();
    let input = Tensor::from_f32(vec![1, 3, 32, 32], &values).unwrap();
    let whole = ours.run(&input).unwrap();
    assert!(close(&theirs.run(&input).unwrap(), &whole), "{name}");
    let last = ours.last_cut().0;
    for cut in [0, 1, last / 3, last / 2, last - 1, last].map(Cut) {
        let (our_frontier, their_frontier) =
            (ours.head(cut, &input).unwrap(), theirs.head(cut, &input).unwrap());
        let shapes = |tensors: &[Tensor<'_>]| -> Vec<Vec<u64>> {
            tensors.iter().map(|tensor| tensor.shape().to_vec()).collect()
        };
        assert_eq!(shapes(&our_frontier), shapes(&their_frontier), "{name}, cut {cut}");
        assert!(close(&theirs.tail(cut, &our_frontier).unwrap(), &whole), "{name}, cut {cut}");
        assert!(close(&ours.tail(cut, &their_frontier).unwrap(), &whole), "{name}, cut {cut}");
    }
}

#[cfg(feature = "onnxruntime")]
#[test]
fn more_cuts_than_sessions_are_fine() {
    let Some((ours, theirs)) = engines("more_cuts_than_sessions_are_fine", "resnet20_cifar10") else {
        return;
    };
    let input = Tensor::from_f32(vec![1, 3, 32, 32], &[0.25; 3072]).unwrap();
    let whole = ours.run(&input).unwrap();
    std::thread::scope(|scope| {
        for start in [1, 3, 5] {
            let (theirs, input, whole) = (theirs.clone(), &input, &whole);
            scope.spawn(move || {
                for cut in (start..30).step_by(6).map(Cut) {
                    let frontier = theirs.head(cut, input).unwrap();
                    assert!(close(&theirs.tail(cut, &frontier).unwrap(), whole), "cut {cut}");
                }
            });
        }
    });
}

#[test]
fn an_accelerator_that_was_not_built_in_says_what_to_do() {
    let Some(shared) = shared::folder("an_accelerator_that_was_not_built_in") else { return };
    let (bundle, network) = shared::network(&shared, "resnet20_cifar10");
    if cfg!(not(feature = "cuda")) {
        let error = network.load_beside(&bundle, Accelerator::Cuda).unwrap_err().to_string();
        assert_eq!(error, "cuda cannot be used: build with --features cuda to have it");
    }
}
