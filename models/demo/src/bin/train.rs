//! Trains the shipped network and writes its bundle.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use burn::tensor::Device;
use clap::Parser;
use demo_network::CLASS_NAMES;
use demo_network::train::{Plan, accuracy, logits, train, write_bundle};

/// Trains the shipped network on pictures drawn from a seed and writes its bundle.
#[derive(Debug, Parser)]
struct Arguments {
    /// Seed of the training pictures and of the initial weights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seed of the pictures the accuracy is measured on.
    #[arg(long, default_value_t = 1_000_000)]
    test_seed: u64,
    /// Pictures to train on.
    #[arg(long, default_value_t = 36_000)]
    pictures: u64,
    /// Pictures to measure the accuracy on.
    #[arg(long, default_value_t = 2_000)]
    test_pictures: u64,
    /// Pictures a step.
    #[arg(long, default_value_t = 32)]
    batch: u64,
    /// Greatest learning rate.
    #[arg(long, default_value_t = 3e-3)]
    rate: f64,
    /// Folder of the bundle.
    #[arg(long, default_value = "models/demo/bundle")]
    out: PathBuf,
    /// File for the logits of the first hundred test pictures, one row a picture, to compare other runtimes with.
    #[arg(long)]
    logits: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.seed != arguments.test_seed, "training and test pictures must not be the same");
    let Arguments { seed, pictures, batch, rate, test_seed, test_pictures, .. } = arguments;
    let device = Device::flex();
    let start = Instant::now();
    let network = train(Plan { seed, pictures, batch, rate }, &device)?;
    println!("trained on {pictures} pictures in {:.0} s", start.elapsed().as_secs_f64());
    let share = accuracy(&network, test_seed, test_pictures, &device)?;
    println!("accuracy {share:.4} on {test_pictures} pictures of seed {test_seed}");
    let source = format!("trained by this project on {pictures} drawn pictures, seed {seed}: models/demo");
    write_bundle(&network, &arguments.out, &source)?;
    if let Some(file) = arguments.logits {
        let (values, _) = logits(&network, test_seed, 0, 100, &device)?;
        let row = |row: &[f32]| row.iter().map(f32::to_string).collect::<Vec<_>>().join(" ") + "\n";
        std::fs::write(&file, values.chunks(CLASS_NAMES.len()).map(row).collect::<String>())?;
    }
    Ok(())
}
