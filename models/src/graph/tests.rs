//! Networks loaded for one picture run with several, whole and from any cut.

use std::fs;
use std::path::{Path, PathBuf};

use burn_backend::TensorData;
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::DispatchDevice;
use burn_dispatch::devices::FlexDevice;
use onnx_ir::{GraphProto, Message};

use super::constant::read;
use super::import::import;
use crate::operators::{B, Primitive, Spare};

/// Of one picture alone and among others: the same sums in another order.
const BATCH_TOLERANCE: f64 = 1e-4;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/networks");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    files.sort();
    files
}

/// The fixture's picture, and the same with its values the other way round.
fn pictures(file: &Path, device: &DispatchDevice) -> ([usize; 2], Primitive, Primitive) {
    let bytes = fs::read(file.with_extension("tensors")).unwrap();
    let input = GraphProto::parse_from_bytes(&bytes).unwrap().initializer.swap_remove(0);
    let shape: Vec<usize> = input.dims.iter().map(|side| usize::try_from(*side).unwrap()).collect();
    let values: Vec<f32> =
        TensorData::try_from(input).unwrap().iter::<f32>().map(|value| value / 64.0).collect();
    let reversed: Vec<f32> = values.iter().rev().copied().collect();
    let of = |values| B::float_from_data(TensorData::new(values, shape.clone()), device);
    ([shape[2], shape[3]], of(values), of(reversed))
}

fn difference(a: Primitive, b: Primitive) -> f64 {
    let (a, b) = (read(a).unwrap(), read(b).unwrap());
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn two_pictures_at_once_are_two_pictures() {
    let device = DispatchDevice::Flex(FlexDevice);
    for file in files() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let (plane, one, other) = pictures(&file, &device);
        let graph = import(&fs::read(&file).unwrap().into(), &name, plane, &device).unwrap();
        let nodes = graph.nodes.len();
        let head = |picture: &Primitive, cut| {
            graph
                .run(
                    0..cut,
                    vec![(0, picture.clone())],
                    &graph.wiring.frontier(cut),
                    &mut Spare::default(),
                    &mut |_| (),
                )
                .unwrap()
        };
        let axis = graph.values[graph.output].batch.unwrap_or_else(|| panic!("{name}: its output"));
        let apart = [&one, &other].map(|picture| head(picture, nodes).swap_remove(0));
        let apart = B::float_cat(apart.to_vec(), axis);
        let both = B::float_cat(vec![one.clone(), other.clone()], 0);
        for cut in 0..nodes {
            let frontier = graph.wiring.frontier(cut);
            // Made by one head: what two heads made cannot always be laid side by side, since some files keep tokens
            // and pictures in one axis, where those of several pictures alternate.
            let given = frontier.iter().copied().zip(head(&both, cut)).collect();
            let made = graph.run(cut..nodes, given, &[graph.output], &mut Spare::default(), &mut |_| ());
            let made = made.unwrap_or_else(|error| panic!("{name}, cut {cut}: {error}")).swap_remove(0);
            let difference = difference(made, apart.clone());
            assert!(difference <= BATCH_TOLERANCE, "{name}, cut {cut}: {difference}");
        }
    }
}
