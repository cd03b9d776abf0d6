//! The yardstick: ONNX Runtime in a Python of its own.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::measure::Times;

/// Prints the times in milliseconds of as many runs as ours, after as many to warm up.
const SCRIPT: &str = r"
import sys, time, numpy, onnxruntime
path, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
shape = [side if isinstance(side, int) else 1 for side in session.get_inputs()[0].shape]
shape[0] = batch
picture = {session.get_inputs()[0].name: numpy.full(shape, 0.25, dtype=numpy.float32)}
for _ in range(3):
    session.run(None, picture)
times, begin = [], time.perf_counter()
while len(times) < 7 or len(times) < 40 and time.perf_counter() - begin < 4:
    start = time.perf_counter()
    session.run(None, picture)
    times.append((time.perf_counter() - start) * 1000)
print(*times)
";

/// Whole runs of one batch on so many threads.
pub fn times(path: &Path, threads: usize, batch: usize) -> Result<Times> {
    let python = env::var_os("SPLINTER_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(path)
        .args([threads.to_string(), batch.to_string()])
        .output()
        .context("python does not start")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.lines().last().unwrap_or("python failed").to_owned());
    }
    let text = String::from_utf8(output.stdout)?;
    let times = text.split_whitespace().map(|time| time.parse().context("not a time"));
    Ok(Times(times.collect::<Result<_>>()?))
}
