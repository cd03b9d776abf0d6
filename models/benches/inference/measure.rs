//! What our own engine takes.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use models::{Accelerator, Bundle, Network, Preset};
use schemas::Tensor;

const WARM_UP: usize = 3;

/// Enough for a median; fewer for networks that take long.
const MOST_RUNS: usize = 40;
const LEAST_RUNS: usize = 7;
const ENOUGH: Duration = Duration::from_secs(4);

/// Milliseconds of several runs.
pub struct Times(pub Vec<f64>);

impl Times {
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        write!(f, "{:.2} ({least:.2})", self.median())
    }
}

/// Whole runs of one batch on so many threads.
pub fn times(path: &Path, threads: usize, batch: usize) -> Result<Times> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        let network = load(path)?;
        let input = input(&network, batch)?;
        for _ in 0..WARM_UP {
            network.run(&input)?;
        }
        let mut times = Vec::with_capacity(MOST_RUNS);
        let begin = Instant::now();
        while times.len() < LEAST_RUNS || times.len() < MOST_RUNS && begin.elapsed() < ENOUGH {
            let start = Instant::now();
            std::hint::black_box(network.run(&input)?);
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        Ok(Times(times))
    })
}

fn load(path: &Path) -> Result<Network> {
    Ok(Network::load(&Bundle::from_onnx(path, Preset::default())?, Accelerator::Cpu)?)
}

fn input(network: &Network, batch: usize) -> Result<Tensor<'static>> {
    let mut shape = network.describe(&"bench".parse()?, &[]).input.shape;
    shape[0] = batch as u64;
    let elements: u64 = shape.iter().product();
    Ok(Tensor::from_f32(shape, &vec![0.25; usize::try_from(elements)?])?)
}

/// What loading took.
pub struct Loading {
    pub milliseconds: f64,
    pub peak_bytes: u64,
}

impl Loading {
    /// Loads a network in this process, which must have done nothing else, and runs it once.
    pub fn measure(path: &Path) -> Result<Self> {
        let start = Instant::now();
        let network = load(path)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        network.run(&input(&network, 1)?)?;
        Ok(Self { milliseconds, peak_bytes: peak_of_this_process()? })
    }

    pub fn to_line(&self) -> String {
        format!("{} {}", self.milliseconds, self.peak_bytes)
    }

    pub fn from_line(line: &str) -> Result<Self> {
        let (time, peak) = line.trim().split_once(' ').context("no two figures")?;
        Ok(Self { milliseconds: time.parse()?, peak_bytes: peak.parse()? })
    }
}

/// The kernel's own count: `VmHWM`, resident memory at its greatest.
fn peak_of_this_process() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
}

pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {threads} threads", model.trim_start_matches([' ', '\t', ':']))
}

pub fn rustc_version() -> String {
    let version = Command::new("rustc").arg("--version").output().map(|output| output.stdout);
    String::from_utf8(version.unwrap_or_default()).unwrap_or_default().trim().to_owned()
}
