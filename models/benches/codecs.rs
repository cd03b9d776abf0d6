//! What each codec costs at each cut of real networks: bytes, time, accuracy on real pictures. Prints the tables of
//! `docs/codecs.md`; with `-- --csv FOLDER` it also writes every figure as `FOLDER/<network>.csv`, and with
//! `-- --only NETWORK` it takes one network.
//!
//! A plain program: its result is a table of sizes and answers, not a time.
//!
//! Times are of the codec alone, on one thread, without the message around it. Accuracy is the share of pictures
//! whose best class is right; agreement that of pictures whose best class is the exact network's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod codecs {
    pub mod figures;
    pub mod tables;
}
#[path = "../tests/it/shared.rs"]
mod shared;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use codecs::figures::{CutFigures, NetworkFigures};
use codecs::{figures, tables};

/// Each network with its labelled pictures.
const NETWORKS: [(&str, &str); 3] = [
    ("mobilenetv2_1.0_224", "imagenet_100"),
    ("resnet56_cifar10", "cifar10_lossless_228"),
    ("vit4_cifar10", "cifar10_lossless_228"),
];

fn main() {
    let arguments = Arguments::read();
    let Some(shared) = shared::folder("the codecs' figures") else { return };
    println!("{}", tables::provenance());
    for (name, folder) in NETWORKS {
        if arguments.only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let start = Instant::now();
        let found = figures::measure(&shared, name, folder);
        println!("\n{}", tables::network(&found));
        if let Some(folder) = &arguments.csv {
            write_csv(folder, &found);
        }
        eprintln!("{name}: {:.0} s", start.elapsed().as_secs_f64());
    }
}

fn write_csv(folder: &Path, figures: &NetworkFigures) {
    fs::create_dir_all(folder).unwrap();
    let mut file = csv::Writer::from_path(folder.join(format!("{}.csv", figures.name))).unwrap();
    file.write_record([
        "cut",
        "after",
        "codec",
        "bytes",
        "ratio",
        "encode_ms",
        "decode_ms",
        "accuracy",
        "loss",
        "agreement",
    ])
    .unwrap();
    for cut in &figures.cuts {
        cut.codecs.iter().for_each(|one| file.write_record(record(figures, cut, one)).unwrap());
    }
    file.flush().unwrap();
}

fn record(figures: &NetworkFigures, cut: &CutFigures, one: &figures::CodecFigures) -> [String; 10] {
    let answers = cut.answers_of(one.codec);
    [
        cut.cut.to_string(),
        cut.name.clone(),
        one.codec.to_string(),
        format!("{:.0}", one.bytes),
        format!("{:.4}", one.bytes / cut.exact_bytes),
        format!("{:.4}", one.encode_ms),
        format!("{:.4}", one.decode_ms),
        format!("{:.4}", answers.accuracy),
        format!("{:.4}", figures.exact.accuracy - answers.accuracy),
        format!("{:.4}", answers.agreement),
    ]
}

/// What the command line asks for.
struct Arguments {
    csv: Option<PathBuf>,
    only: Option<String>,
}

impl Arguments {
    /// Other arguments (cargo's own `--bench`) are none of ours.
    fn read() -> Self {
        let arguments: Vec<String> = env::args().collect();
        let after = |name: &str| {
            let place = arguments.iter().position(|argument| argument == name)?;
            arguments.get(place + 1).cloned()
        };
        Self { csv: after("--csv").map(PathBuf::from), only: after("--only") }
    }
}
