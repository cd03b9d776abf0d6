//! Any bytes are a network or a typed error: no panic, no endless loop, no memory beyond the bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use models::{Accelerator, Bundle, Network};
use schemas::{Cut, Tensor};

const MANIFEST: &str = r#"
name = "fuzzed"
[files]
onnx = "model.onnx"
[preprocessing]
resize_short_side = 8
width = 8
height = 8
channels = "rgb"
scale = 1.0
mean = [0.0, 0.0, 0.0]
deviation = [1.0, 1.0, 1.0]
"#;

fuzz_target!(|data: &[u8]| {
    let Ok(bundle) = Bundle::from_files(MANIFEST, data.to_vec(), None) else { return };
    let Ok(network) = Network::load(&bundle, Accelerator::Cpu) else { return };
    // What loads must run and divide, or say why not.
    let Ok(name) = "fuzzed".parse() else { return };
    let description = network.describe(&name, &[]);
    let elements: u64 = description.input.shape.iter().product();
    let values = vec![0.5; usize::try_from(elements).unwrap_or(0)];
    let Ok(input) = Tensor::from_f32(description.input.shape, &values) else { return };
    let middle = Cut(network.last_cut().0 / 2);
    if let Ok(frontier) = network.head(middle, &input) {
        drop(network.tail(middle, &frontier));
    }
    drop(network.halves(&bundle, middle));
});
