use std::path::PathBuf;

use super::*;
use crate::trace::TraceFormat;

/// The first limits of each network's workload of 50 in the paper's own file (`workload_50_samples.csv`).
const FIRST_OF_50: [(&str, [f64; 2]); 3] = [
    ("vgg16", [94.79067097766479, 4286.694420455027]),
    ("resnet50", [235.8778021741253, 396.5180943356992]),
    ("mobilenetv2", [98.58806190888677, 133.9023736084849]),
];

#[test]
fn the_paper_s_workload_begins_as_in_its_file() {
    let trace = workload(SEED, 50, &[]).unwrap();
    assert_eq!(trace.requests().len(), 200);
    for (name, first) in FIRST_OF_50 {
        let of_network: Vec<f64> = trace
            .requests()
            .iter()
            .filter(|request| request.model.as_str() == name)
            .map(|request| request.qos.latency_ms.get())
            .collect();
        assert_eq!(of_network[..2], first, "{name}");
    }
}

#[test]
fn leaving_networks_out_changes_nothing_of_the_others() {
    let all = workload(SEED, 20, &[]).unwrap();
    let one = workload(SEED, 20, &["mobilenetv2"]).unwrap();
    let limits = |trace: &Trace| -> Vec<Millis> {
        let of = trace.requests().iter().filter(|request| request.model.as_str() == "mobilenetv2");
        of.map(|request| request.qos.latency_ms).collect()
    };
    assert_eq!(limits(&all), limits(&one));
}

#[test]
fn the_paper_s_files_come_out_byte_by_byte() {
    let shared = std::env::var_os("SPLINTER_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    for requests in [50, 10_000] {
        let path = shared.join(format!("reference/workload_{requests}_samples.csv"));
        let Ok(wanted) = std::fs::read(&path) else {
            eprintln!("SKIPPED: there is no {}", path.display());
            continue;
        };
        let mut written = Vec::new();
        let trace = workload(SEED, requests, &["vgg16", "resnet50", "mobilenetv2"]).unwrap();
        trace.write(&mut written, TraceFormat::Paper, "").unwrap();
        assert!(written == wanted, "{} differs", path.display());
        let read = Trace::read(&path).unwrap();
        assert_eq!(read, trace);
    }
}
