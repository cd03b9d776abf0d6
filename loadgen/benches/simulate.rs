//! The simulator's own speed, on a pool made here: requests × policies in pool mode, events in system mode.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;
use std::path::Path;

use divan::Bencher;
use divan::counter::ItemsCount;
use loadgen::recording::{RecordedFront, Recording};
use loadgen::simulate::draw::Draw;
use loadgen::simulate::pool::{PAPER_ORDER, RecordedRuns, simulate};
use loadgen::simulate::system::{self, Profile, Scenario};
use schemas::{Millis, PolicyName};

fn main() {
    divan::main();
}

/// A pool of the size and shape of the paper's: 23 cuts, 7 clocks, 3 accelerators, 2 machines, baselines with 50 runs.
fn recording() -> Recording {
    let mut text = "accuracy,latency,energy,avg energy edge (J),avg latency edge (ms),avg latency cloud (ms),avg latency transfer (ms),avg energy cloud (J),tensor size (KB),cpu-freq,layer,edge-accelerator,server-accelerator\n".to_owned();
    for layer in 0..=22_u16 {
        for clock in [600, 800, 1000, 1200, 1400, 1600, 1800] {
            for (accelerator, pace) in [("off", 10.0), ("std", 2.5), ("max", 2.0)] {
                for (cloud, tail_pace) in [("True", 1.0), ("False", 3.0)] {
                    if (layer == 0 && accelerator != "off") || (layer == 22 && cloud == "True") {
                        continue;
                    }
                    let baseline = clock == 1800 && matches!((layer, accelerator), (0, "off") | (22, "max"));
                    for run in 0..(if baseline { 50 } else { 1 }) {
                        let noise = 1.0 + f64::from(run % 7) / 100.0;
                        let edge = (10.0 + pace * f64::from(layer) * 9.0 * 1800.0 / f64::from(clock)) * noise;
                        let (tail, wire) = if layer == 22 { (0.0, 0.0) } else { (80.0 * tail_pace, 10.0) };
                        let (edge_j, cloud_j) = (edge / 200.0, tail * 0.9);
                        let (latency, energy) = (edge + tail + wire, edge_j + cloud_j);
                        writeln!(text, "0.6,{latency},{energy},{edge_j},{edge},{tail},{wire},{cloud_j},100,{clock},{layer},{accelerator},{cloud}").unwrap();
                    }
                }
            }
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Recording::read(Path::new(file.path()), "vgg16", None).unwrap()
}

fn limits() -> Vec<Millis> {
    let limit =
        |request: u32| Millis::saturating(90.0 + f64::from(request.wrapping_mul(2_654_435_761) % 2000));
    (0..10_000).map(limit).collect()
}

fn pool(bencher: Bencher<'_, '_>, policies: &[PolicyName], draw: &Draw) {
    let recording = recording();
    let front =
        RecordedFront::of_means(&recording, (recording.all_cloud().unwrap(), recording.all_edge().unwrap()));
    let runs = RecordedRuns::of(&recording).unwrap();
    let limits = limits();
    bencher
        .counter(ItemsCount::new(limits.len() * policies.len()))
        .bench_local(|| simulate(&runs, &front, policies, &limits, &mut draw.clone()).unwrap());
}

/// 10 000 requests × 5 policies as the paper draws them.
#[divan::bench]
fn pool_paper(bencher: Bencher<'_, '_>) {
    pool(bencher, &PAPER_ORDER, &Draw::numpy(123_456_789));
}

/// The same with our own random numbers.
#[divan::bench]
fn pool_paired(bencher: Bencher<'_, '_>) {
    pool(bencher, &PAPER_ORDER, &Draw::Paired { seed: 1 });
}

/// 10 000 requests of the policy that learns.
#[divan::bench]
fn pool_adaptive(bencher: Bencher<'_, '_>) {
    pool(bencher, &[PolicyName::Adaptive], &Draw::Paired { seed: 1 });
}

const SCENARIO: &str = r#"
requests = 200000
runs = 1
policies = ["POLICY"]
[network]
name = "vgg16"
pool = "made here"
[[edges]]
count = 100
arrivals = "poisson:0.5"
limits = "weibull:90..2000"
accelerator_change_ms = 100
[[clouds]]
count = 10
batch = 8
batch_wait_ms = 2
failures = { up_s = 3600, down_s = 30 }
"#;

/// 200 000 requests on 100 edges and 10 clouds; the counter is requests, each of about four events.
#[divan::bench(args = ["adaptive", "dynasplit", "cloud"], sample_count = 5, sample_size = 1)]
fn system(bencher: Bencher<'_, '_>, policy: &str) {
    let scenario = Scenario::parse(&SCENARIO.replace("POLICY", policy)).unwrap();
    let profile = Profile::of_recording(&recording()).unwrap();
    bencher
        .counter(ItemsCount::new(scenario.requests))
        .bench_local(|| system::simulate(&scenario, &profile, 1, &|_| ()).unwrap().pace.events);
}
