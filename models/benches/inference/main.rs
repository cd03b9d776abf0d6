//! Time, throughput and memory of whole networks on Burn and, where Python has it, on ONNX Runtime.
//!
//! A plain program: the yardstick runs in another process, which no bench harness can time, and so does each loading,
//! since the peak of a process's memory can be read only once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod measure;
mod onnx_runtime;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use measure::{Loading, Times};

const THREADS: [usize; 2] = [1, 2];
const BATCHES: [usize; 4] = [1, 2, 4, 8];

/// Tells this program to load one network and print what that took.
const LOADING: &str = "--loading";

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    if let Some(LOADING) = arguments.next().as_deref() {
        let path = arguments.next().context("no file to load")?;
        println!("{}", Loading::measure(Path::new(&path))?.to_line());
        return Ok(());
    }
    let networks = networks()?;
    if networks.is_empty() {
        eprintln!(
            "SKIPPED: no networks; set SPLINTER_SHARED, SPLINTER_NETWORKS (a folder of ONNX files) or both"
        );
        return Ok(());
    }
    println!("machine: {}; burn 0.22.1 (flex), {}", measure::processor(), measure::rustc_version());
    println!("command: SPLINTER_SHARED=… SPLINTER_NETWORKS=… cargo bench -p models --bench inference");
    times(&networks)?;
    batches(&networks)?;
    loading(&networks)
}

/// One inference of a batch of one.
fn times(networks: &[PathBuf]) -> Result<()> {
    println!("\none inference, ms: median (least)");
    println!("| network | threads | Splinter | ONNX Runtime | ratio |\n|---|---|---|---|---|");
    for path in networks {
        for threads in THREADS {
            let ours = measure::times(path, threads, 1)?;
            let row = format!("| {} | {threads} | {ours} |", name(path));
            print_beside(&row, &ours, onnx_runtime::times(path, threads, 1));
        }
    }
    Ok(())
}

/// Pictures a second for batches of several.
fn batches(networks: &[PathBuf]) -> Result<()> {
    println!("\npictures a second, two threads, by batch");
    println!("| network |{} |", BATCHES.map(|batch| format!(" {batch} ")).join("|"));
    println!("|---|{}|", BATCHES.map(|_| "---").join("|"));
    for path in networks {
        let rates: Vec<String> = BATCHES
            .iter()
            .map(|batch| match measure::times(path, 2, *batch) {
                Ok(times) => Ok(format!(" {:.1} ", *batch as f64 * 1000.0 / times.median())),
                // Some files fix the number of pictures in the middle of the network.
                Err(error) if *batch > 1 => Ok(format!(" {error} ")),
                Err(error) => Err(error),
            })
            .collect::<Result<_>>()?;
        println!("| {} |{}|", name(path), rates.join("|"));
    }
    Ok(())
}

/// Time and memory until a network can run.
fn loading(networks: &[PathBuf]) -> Result<()> {
    println!(
        "\nloading: from the opened file to the first answer; the greatest memory of a process that does only that"
    );
    println!("| network | file MB | ms | peak MB | peak ÷ file |\n|---|---|---|---|---|");
    for path in networks {
        let output = Command::new(env::current_exe()?).arg(LOADING).arg(path).output()?;
        if !output.status.success() {
            bail!("loading {}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
        }
        let loading = Loading::from_line(std::str::from_utf8(&output.stdout)?)?;
        let file = path.metadata()?.len() as f64 / 1e6;
        let peak = loading.peak_bytes as f64 / 1e6;
        println!(
            "| {} | {file:.1} | {:.0} | {peak:.0} | {:.2} |",
            name(path),
            loading.milliseconds,
            peak / file
        );
    }
    Ok(())
}

fn print_beside(row: &str, ours: &Times, theirs: Result<Times>) {
    match theirs {
        Ok(theirs) => println!("{row} {theirs} | {:.2} |", ours.median() / theirs.median()),
        Err(reason) => println!("{row} none: {reason:#} | |"),
    }
}

/// The shared networks that the design names, and all of the folder in `SPLINTER_NETWORKS`.
fn networks() -> Result<Vec<PathBuf>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = env::var_os("SPLINTER_SHARED").map_or(beside, PathBuf::from).join("models");
    let named = ["mobilenetv2_1.0_224.onnx", "resnet56_cifar10.onnx"].map(|file| shared.join(file));
    let mut networks: Vec<PathBuf> = named.into_iter().filter(|path| path.is_file()).collect();
    if let Some(folder) = env::var_os("SPLINTER_NETWORKS") {
        let mut more = Vec::new();
        for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            more.push(entry?.path());
        }
        more.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
        more.sort();
        networks.extend(more);
    }
    Ok(networks)
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
