//! The time of one decision over a front of 100 points: the whole front is walked, since nothing is within the
//! limit, and half of it. `alloc` in the output shows that a decision does not allocate.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::{AllocProfiler, Bencher, black_box};
use policy::{AdaptiveSettings, CloudExecutor, Observation, PreparedFront, State};
use schemas::{
    Accuracy, ByteCount, Configuration, Cut, Digest, EnergyEntry, EnergySource, Front, FrontId,
    HardwareChanges, InstanceId, Joules, KiloHertz, LatencySummary, Measurement, Millis, ModelName, NodeId,
    Place, PolicyName, Qos, Share, Stage, StageTime, TimeSource, UnixMillis,
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
        stages: vec![
            stage(Stage::Head, Place::Edge, latency * 0.5),
            stage(Stage::Transfer, Place::Wire, latency * 0.25),
            stage(Stage::Tail, Place::Cloud, latency * 0.25),
        ],
        energy: vec![
            energy(Place::Edge, Joules::saturating(f64::from(300 - index))),
            energy(Place::Cloud, Joules::saturating(1.0)),
        ],
        accuracy: Some(Accuracy { share: Share::saturating(0.7), pictures: 100 }),
        sent_bytes: ByteCount(20_000 - 100 * u64::from(index)),
        samples: 10,
        uncertainty: None,
        provenance: None,
    }
}

fn stage(stage: Stage, place: Place, time_ms: Millis) -> StageTime {
    StageTime { stage, place, time_ms, source: TimeSource::Measured }
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
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: u32::from(POINTS),
        started_at: UnixMillis(0),
        ended_at: UnixMillis(1),
        software: "bench".to_owned(),
        content: None,
    }
}

fn qos(latency: f64) -> Qos {
    Qos::within(Millis::saturating(latency))
}

/// A state that has seen a receipt of every configuration, with three cloud executors.
fn state(front: &PreparedFront, measured: &Front) -> State {
    let mut state = State::new(front, AdaptiveSettings::default());
    let executor =
        |number: u32| CloudExecutor::new(InstanceId::new(format!("c{number}")).unwrap(), number, true);
    state.set_clouds((0..3).map(executor));
    for (index, measurement) in measured.points.iter().enumerate() {
        state.observe(front, &observation(measurement, index));
    }
    state
}

fn observation(measurement: &Measurement, index: usize) -> Observation {
    let slower = |time: f64| Millis::saturating(time * 1.1);
    Observation {
        at: Millis::saturating(index as f64),
        configuration: measurement.configuration,
        fallback: None,
        cloud: Some(index % 3),
        lost_cloud: None,
        sent_bytes: measurement.sent_bytes,
        latency: measurement.latency.mean_ms * 1.1,
        limit: None,
        hardware_change: None,
        edge_queue: Millis::ZERO,
        edge: slower(measurement.latency.mean_ms.get() / 2.0),
        wire: slower(measurement.latency.mean_ms.get() / 4.0),
        cloud_queue: Millis::ZERO,
        cloud_time: slower(measurement.latency.mean_ms.get() / 4.0),
        edge_energy: Some(Joules::saturating(1.0)),
        cloud_energy: Some(Joules::saturating(1.0)),
    }
}

fn decide(bencher: Bencher<'_, '_>, policy: PolicyName, qos: Qos) {
    decide_at(bencher, policy, qos, 500.0);
}

/// The last receipt came at 99 ms; from a second later on, a request is used to look at the cloud.
fn decide_at(bencher: Bencher<'_, '_>, policy: PolicyName, qos: Qos, now: f64) {
    let measured = front();
    let front = PreparedFront::new(&measured);
    let (state, now) = (state(&front, &measured), Millis::saturating(now));
    bencher.bench_local(|| black_box(&front).decide(policy, black_box(&qos), black_box(&state), now));
}

#[divan::bench]
fn adaptive_nothing_within(bencher: Bencher<'_, '_>) {
    decide(bencher, PolicyName::Adaptive, qos(50.0));
}

#[divan::bench]
fn adaptive_half_way(bencher: Bencher<'_, '_>) {
    decide(bencher, PolicyName::Adaptive, qos(190.0));
}

/// One request a second while nothing is sent to the cloud: a second pass.
#[divan::bench]
fn adaptive_exploring(bencher: Bencher<'_, '_>) {
    decide_at(bencher, PolicyName::Adaptive, qos(190.0), 2_000.0);
}

#[divan::bench]
fn adaptive_with_floors(bencher: Bencher<'_, '_>) {
    let floors = Qos { accuracy_floor: Some(Share::saturating(0.6)), least_cut: Some(Cut(3)), ..qos(190.0) };
    decide(bencher, PolicyName::Adaptive, floors);
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

/// What a scheduler does besides deciding: taking note of the decision.
#[divan::bench]
fn commit(bencher: Bencher<'_, '_>) {
    let measured = front();
    let front = PreparedFront::new(&measured);
    let (mut state, now) = (state(&front, &measured), Millis::saturating(2_000.0));
    let decision = front.decide(PolicyName::Adaptive, &qos(190.0), &state, now).unwrap();
    bencher.bench_local(move || state.commit(black_box(&front), black_box(&decision), now));
}

/// What a scheduler does with a receipt.
#[divan::bench]
fn observe(bencher: Bencher<'_, '_>) {
    let measured = front();
    let front = PreparedFront::new(&measured);
    let mut state = state(&front, &measured);
    let seen = observation(&measured.points[50], 50);
    bencher.bench_local(move || state.observe(black_box(&front), black_box(&seen)));
}

/// Once a front, not once a request.
#[divan::bench]
fn preparing_the_front(bencher: Bencher<'_, '_>) {
    let front = front();
    bencher.bench_local(|| PreparedFront::new(black_box(&front)));
}
