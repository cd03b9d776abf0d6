//! The time of one decision over a front of 100 points: the whole front is walked, since nothing is within the
//! limit, and half of it. `alloc` in the output shows that a decision does not allocate.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::{AllocProfiler, Bencher, black_box};
use policy::{Cloud, PreparedFront};
use schemas::{
    Accuracy, ByteCount, Configuration, Cut, Digest, EnergyEntry, EnergySource, Front, FrontId, Joules,
    KiloHertz, LatencySummary, Measurement, Millis, ModelName, NodeId, Place, PolicyName, Qos, Share,
    UnixMillis,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const POINTS: u16 = 100;

fn main() {
    divan::main();
}

fn measurement(index: u16) -> Measurement {
    // Slower points need less energy: a front.
    let latency = Millis::saturating(f64::from(100 + index));
    let energy = |place, joules| EnergyEntry { place, source: EnergySource::Measured, joules };
    Measurement {
        configuration: Configuration {
            edge_frequency_khz: Some(KiloHertz::from_megahertz(1800)),
            ..Configuration::at(Cut(index))
        },
        cut_name: format!("node {index}"),
        latency: LatencySummary {
            mean_ms: latency,
            p50_ms: latency,
            p95_ms: latency,
            deviation_ms: Millis::ZERO,
        },
        stages: Vec::new(),
        energy: vec![
            energy(Place::Edge, Joules::saturating(f64::from(300 - index))),
            energy(Place::Cloud, Joules::saturating(1.0)),
        ],
        accuracy: Some(Accuracy { share: Share::saturating(0.7), pictures: 100 }),
        sent_bytes: ByteCount(1000),
        samples: 10,
        uncertainty: None,
        provenance: None,
    }
}

fn front() -> Front {
    Front {
        id: FrontId::fresh(),
        revision: 1,
        model: ModelName::new("bench").unwrap(),
        digest: Digest::from_bytes([7; 32]),
        last_cut: Cut(POINTS),
        edge: NodeId::new("edge").unwrap(),
        emulates: None,
        cloud: NodeId::new("cloud").unwrap(),
        points: (0..POINTS).map(measurement).collect(),
        all_cloud: measurement(0),
        all_edge: measurement(POINTS),
        tied: Vec::new(),
        suspects: Vec::new(),
        withheld: Vec::new(),
        search: None,
        measured: u32::from(POINTS),
        started_at: UnixMillis(0),
        ended_at: UnixMillis(1),
        software: "bench".to_owned(),
    }
}

fn qos(latency: f64) -> Qos {
    Qos { latency_ms: Millis::saturating(latency), accuracy_floor: None, least_cut: None }
}

fn decide(bencher: Bencher<'_, '_>, policy: PolicyName, qos: Qos) {
    let front = PreparedFront::new(&front());
    bencher.bench_local(|| black_box(&front).decide(policy, black_box(&qos), Cloud::Present));
}

#[divan::bench]
fn dynasplit_nothing_within(bencher: Bencher<'_, '_>) {
    decide(bencher, PolicyName::Dynasplit, qos(50.0));
}

#[divan::bench]
fn dynasplit_half_way(bencher: Bencher<'_, '_>) {
    decide(bencher, PolicyName::Dynasplit, qos(150.0));
}

#[divan::bench]
fn dynasplit_with_floors(bencher: Bencher<'_, '_>) {
    let floors = Qos { accuracy_floor: Some(Share::saturating(0.6)), least_cut: Some(Cut(3)), ..qos(50.0) };
    decide(bencher, PolicyName::Dynasplit, floors);
}

#[divan::bench]
fn baseline_latency(bencher: Bencher<'_, '_>) {
    decide(bencher, PolicyName::Latency, qos(50.0));
}

/// Once a front, not once a request.
#[divan::bench]
fn preparing_the_front(bencher: Bencher<'_, '_>) {
    let front = front();
    bencher.bench_local(|| PreparedFront::new(black_box(&front)));
}
