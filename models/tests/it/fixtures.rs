//! Networks with what ONNX Runtime makes of one picture, committed or made by `models/tests/export`.

use std::fs;
use std::path::{Path, PathBuf};

use models::{Accelerator, Bundle, ModelError, Network};
use onnx_ir::{DType, GraphProto, Message, TensorData};
use schemas::Tensor;

/// A network, a picture, and ONNX Runtime's output.
pub struct Fixture {
    pub name: String,
    onnx: PathBuf,
    pub input: Tensor<'static>,
    pub output: Vec<f32>,
}

/// How far two numbers may lie apart: `absolute + relative × |expected|`.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    pub absolute: f32,
    pub relative: f32,
}

/// Between the whole network and its halves. What crosses is laid out anew, and a sum of products over a
/// tensor that lay transposed before then runs in another order.
const CUT_TOLERANCE: Tolerance = Tolerance { absolute: 1e-6, relative: 1e-5 };

/// The fixtures of a folder, by name.
pub fn of_folder(folder: &Path) -> Vec<Fixture> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    files.sort();
    files.into_iter().map(Fixture::open).collect()
}

/// A folder of the repository.
pub fn committed(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder)
}

impl Fixture {
    fn open(onnx: PathBuf) -> Self {
        let bytes = fs::read(onnx.with_extension("tensors")).unwrap();
        let tensors = GraphProto::parse_from_bytes(&bytes).unwrap().initializer;
        let [input, output] = <[_; 2]>::try_from(tensors).unwrap();
        let shape = input.dims.iter().map(|side| u64::try_from(*side).unwrap()).collect();
        let floats = |tensor| {
            let data = TensorData::try_from(tensor).unwrap();
            // Pictures of bytes are in 64ths.
            let unit = if data.dtype() == DType::I8 { 64.0 } else { 1.0 };
            data.iter::<f32>().map(|number| number / unit).collect::<Vec<f32>>()
        };
        Self {
            name: onnx.file_stem().unwrap().to_string_lossy().into_owned(),
            onnx,
            input: Tensor::from_f32(shape, &floats(input)).unwrap(),
            output: floats(output),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(&self.onnx).unwrap()
    }

    pub fn load(&self) -> Result<Network, ModelError> {
        let [height, width] = [2, 3].map(|axis| self.input.shape()[axis]);
        let manifest = format!(
            "name = \"fixture\"\n[files]\nonnx = \"model.onnx\"\n[preprocessing]\nwidth = {width}\nheight = {height}\n\
             scale = 1.0\nmean = [0.0, 0.0, 0.0]\ndeviation = [1.0, 1.0, 1.0]\n"
        );
        Network::load(&Bundle::from_files(&manifest, self.bytes(), None)?, Accelerator::Cpu)
    }
}

impl Tolerance {
    /// What is wrong with some numbers, if anything is.
    pub fn fault(&self, made: &[f32], expected: &[f32]) -> Option<String> {
        if made.len() != expected.len() {
            return Some(format!("{} numbers where {} are expected", made.len(), expected.len()));
        }
        let allowed = |expected: f32| self.absolute + self.relative * expected.abs();
        let mut worst: Option<(usize, f32)> = None;
        for (index, (made, expected)) in made.iter().zip(expected).enumerate() {
            let excess = (made - expected).abs() / allowed(*expected);
            let excess = if excess.is_nan() { f32::INFINITY } else { excess };
            let equal = made == expected || (made.is_nan() && expected.is_nan());
            if !equal && excess > worst.map_or(1.0, |(_, worst)| worst) {
                worst = Some((index, excess));
            }
        }
        worst.map(|(index, excess)| {
            format!(
                "number {index} is {} where {} is expected, {excess:.1} times what {self:?} allows",
                made[index], expected[index]
            )
        })
    }
}

/// What is wrong with a network, if anything is: against ONNX Runtime, and its halves at every cut.
pub fn fault(fixture: &Fixture, tolerance: Tolerance) -> Option<String> {
    compared(fixture, tolerance, |last| (0..=last).collect())
}

/// The same with its halves at a few cuts: more would take minutes for a large network.
pub fn fault_of_whole(fixture: &Fixture, tolerance: Tolerance) -> Option<String> {
    compared(fixture, tolerance, |last| vec![last / 3, last * 2 / 3])
}

fn compared(fixture: &Fixture, tolerance: Tolerance, cuts: fn(u16) -> Vec<u16>) -> Option<String> {
    let network = match fixture.load() {
        Ok(network) => network,
        Err(error) => return Some(error.to_string()),
    };
    let whole = match network.run(&fixture.input) {
        Ok(whole) => whole,
        Err(error) => return Some(error.to_string()),
    };
    if let Some(fault) = tolerance.fault(&whole.to_f32().unwrap(), &fixture.output) {
        return Some(fault);
    }
    for cut in cuts(network.last_cut().0).into_iter().map(schemas::Cut) {
        let halves = network.head(cut, &fixture.input).and_then(|frontier| network.tail(cut, &frontier));
        match halves {
            Ok(output) => {
                let fault = CUT_TOLERANCE.fault(&output.to_f32().unwrap(), &whole.to_f32().unwrap());
                if let Some(fault) = fault {
                    return Some(format!("head and tail at cut {cut}: {fault}"));
                }
            }
            Err(error) => return Some(format!("cut {cut}: {error}")),
        }
    }
    None
}
