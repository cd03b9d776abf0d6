//! What a verified change of the hardware costs on a plain sysfs tree, beside the cheapest that it could be: writing
//! one such file and reading it back. `cargo bench -p tuner`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use schemas::{InstanceId, KiloHertz, Millis, NodeId, Setting, TuneOrder};
use tuner::{Device, Settings};

const ROUNDS: usize = 500;

fn policy(root: &Path, number: usize) {
    let folder = root.join(format!("devices/system/cpu/cpufreq/policy{number}"));
    fs::create_dir_all(&folder).unwrap();
    for (file, text) in [
        ("scaling_available_frequencies", "600000 1000000 1800000\n"),
        ("scaling_available_governors", "ondemand userspace performance\n"),
        ("scaling_governor", "ondemand\n"),
        ("scaling_setspeed", "<unsupported>\n"),
        ("scaling_min_freq", "600000\n"),
        ("scaling_max_freq", "1800000\n"),
        ("cpuinfo_min_freq", "600000\n"),
        ("cpuinfo_max_freq", "1800000\n"),
    ] {
        fs::write(folder.join(file), text).unwrap();
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn time(mut work: impl FnMut(usize)) -> Duration {
    let once = |round| {
        let start = Instant::now();
        work(round);
        start.elapsed()
    };
    median((0..ROUNDS).map(once).collect())
}

fn main() {
    println!("machine: {} cores; median of {ROUNDS} rounds", std::thread::available_parallelism().unwrap());
    println!("{:<28} {:>12} {:>12} {:>12}", "tree", "file (µs)", "change (µs)", "unchanged");
    for policies in [1, 2, 16, 128] {
        let folder = tempfile::tempdir().unwrap();
        (0..policies).for_each(|number| policy(folder.path(), number));
        let file = folder.path().join("devices/system/cpu/cpufreq/policy0/scaling_cur_freq");
        let yardstick = time(|round| {
            fs::write(&file, round.to_string()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), round.to_string());
        });
        let settings = Settings {
            sysfs_root: folder.path().to_owned(),
            state_dir: Some(folder.path().join("state")),
            ..Settings::default()
        };
        let node = NodeId::new("bench").unwrap();
        let mut device = Device::new(&settings, &node).unwrap();
        let mut set = |megahertz: u64| {
            let order = TuneOrder {
                holder: InstanceId::new("bench").unwrap(),
                lease_ms: Millis::new(60_000.0).unwrap(),
                settings: vec![Setting::CpuFrequency(KiloHertz::from_megahertz(megahertz))],
                dry_run: false,
            };
            device.apply(&order, Duration::ZERO).unwrap().len()
        };
        let change = time(|round| assert!(set(if round % 2 == 0 { 600 } else { 1_000 }) > 0));
        let last = if ROUNDS % 2 == 1 { 600 } else { 1_000 };
        let unchanged = time(|_| assert_eq!(set(last), 0));
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        println!(
            "{:<28} {:>12.1} {:>12.1} {:>12.1}   change = {:.1} × the file",
            format!("{policies} cpufreq policies"),
            micros(yardstick),
            micros(change),
            micros(unchanged),
            change.as_secs_f64() / yardstick.as_secs_f64(),
        );
    }
}
