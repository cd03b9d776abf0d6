//! The real networks and pictures, which lie beside the repository or where `SPLINTER_SHARED` says.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use models::{Accelerator, Bundle, Network};

/// The folder, or `None` (said aloud) where this machine has none.
pub fn folder(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = env::var_os("SPLINTER_SHARED").map_or(beside, PathBuf::from);
    if folder.join("models").is_dir() {
        Some(folder)
    } else {
        eprintln!("SKIPPED {test}: {} has no models; set SPLINTER_SHARED", folder.display());
        None
    }
}

/// Each network's preprocessing, as its publisher says.
fn preprocessing(network: &str) -> &'static str {
    match network {
        "mobilenetv2_1.0_224" => {
            "resize_short_side = 256\nwidth = 224\nheight = 224\nscale = 0.00784313725490196
             mean = [1.0, 1.0, 1.0]\ndeviation = [1.0, 1.0, 1.0]"
        }
        "squeezenet1.1_224" => {
            "resize_short_side = 256\nwidth = 224\nheight = 224\nchannels = \"bgr\"\nscale = 1.0
             mean = [104.0, 117.0, 123.0]\ndeviation = [1.0, 1.0, 1.0]"
        }
        "vit4_cifar10" => {
            "width = 32\nheight = 32\nscale = 0.00392156862745098
             mean = [0.4914, 0.4822, 0.4465]\ndeviation = [0.2470, 0.2435, 0.2616]"
        }
        _ => {
            "width = 32\nheight = 32\nscale = 0.00392156862745098
             mean = [0.485, 0.456, 0.406]\ndeviation = [0.229, 0.224, 0.225]"
        }
    }
}

pub fn manifest(network: &str) -> String {
    let name = network.replace('.', "-");
    format!(
        "name = \"{name}\"\n[files]\nonnx = \"model.onnx\"\n[preprocessing]\n{}\n",
        preprocessing(network)
    )
}

pub fn bundle(shared: &Path, network: &str) -> Bundle {
    let onnx = fs::read(shared.join("models").join(format!("{network}.onnx"))).unwrap();
    Bundle::from_files(&manifest(network), onnx, None).unwrap()
}

pub fn network(shared: &Path, network: &str) -> (Bundle, Network) {
    let bundle = bundle(shared, network);
    let network = Network::load(&bundle, Accelerator::Cpu).unwrap();
    (bundle, network)
}

/// The pictures of a folder with their class, as its `labels.csv` lists them.
pub fn pictures(shared: &Path, folder: &str) -> Vec<(PathBuf, u32)> {
    let folder = shared.join("images").join(folder);
    let mut reader = csv::Reader::from_path(folder.join("labels.csv")).unwrap();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        (folder.join(&row[0]), row[1].parse().unwrap())
    });
    rows.collect()
}
