use schemas::{Configuration, Cut, FaultKind, Joules, Millis, UnixMillis};

use super::*;
use crate::results::{Answer, Driven, Machine, PlacedEnergy, RESULTS_VERSION, RunKey};

fn manifest() -> Manifest {
    Manifest {
        results_version: RESULTS_VERSION,
        software: String::new(),
        command: String::new(),
        driven: Driven::Live,
        began_at: UnixMillis(0),
        ended_at: None,
        seed: 1,
        rounds: 1,
        settings: serde_json::Value::Null,
        machine: Machine::this(),
        services: Vec::new(),
        policies: vec![PolicyName::Adaptive, PolicyName::Cloud],
        models: Vec::new(),
        traces: Vec::new(),
        links: Vec::new(),
        fronts: Vec::new(),
        inputs: Vec::new(),
    }
}

fn record(policy: PolicyName, block: u32, request: u64, latency: f64, joules: Option<f64>) -> Record {
    let ms = |value| Millis::new(value).unwrap();
    let energy = joules.map(|joules| PlacedEnergy {
        place: Place::Edge,
        joules: Joules::new(joules).unwrap(),
        origin: Origin::Emulated,
    });
    let answer = Answer {
        id: None,
        gateway_ms: None,
        configuration: Configuration::at(Cut(1)),
        edge_accelerator: None,
        cloud_accelerator: None,
        side: Some(Side::Split),
        fallback: None,
        reason: None,
        front: None,
        label: None,
        correct: Some(latency < 100.0),
        accuracy: None,
        sent_bytes: None,
        stages: Vec::new(),
        energy: energy.into_iter().collect(),
    };
    Record {
        key: RunKey { run: 0, round: 0, block, policy, trace: "t".into(), link: None },
        model: ModelName::new("net").unwrap(),
        request,
        query: request,
        tenant: None,
        warm_up: false,
        scheduled_ms: ms(0.0),
        sent_ms: ms(0.0),
        at: UnixMillis(0),
        limit_ms: ms(100.0),
        latency_ms: ms(latency),
        service_ms: ms(latency),
        outcome: if latency <= 100.0 { Ending::Within } else { Ending::Late },
        answer: Some(answer),
    }
}

fn summary(records: Vec<Record>) -> Cell {
    let mut summary = Summary::of(&manifest(), records.into_iter().map(Ok)).unwrap();
    assert_eq!(summary.cells.len(), 1);
    summary.cells.remove(0)
}

#[test]
fn differences_are_taken_request_by_request() {
    let mut records = Vec::new();
    for request in 0..40 {
        let block = request as u32 / 2;
        let base = 50.0 + 10.0 * (request % 7) as f64;
        records.push(record(PolicyName::Adaptive, block, request, base, Some(1.0)));
        records.push(record(PolicyName::Cloud, block, request, base + 5.0, Some(1.5)));
    }
    // One that warmed up, and one that only one policy has.
    records.push(Record { warm_up: true, ..record(PolicyName::Cloud, 0, 0, 1e6, None) });
    records.push(record(PolicyName::Adaptive, 20, 99, 90.0, Some(1.0)));
    let cell = summary(records);
    assert_eq!((cell.blocks, cell.method), (21, Method::Bootstrap));
    let cloud = &cell.policies[1];
    let difference = cloud.difference.as_ref().unwrap();
    assert_eq!((difference.pairs, cloud.requests, cell.policies[0].requests), (40, 40, 41));
    // Latencies vary by 60 ms and the difference does not: pairs see through it.
    let latency = difference.latency_mean.unwrap();
    assert!((latency.value - 5.0).abs() < 1e-9 && latency.high.unwrap() - latency.low.unwrap() < 1e-9);
    assert!((difference.energy_percent.unwrap().value - 50.0).abs() < 1e-9);
    // 5 of 40 requests have 100 ms: within the limit under the one policy, not under the other.
    assert!((difference.within_points.value + 12.5).abs() < 1e-9);
    assert!(cell.policies[0].difference.is_none());
    assert_eq!(cloud.sides_percent, Some([0.0, 100.0, 0.0]));
}

#[test]
fn what_is_not_known_is_not_zero() {
    let mut failed = record(PolicyName::Adaptive, 1, 2, 300.0, None);
    failed.outcome = Ending::Failed { fault: FaultKind::Overloaded, message: String::new() };
    failed.answer = None;
    let cell = summary(vec![
        record(PolicyName::Adaptive, 0, 0, 50.0, Some(1.0)),
        record(PolicyName::Adaptive, 0, 1, 50.0, None),
        failed,
    ]);
    let [of] = cell.policies.as_slice() else { panic!("{cell:?}") };
    assert_eq!((of.energy, of.energy_by_place.len()), (None, 0));
    assert_eq!((of.requests, of.answered, of.failed.get("overloaded")), (3, 2, Some(&1)));
    assert!((of.within_percent.value - 200.0 / 3.0).abs() < 1e-9, "an error is a missed limit");
    assert_eq!(of.latency_mean.unwrap().value, 50.0);
    assert_eq!(cell.method, Method::Student);
}

#[test]
fn quantiles_are_by_nearest_rank() {
    let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
    for (quantile, expected) in [(0.5, 10.0), (0.95, 19.0), (0.99, 20.0), (0.0, 1.0)] {
        assert_eq!(quantile_of(values.clone(), quantile), Some(expected));
    }
    assert_eq!(quantile_of(Vec::new(), 0.5), None);
}
