//! Memory and processor time, under the names that every Prometheus client gives them. On Linux only: elsewhere they are
//! absent.

use super::family::{Counters, Declaring, Gauges};
use super::{Metrics, Unit};

struct ProcessMetrics {
    cpu: Counters<0>,
    resident: Gauges<0>,
    threads: Gauges<0>,
    files: Gauges<0>,
    start: Gauges<0>,
}

impl ProcessMetrics {
    fn new(metrics: &Metrics) -> Self {
        let declare = Declaring { metrics, prefix: "process" };
        Self {
            cpu: declare.counters(
                "cpu",
                Unit::Seconds,
                [],
                "Processor time of this process, all threads together",
            ),
            resident: declare.gauges(
                "resident_memory",
                Unit::Bytes,
                [],
                "Memory of this process that is in RAM",
            ),
            threads: declare.gauges("threads", Unit::None, [], "Threads of this process"),
            files: declare.gauges(
                "open_fds",
                Unit::None,
                [],
                "Files and connections that this process has open",
            ),
            start: declare.gauges("start_time", Unit::Seconds, [], "When this process started, since 1970"),
        }
    }
}

pub(super) fn declare(metrics: &Metrics) {
    ProcessMetrics::new(metrics);
}

pub(super) fn watch(metrics: &Metrics) {
    let process = ProcessMetrics::new(metrics);
    metrics.read_always(move || process.read());
}

#[cfg(target_os = "linux")]
impl ProcessMetrics {
    fn read(&self) {
        // A process that may not read its own entry has none of these, rather than wrong ones.
        let Ok(own) = procfs::process::Process::myself() else { return };
        let Ok(stat) = own.stat() else { return };
        let ticks = procfs::ticks_per_second() as f64;
        self.cpu.follow([], (stat.utime + stat.stime) as f64 / ticks);
        self.resident.set([], (stat.rss * procfs::page_size()) as f64);
        self.threads.set([], stat.num_threads as f64);
        if let Ok(files) = own.fd_count() {
            self.files.set([], files as f64);
        }
        if let Ok(boot) = procfs::boot_time_secs() {
            self.start.set([], boot as f64 + stat.starttime as f64 / ticks);
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl ProcessMetrics {
    fn read(&self) {}
}
