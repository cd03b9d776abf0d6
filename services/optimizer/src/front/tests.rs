use schemas::{
    Accuracy, ByteCount, Configuration, Cut, Digest, EnergyEntry, EnergySource, Front, FrontId,
    HardwareChanges, Joules, LatencySummary, Measurement, Millis, ModelName, NodeId, Place, Provenance,
    Share, Suspicion, Uncertainty, UnixMillis,
};

use super::{Conflict, Judged, everything, judge, renewed, succeed};

const LAST_CUT: Cut = Cut(9);

/// A measurement of the three objectives alone; joules are given by place.
pub(crate) fn measurement(cut: u16, ms: f64, joules: &[(Place, f64)], accuracy: Option<f64>) -> Measurement {
    let mean = Millis::new(ms).unwrap();
    Measurement {
        configuration: Configuration::at(Cut(cut)),
        cut_name: format!("node {cut}"),
        latency: LatencySummary { mean_ms: mean, p50_ms: mean, p95_ms: mean, deviation_ms: Millis::ZERO },
        stages: Vec::new(),
        energy: joules
            .iter()
            .map(|&(place, joules)| EnergyEntry {
                place,
                source: EnergySource::Emulated,
                joules: Joules::new(joules).unwrap(),
            })
            .collect(),
        accuracy: accuracy.map(|share| Accuracy { share: Share::new(share).unwrap(), pictures: 10 }),
        sent_bytes: ByteCount(0),
        samples: 1,
        uncertainty: None,
        provenance: None,
    }
}

/// The places of the points among what was judged.
fn points_of(measurements: &[Measurement]) -> Vec<usize> {
    let Judged { points, .. } = judge(measurements, LAST_CUT);
    points.iter().map(|point| measurements.iter().position(|one| one == point).unwrap()).collect()
}

/// The same configuration twice is no case that a campaign can make.
fn distinct(measurements: Vec<Measurement>) -> Vec<Measurement> {
    let at = |(place, one): (usize, Measurement)| Measurement { cut_name: place.to_string(), ..one };
    measurements.into_iter().enumerate().map(at).collect()
}

#[test]
fn fronts_of_known_measurements() {
    use Place::{Cloud, Edge};
    struct Case {
        name: &'static str,
        measurements: Vec<Measurement>,
        front: Vec<usize>,
    }
    let cases = [
        Case { name: "nothing measured", measurements: vec![], front: vec![] },
        Case {
            name: "faster, thriftier, more accurate, and one that is beaten",
            measurements: vec![
                measurement(1, 10.0, &[(Edge, 5.0), (Cloud, 1.0)], Some(0.8)),
                measurement(2, 20.0, &[(Edge, 2.0), (Cloud, 1.0)], Some(0.8)),
                measurement(3, 30.0, &[(Edge, 6.0), (Cloud, 1.0)], Some(0.9)),
                measurement(4, 30.0, &[(Edge, 6.0), (Cloud, 1.0)], Some(0.8)),
            ],
            front: vec![0, 1, 2],
        },
        Case {
            name: "equal ones stay both",
            measurements: vec![
                measurement(1, 10.0, &[(Edge, 5.0)], None),
                measurement(2, 10.0, &[(Edge, 5.0)], None),
            ],
            front: vec![0, 1],
        },
        Case {
            name: "where nobody knows energy and accuracy, only latency decides",
            measurements: vec![measurement(1, 10.0, &[], None), measurement(2, 20.0, &[], None)],
            front: vec![0],
        },
        Case {
            name: "unknown energy is not zero",
            measurements: vec![
                measurement(1, 10.0, &[(Edge, 5.0)], None),
                measurement(2, 20.0, &[], None),
                measurement(3, 5.0, &[], None),
            ],
            front: vec![0, 2],
        },
        Case {
            name: "joules without the cloud's share are not set against joules with it",
            measurements: vec![
                measurement(0, 10.0, &[(Edge, 1.0), (Cloud, 9.0)], None),
                measurement(1, 10.0, &[(Edge, 2.0)], None),
            ],
            front: vec![0],
        },
        Case {
            name: "everything on the edge has no cloud share to report",
            measurements: vec![
                measurement(0, 10.0, &[(Edge, 1.0), (Cloud, 9.0)], None),
                measurement(LAST_CUT.0, 20.0, &[(Edge, 5.0)], None),
            ],
            front: vec![0, 1],
        },
        Case {
            name: "where no cloud reports energy, that of the edge alone decides",
            measurements: vec![
                measurement(0, 10.0, &[(Edge, 1.0)], None),
                measurement(LAST_CUT.0, 20.0, &[(Edge, 5.0)], None),
            ],
            front: vec![0],
        },
    ];
    for case in cases {
        assert_eq!(points_of(&distinct(case.measurements)), case.front, "{}", case.name);
    }
}

fn unsure(one: Measurement, half_ms: f64) -> Measurement {
    let estimate = one.latency.mean_ms;
    let half = Millis::saturating(half_ms);
    let uncertainty = Uncertainty {
        quantile: Share::saturating(0.95),
        estimate_ms: estimate,
        low_ms: estimate - half,
        high_ms: estimate + half,
        energy_deviation_j: None,
        outliers: 0,
    };
    Measurement { uncertainty: Some(uncertainty), ..one }
}

pub(crate) fn provenance(last_at: u64, suspicions: Vec<Suspicion>) -> Option<Provenance> {
    let node = NodeId::new("pi").unwrap();
    Some(Provenance {
        first_at: UnixMillis(0),
        last_at: UnixMillis(last_at),
        software: "test".into(),
        edge: node.clone(),
        cloud: node,
        hardware: None,
        expected: None,
        measured_again: false,
        suspicions,
    })
}

fn cuts(measurements: &[Measurement]) -> Vec<u16> {
    measurements.iter().map(|one| one.configuration.cut.0).collect()
}

#[test]
fn what_is_worse_only_within_noise_is_tied_and_a_suspect_beats_nobody() {
    let edge = |joules| [(Place::Edge, joules)];
    let suspect = Measurement {
        provenance: provenance(0, vec![Suspicion::HeadIgnoresClock]),
        ..measurement(4, 1.0, &edge(0.5), None)
    };
    let measurements = [
        unsure(measurement(1, 100.0, &edge(1.0), None), 5.0),
        unsure(measurement(2, 104.0, &edge(1.0), None), 5.0),
        unsure(measurement(3, 120.0, &edge(1.0), None), 5.0),
        suspect,
        Measurement {
            provenance: provenance(0, vec![Suspicion::StagesDoNotAddUp]),
            ..measurement(5, 900.0, &edge(9.0), None)
        },
    ];
    let Judged { points, tied, suspects } = judge(&measurements, LAST_CUT);
    assert_eq!((cuts(&points), cuts(&tied), cuts(&suspects)), (vec![1], vec![2], vec![4]));
}

pub(crate) fn front(points: Vec<Measurement>, started_at: u64, ended_at: u64) -> Front {
    Front {
        id: FrontId::fresh(),
        revision: 4,
        model: ModelName::new("tiny").unwrap(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: LAST_CUT,
        edge: NodeId::new("pi").unwrap(),
        emulates: None,
        cloud: NodeId::new("rack").unwrap(),
        all_cloud: measurement(0, 500.0, &[], None),
        all_edge: measurement(LAST_CUT.0, 900.0, &[], None),
        points,
        tied: Vec::new(),
        suspects: Vec::new(),
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: 9,
        started_at: UnixMillis(started_at),
        ended_at: UnixMillis(ended_at),
        software: "test".into(),
        content: None,
    }
}

#[test]
fn a_front_follows_what_is_published() {
    let timed =
        |cut, ms, at| Measurement { provenance: provenance(at, vec![]), ..measurement(cut, ms, &[], None) };
    let ours = front(vec![timed(3, 50.0, 150)], 100, 200);
    assert_eq!(succeed(ours.clone(), None).unwrap(), ours);

    let before = front(vec![timed(2, 40.0, 80)], 10, 90);
    let next = succeed(ours.clone(), Some(&before)).unwrap();
    assert_eq!(
        (next.revision, cuts(&next.points)),
        (5, vec![3]),
        "what is older than the campaign is replaced"
    );

    // Somebody else measured cut 2, faster, and cut 3, later and slower, meanwhile.
    let meanwhile = front(vec![timed(2, 40.0, 160), timed(3, 60.0, 170)], 110, 190);
    let next = succeed(ours.clone(), Some(&meanwhile)).unwrap();
    assert_eq!((next.revision, cuts(&next.points)), (5, vec![2]));
    assert!(next.id != ours.id && next.id != meanwhile.id, "it is neither of the two");
    assert!(everything(&next).all(|one| one.configuration.cut != Cut(3)));

    let other_file = Front { digest: Digest::from_bytes([2; 32]), ..meanwhile };
    let conflict = succeed(ours.clone(), Some(&other_file)).unwrap_err();
    assert!(matches!(conflict, Conflict::OtherFile { .. }));
    assert!(conflict.to_string().contains("another file of tiny"), "{conflict}");
    let older = Front { ended_at: UnixMillis(90), ..other_file };
    assert_eq!(succeed(ours, Some(&older)).unwrap().revision, 5, "that is what measuring anew is for");
}

#[test]
fn a_renewed_front_holds_what_was_measured_again() {
    let edge = |joules| [(Place::Edge, joules)];
    let timed = |cut, ms, joules, at| Measurement {
        provenance: provenance(at, vec![]),
        ..measurement(cut, ms, &edge(joules), None)
    };
    let mut old =
        front(vec![timed(2, 40.0, 5.0, 10), timed(3, 50.0, 3.0, 10), timed(4, 60.0, 2.0, 10)], 0, 20);
    old.all_cloud = timed(0, 30.0, 9.0, 10);
    old.all_edge = timed(LAST_CUT.0, 90.0, 1.0, 10);
    // Cut 3 became slower than cut 4.
    let next = renewed(&old, &[timed(3, 70.0, 3.0, 30)], &[], UnixMillis(25)).unwrap();
    assert_eq!(cuts(&next.points), [0, LAST_CUT.0, 2, 4]);
    assert_eq!(
        (next.all_cloud.clone(), next.all_edge.clone()),
        (old.all_cloud.clone(), old.all_edge.clone())
    );
    assert!(next.id != old.id && next.started_at == UnixMillis(25));
    // A baseline that was measured again is the new one.
    let again = timed(0, 35.0, 9.0, 30);
    let next = renewed(&old, std::slice::from_ref(&again), &[], UnixMillis(25)).unwrap();
    assert_eq!(next.all_cloud, again);
    // What cannot be measured any more is no point; without a baseline there is no front.
    let lost = renewed(&old, &[], &[Configuration::at(Cut(2))], UnixMillis(25)).unwrap();
    assert!(everything(&lost).all(|one| one.configuration.cut != Cut(2)));
    assert_eq!(renewed(&old, &[], &[Configuration::at(Cut(0))], UnixMillis(25)), None);
}
