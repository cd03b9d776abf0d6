//! Head and tail together are the network, wherever it is cut.

use std::borrow::Cow;
use std::fs;

use models::{Bundle, GREATEST_BATCH, Network, preprocess};
use schemas::{Cut, Input, ModelName, Tensor};

use crate::shared;

/// Greatest difference of a logit between the whole network and head plus tail. The same operators run on the
/// same numbers in the same order, whatever the cut: nothing may differ.
const CUT_TOLERANCE: f32 = 0.0;

fn picture(shared: &std::path::Path, bundle: &Bundle) -> Tensor<'static> {
    let folder = if bundle.preprocessing().width == 224 { "imagenet_100" } else { "cifar10_lossless_228" };
    let (path, _) = shared::pictures(shared, folder).swap_remove(7);
    preprocess(bundle.preprocessing(), &Input::Encoded { bytes: Cow::Owned(fs::read(path).unwrap()) })
        .unwrap()
}

fn difference(a: &Tensor<'_>, b: &Tensor<'_>) -> f32 {
    let (a, b) = (a.to_f32().unwrap(), b.to_f32().unwrap());
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn check_every_cut(name: &str) {
    let Some(shared) = shared::folder(&format!("cuts of {name}")) else { return };
    let (bundle, network) = shared::network(&shared, name);
    let description = network.describe(bundle.name(), &[]);
    let input = picture(&shared, &bundle);
    let whole = network.run(&input).unwrap();
    assert_eq!(description.cuts.len(), usize::from(network.last_cut().0) + 1);
    let mut widest = 0;
    for cut in &description.cuts {
        let frontier = network.head(cut.cut, &input).unwrap();
        if cut.cut < network.last_cut() {
            let shapes: Vec<&[u64]> = frontier.iter().map(Tensor::shape).collect();
            let described: Vec<&[u64]> = cut.frontier.iter().map(|tensor| tensor.shape.as_slice()).collect();
            assert_eq!(shapes, described, "{name}, cut {}", cut.cut);
            widest = widest.max(frontier.len());
        }
        let output = network.tail(cut.cut, &frontier).unwrap();
        let difference = difference(&whole, &output);
        assert!(difference <= CUT_TOLERANCE, "{name}, cut {}: {difference}", cut.cut);
    }
    println!("{name}: {} cuts equal, the widest frontier has {widest} tensors", description.cuts.len());
}

#[test]
fn every_cut_of_mobilenetv2() {
    check_every_cut("mobilenetv2_1.0_224");
}

#[test]
fn every_cut_of_squeezenet() {
    check_every_cut("squeezenet1.1_224");
}

#[test]
fn every_cut_of_resnet20() {
    check_every_cut("resnet20_cifar10");
}

#[test]
fn every_cut_of_resnet56() {
    check_every_cut("resnet56_cifar10");
}

#[test]
fn every_cut_of_the_vision_transformer() {
    check_every_cut("vit4_cifar10");
}

#[test]
fn cuts_bear_the_names_of_the_file() {
    let Some(shared) = shared::folder("cuts_bear_the_names_of_the_file") else { return };
    let (bundle, network) = shared::network(&shared, "vit4_cifar10");
    let cuts = network.describe(bundle.name(), &[]).cuts;
    let first: Vec<&str> = cuts[1..8].iter().map(|cut| cut.name.as_str()).collect();
    // Shape arithmetic is folded, and a product with its bias is one node.
    let expected =
        ["Conv_1", "Reshape_2", "Transpose_3", "Concat_8", "Add_9", "LayerNormalization_10", "Add_12"];
    assert_eq!(first, expected);
    assert_eq!(cuts[4].frontier[0].name, "concat_8");
}

fn resnet20(test: &str) -> Option<(Bundle, Network)> {
    shared::folder(test).map(|shared| shared::network(&shared, "resnet20_cifar10"))
}

#[test]
fn the_description_adds_up() {
    let Some((bundle, network)) = resnet20("the_description_adds_up") else { return };
    let description = network.describe(&ModelName::new("other").unwrap(), &["cat".to_owned()]);
    assert_eq!(description.digest, *bundle.digest());
    assert_eq!(description.input.shape, [1, 3, 32, 32]);
    assert_eq!(description.output.shape, [1, 10]);
    let (first, last) = (&description.cuts[0], &description.cuts[description.cuts.len() - 1]);
    assert_eq!((first.name.as_str(), first.bytes.0, first.macs_before), ("input", 3072, 0));
    assert_eq!((last.name.as_str(), last.bytes.0, last.macs_after), ("output", 0, 0));
    assert!(last.frontier.is_empty());
    assert_eq!((description.cuts[1].name.as_str(), description.output.name.as_str()), ("Conv_1", "logits"));
    for cut in &description.cuts {
        assert_eq!(cut.macs_before + cut.macs_after, first.macs_after, "cut {}", cut.cut);
    }
    // 40.55 M in the literature for this variant without the batch normalisations.
    assert!((40_000_000..41_500_000).contains(&first.macs_after), "{}", first.macs_after);
}

#[test]
fn a_frontier_that_does_not_fit_is_the_callers_fault() {
    let Some((_, network)) = resnet20("a_frontier_that_does_not_fit") else { return };
    let wrong_shape = Tensor::from_f32(vec![1, 3, 2, 2], &[0.0; 12]).unwrap();
    let wrong_type = Tensor::new(schemas::DataType::U8, vec![1, 3, 32, 32], vec![0; 3072]).unwrap();
    let right = Tensor::from_f32(vec![1, 3, 32, 32], &[0.0; 3072]).unwrap();
    let beyond = Cut(network.last_cut().0 + 1);
    let refusals = [
        network.tail(Cut(0), &[]),
        network.tail(Cut(0), std::slice::from_ref(&wrong_shape)),
        network.tail(Cut(0), &[wrong_type]),
        network.tail(Cut(0), &[right.clone(), right.clone()]),
        network.tail(beyond, std::slice::from_ref(&right)),
        network.run(&wrong_shape),
    ];
    for (index, refusal) in refusals.into_iter().enumerate() {
        let error = refusal.unwrap_err();
        assert!(error.is_callers_fault(), "{index}: {error}");
    }
    assert!(network.head(beyond, &right).unwrap_err().is_callers_fault());
}

/// Pictures one after the other along the first axis.
fn together(pictures: &[Tensor<'_>]) -> Tensor<'static> {
    let numbers: Vec<f32> = pictures.iter().flat_map(|one| one.to_f32().unwrap()).collect();
    let mut shape = pictures[0].shape().to_vec();
    shape[0] = pictures.len() as u64;
    Tensor::from_f32(shape, &numbers).unwrap()
}

#[test]
fn pictures_of_a_batch_do_not_mix() {
    let Some(shared) = shared::folder("pictures_of_a_batch_do_not_mix") else { return };
    for name in ["resnet20_cifar10", "vit4_cifar10"] {
        let (bundle, network) = shared::network(&shared, name);
        let files = shared::pictures(&shared, "cifar10_lossless_228");
        let read = |(path, _): &(_, _)| {
            let bytes = Cow::Owned(fs::read::<&std::path::PathBuf>(path).unwrap());
            preprocess(bundle.preprocessing(), &Input::Encoded { bytes }).unwrap()
        };
        let pictures: Vec<Tensor<'_>> = files[..3].iter().map(read).collect();
        let alone: Vec<Tensor<'_>> = pictures.iter().map(|picture| network.run(picture).unwrap()).collect();
        for cut in (0..=network.last_cut().0).step_by(7).map(Cut) {
            let frontier = network.head(cut, &together(&pictures)).unwrap();
            let made = network.tail(cut, &frontier).unwrap();
            let difference = difference(&made, &together(&alone));
            // Products of more rows are summed in another order.
            assert!(difference < 1e-4, "{name}, cut {cut}: {difference}");
        }
    }
}

#[test]
fn batches_have_a_greatest_size() {
    let Some((_, network)) = resnet20("batches_have_a_greatest_size") else { return };
    let batch = |pictures: usize| {
        Tensor::from_f32(vec![pictures as u64, 3, 32, 32], &vec![0.5; pictures * 3072]).unwrap()
    };
    assert!(network.head(Cut(1), &batch(GREATEST_BATCH)).is_ok());
    for wrong in [0, GREATEST_BATCH + 1] {
        assert!(network.head(Cut(1), &batch(wrong)).unwrap_err().is_callers_fault(), "{wrong}");
    }
}

#[test]
fn threads_share_a_network() {
    let Some((_, network)) = resnet20("threads_share_a_network") else { return };
    let input = Tensor::from_f32(vec![1, 3, 32, 32], &[0.25; 3072]).unwrap();
    let whole = network.run(&input).unwrap();
    std::thread::scope(|scope| {
        for cut in [0, 9, 23, 40] {
            let (network, input, whole) = (network.clone(), &input, &whole);
            scope.spawn(move || {
                let output = network.tail(Cut(cut), &network.head(Cut(cut), input).unwrap()).unwrap();
                assert_eq!(output, *whole);
            });
        }
    });
}

#[test]
fn one_thread_gives_the_same_class() {
    let Some((_, network)) = resnet20("one_thread_gives_the_same_class") else { return };
    let input = Tensor::from_f32(vec![1, 3, 32, 32], &[0.25; 3072]).unwrap();
    let many = network.run(&input).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let one = pool.install(|| network.run(&input)).unwrap();
    assert!(difference(&many, &one) < 1e-4);
}

#[test]
fn layers_are_timed_on_either_side_of_every_cut() {
    let Some(shared) = shared::folder("layers_are_timed_on_either_side_of_every_cut") else { return };
    let (bundle, network) = shared::network(&shared, "resnet20_cifar10");
    let input = picture(&shared, &bundle);
    let whole = network.run(&input).unwrap();
    let last = network.last_cut().0;
    for cut in 0..=last {
        let head = network.head_timed(Cut(cut), &input).unwrap();
        let tail = network.tail_timed(Cut(cut), &head.made).unwrap();
        assert_eq!(difference(&whole, &tail.made), 0.0, "cut {cut}");
        let (before, after) = (head.layers.unwrap(), tail.layers.unwrap());
        assert_eq!((before.len(), after.len()), (usize::from(cut), usize::from(last - cut)), "cut {cut}");
    }
    let timed = network.head_timed(Cut(last), &input).unwrap().layers.unwrap();
    assert!(timed.iter().filter(|time| time.get() > 0.0).count() > usize::from(last) / 2, "{timed:?}");
}
