//! What `model cut` writes: files that stand alone and together are the network.

use models::{Accelerator, Bundle, Network};
use schemas::{Cut, DataType, Tensor};

use crate::fixtures::{self, Fixture, Tolerance};

/// The same operators on the same numbers, laid out anew at the border.
const TOLERANCE: Tolerance = Tolerance { absolute: 1e-5, relative: 1e-4 };

fn bundle(onnx: Vec<u8>, shape: &[u64]) -> Bundle {
    let manifest = format!(
        "name = \"half\"\n[files]\nonnx = \"model.onnx\"\n[preprocessing]\nwidth = {}\nheight = {}\n\
         scale = 1.0\nmean = [0.0, 0.0, 0.0]\ndeviation = [1.0, 1.0, 1.0]\n",
        shape[3], shape[2]
    );
    Bundle::from_files(&manifest, onnx, None).unwrap()
}

fn run(onnx: Vec<u8>, input: &Tensor<'_>) -> Tensor<'static> {
    Network::load(&bundle(onnx, input.shape()), Accelerator::Cpu).unwrap().run(input).unwrap()
}

/// Our engine takes files with one input of four sides and one output: the halves at every cut that is crossed by one
/// such tensor. ONNX Runtime takes them all: `models/tests/halves.py`.
fn check(fixture: &Fixture) -> usize {
    let whole = bundle(fixture.bytes(), fixture.input.shape());
    let network = Network::load(&whole, Accelerator::Cpu).unwrap();
    let expected = network.run(&fixture.input).unwrap().to_f32().unwrap();
    let cuts = network.describe(whole.name(), &[]).cuts;
    let mut run_halves = 0;
    for cut in &cuts[1..cuts.len() - 1] {
        let halves = network.halves(&whole, cut.cut).unwrap();
        let names: Vec<&str> = cut.frontier.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(halves.frontier, names, "{}: cut {}", fixture.name, cut.cut);
        assert_eq!(halves, network.halves(&whole, cut.cut).unwrap(), "the same bytes each time");
        let [tensor] = cut.frontier.as_slice() else { continue };
        // At least a side's length more than the kernels want is no concern of the file's.
        if tensor.shape.len() != 4 || tensor.shape[0] != 1 {
            continue;
        }
        let frontier = run(halves.head, &fixture.input);
        let output = run(halves.tail, &frontier).to_f32().unwrap();
        let fault = TOLERANCE.fault(&output, &expected);
        assert!(fault.is_none(), "{}: cut {} ({}): {fault:?}", fixture.name, cut.cut, cut.name);
        run_halves += 1;
    }
    run_halves
}

#[test]
fn written_halves_are_the_network() {
    let fixtures = fixtures::of_folder(&fixtures::committed("networks"));
    let run: usize = fixtures.iter().map(check).sum();
    println!("{run} pairs of files of {} networks run", fixtures.len());
    // Most cuts of transformers, detectors and residual blocks are crossed by other tensors.
    assert!(run > 10 * fixtures.len());
}

fn paper(name: &str, side: u64) -> (Bundle, Network) {
    let onnx = std::fs::read(fixtures::committed("paper").join(name).with_extension("onnx")).unwrap();
    let whole = bundle(onnx, &[1, 3, side, side]);
    let network = Network::load(&whole, Accelerator::Cpu).unwrap();
    (whole, network)
}

/// The split points of the DynaSplit paper for its four networks, and some of their names. The fixtures have every layer
/// and few channels.
#[test]
fn the_papers_networks_have_its_split_points() {
    let networks: [(&str, u64, u16, &[&str]); 4] = [
        ("vgg16", 224, 22, &["features.16", "features.30", "classifier.0", "classifier.6"]),
        ("resnet50", 224, 40, &["maxpool", "layer1.0.conv1", "layer1.0:add", "layer3.5.relu_2", "avgpool"]),
        ("mobilenet_v2", 224, 75, &["features.1.conv.0.0", "features.3.conv.1.0", "features.18.0"]),
        ("vit_b_16", 32, 19, &["conv_proj", "encoder.layers.encoder_layer_4", "encoder.ln"]),
    ];
    for (name, side, split_points, names) in networks {
        let (bundle, network) = paper(name, side);
        let description = network.describe(bundle.name(), &[]);
        assert!(network.last_cut().0 >= split_points, "{name}: {}", network.last_cut());
        let given: Vec<&str> = description.cuts.iter().map(|cut| cut.name.as_str()).collect();
        for wanted in names {
            // The network's last node is the cut `output`.
            let last = given.len() - 1;
            assert!(
                given[..last].contains(wanted) || *wanted == "classifier.6",
                "{name}: {wanted} of {given:?}"
            );
        }
        let mut distinct = given.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), given.len(), "{name}: {given:?}");
        assert!(given.iter().all(|name| !name.is_empty()));
        let inside = description.cuts.iter().filter(|cut| cut.frontier.len() > 1).count();
        assert_eq!(inside == 0, name == "vgg16", "{name} has {inside} cuts inside residual blocks");
    }
}

#[test]
fn ends_and_other_bundles_are_not_divided() {
    let (bundle, network) = paper("resnet50", 224);
    let (other, _) = paper("vgg16", 224);
    for cut in [Cut(0), network.last_cut()] {
        let error = network.halves(&bundle, cut).unwrap_err();
        assert!(error.to_string().contains("one side"), "{error}");
    }
    assert!(network.halves(&bundle, Cut(u16::MAX)).is_err());
    assert!(network.halves(&other, Cut(3)).unwrap_err().to_string().contains("SHA-256"));
    let cuts = network.describe(bundle.name(), &[]).cuts;
    assert!(cuts.iter().all(|cut| cut.frontier.iter().all(|tensor| tensor.data_type == DataType::F32)));
    for pair in cuts.windows(2) {
        assert!(pair[0].parameters_before <= pair[1].parameters_before, "weights add up");
    }
    // ResNet-50 has 54 layers with weights (53 convolutions, one product), each with a bias.
    assert_eq!(cuts[0].parameters_after, cuts[cuts.len() - 1].parameters_before);
}
