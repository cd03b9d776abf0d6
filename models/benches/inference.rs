//! Time of one inference at one thread, on Burn and, where Python has it, on ONNX Runtime.
//!
//! A plain program: the yardstick runs in another process, which no bench harness can time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use models::{Bundle, Device, Network};
use schemas::Tensor;

const NETWORKS: [&str; 2] = ["mobilenetv2_1.0_224", "resnet56_cifar10"];
const WARM_UP: usize = 5;
const RUNS: usize = 40;

/// Prints the runtime's version and the times in milliseconds of as many runs as ours, after as many to warm up.
const YARDSTICK: &str = r"
import sys, time, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=['CPUExecutionProvider'])
shape = [side if isinstance(side, int) else 1 for side in session.get_inputs()[0].shape]
picture = {session.get_inputs()[0].name: numpy.full(shape, 0.25, dtype=numpy.float32)}
print(onnxruntime.__version__)
for run in range(int(sys.argv[2]) + int(sys.argv[3])):
    start = time.perf_counter()
    session.run(None, picture)
    if run >= int(sys.argv[2]):
        print((time.perf_counter() - start) * 1000)
";

fn main() -> Result<()> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = env::var_os("SPLINTER_SHARED").map_or(beside, PathBuf::from);
    if !shared.join("models").is_dir() {
        eprintln!("SKIPPED: {} has no models; set SPLINTER_SHARED", shared.display());
        return Ok(());
    }
    println!("one inference, one thread, batch 1: median (least) of {RUNS} runs after {WARM_UP}");
    println!("machine: {}; burn 0.22.1 (flex), {}", processor(), rustc_version());
    println!("command: cargo bench -p models");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    for name in NETWORKS {
        let path = shared.join("models").join(format!("{name}.onnx"));
        let ours = pool.install(|| burn_times(&path))?;
        print!("{name}: burn {}", summary(&ours));
        match onnx_runtime_times(&path) {
            Ok((version, theirs)) => {
                let ratio = median(&ours) / median(&theirs);
                println!(", ONNX Runtime {version} {}, ratio {ratio:.1}", summary(&theirs));
            }
            Err(reason) => println!(" (no yardstick: {reason:#})"),
        }
    }
    Ok(())
}

fn burn_times(path: &Path) -> Result<Vec<f64>> {
    let network = Network::load(&Bundle::from_onnx(path, models::Preset::default())?, Device::Cpu)?;
    let shape = network.describe(&"bench".parse()?, &[]).input.shape;
    let elements: u64 = shape.iter().product();
    let input = Tensor::from_f32(shape, &vec![0.25; usize::try_from(elements)?])?;
    let mut times = Vec::with_capacity(RUNS);
    for run in 0..WARM_UP + RUNS {
        let start = Instant::now();
        std::hint::black_box(network.run(&input)?);
        if run >= WARM_UP {
            times.push(milliseconds(start.elapsed()));
        }
    }
    Ok(times)
}

fn onnx_runtime_times(path: &Path) -> Result<(String, Vec<f64>)> {
    let python = env::var_os("SPLINTER_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python)
        .args(["-c", YARDSTICK])
        .arg(path)
        .args([WARM_UP.to_string(), RUNS.to_string()])
        .output()
        .context("python does not start")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.lines().last().unwrap_or("python failed").to_owned());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines();
    let version = lines.next().context("no version")?.to_owned();
    let times = lines.map(|line| line.parse().context("not a time")).collect::<Result<_>>()?;
    Ok((version, times))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn summary(times: &[f64]) -> String {
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    format!("{:.2} ms ({least:.2})", median(times))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {threads} threads", model.trim_start_matches([' ', '\t', ':']))
}

fn rustc_version() -> String {
    let version = Command::new("rustc").arg("--version").output().map(|output| output.stdout);
    String::from_utf8(version.unwrap_or_default()).unwrap_or_default().trim().to_owned()
}
