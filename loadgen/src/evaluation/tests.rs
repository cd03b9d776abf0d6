use schemas::{
    Classification, Configuration, EnergyEntry, Fault, FaultKind, InferReply, ModelName, Place, RequestId,
};

use super::*;

const LAST: Cut = Cut(9);

fn record(cut: u16, latency: f64, joules: Option<f64>, class: Option<u32>) -> Record {
    let limit = Millis::new(100.0).unwrap();
    let latency = Millis::new(latency).unwrap();
    let energy = joules.map(|joules| EnergyEntry {
        place: Place::Edge,
        source: EnergySource::Emulated,
        joules: Joules::new(joules).unwrap(),
    });
    let reply = InferReply {
        id: RequestId::fresh(),
        model: ModelName::new("m").unwrap(),
        top: vec![Classification { index: 3, label: "x".into(), probability: Share::ZERO }],
        latency_ms: latency,
        within_limit: latency <= limit,
        limit_ms: limit,
        configuration: Configuration::at(Cut(cut)),
        fallback: None,
        policy: PolicyName::Dynasplit,
        reason: None,
        front: None,
        stages: vec![],
        energy: energy.into_iter().collect(),
    };
    Record { limit, class, outcome: Ok(reply) }
}

fn failed() -> Record {
    Record {
        limit: Millis::new(100.0).unwrap(),
        class: Some(3),
        outcome: Err(Fault::new(FaultKind::Unavailable, "nobody there")),
    }
}

#[test]
fn a_failed_request_misses_its_limit_and_counts_nowhere_else() {
    let records = [record(0, 50.0, Some(2.0), Some(3)), record(9, 150.0, Some(4.0), Some(4)), failed()];
    let row = Evaluation::of(PolicyName::Dynasplit, &records, LAST);
    assert_eq!((row.requests, row.answered), (3, 2));
    assert!((row.within.get() - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(row.energy.unwrap().mean_j, Joules::new(3.0).unwrap());
    assert_eq!(row.accuracy, Some(Share::new(0.5).unwrap()));
}

#[test]
fn places_are_told_apart_by_the_cut_that_ran() {
    let records: Vec<_> = [0, 4, 5, 9].map(|cut| record(cut, 1.0, None, None)).into();
    let shares = Evaluation::of(PolicyName::Edge, &records, LAST).shares.unwrap();
    assert_eq!((shares.cloud.get(), shares.split.get(), shares.edge.get()), (0.25, 0.5, 0.25));
}

#[test]
fn unknown_joules_are_not_zero() {
    let records = [record(0, 1.0, Some(1.0), None), record(0, 1.0, None, None)];
    assert_eq!(Evaluation::of(PolicyName::Cloud, &records, LAST).energy, None);
}

#[test]
fn quantiles_are_by_nearest_rank() {
    let records: Vec<_> = (1..=20).map(|ms| record(0, f64::from(ms), None, None)).collect();
    let row = Evaluation::of(PolicyName::Latency, &records, LAST);
    assert_eq!(row.latency_p50_ms, Some(Millis::new(10.0).unwrap()));
    assert_eq!(row.latency_p95_ms, Some(Millis::new(19.0).unwrap()));
}

#[test]
fn nothing_answered_has_no_figures() {
    let row = Evaluation::of(PolicyName::Latency, &[failed()], LAST);
    assert_eq!((row.latency_p50_ms, row.shares, row.accuracy, row.energy), (None, None, None, None));
    assert_eq!(row.within, Share::ZERO);
    let empty = Evaluation::of(PolicyName::Latency, &[], LAST);
    assert_eq!((empty.requests, empty.within), (0, Share::ZERO));
}
