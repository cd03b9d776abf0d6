//! MobileNetV2 and the hundred labelled pictures that it is known to get 82 of right.

use std::fs;
use std::path::{Path, PathBuf};

/// 82 of 100 right with ONNX Runtime, one more or less with another resize.
pub const RIGHT: std::ops::RangeInclusive<usize> = 81..=83;

/// One labelled picture.
pub struct Picture {
    pub path: PathBuf,
    /// Its file's name.
    pub file: String,
    /// Its class's index, as text.
    pub class: String,
}

/// The pictures, in the order of their list.
pub fn pictures(shared: &Path) -> Vec<Picture> {
    let folder = shared.join("images/imagenet_100");
    let mut labels = csv::Reader::from_path(folder.join("labels.csv")).unwrap();
    let picture = |row: csv::StringRecord| Picture {
        path: folder.join(&row[0]),
        file: row[0].to_owned(),
        class: row[1].to_owned(),
    };
    labels.records().map(|row| picture(row.unwrap())).collect()
}

/// A bundle folder of MobileNetV2, its labels among its files.
pub fn mobilenet_bundle(shared: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let onnx = fs::read(shared.join("models/mobilenetv2_1.0_224.onnx")).unwrap();
    let mut classes = csv::Reader::from_path(shared.join("models/imagenet_classes.csv")).unwrap();
    let labels: Vec<String> = classes.records().map(|row| row.unwrap()[2].to_owned()).collect();
    let bundle = models::Bundle::from_files(
        include_str!("mobilenetv2.toml"),
        onnx,
        Some(&format!("{}\n", labels.join("\n"))),
    )
    .unwrap();
    bundle.write_to(folder.path()).unwrap();
    folder
}
