use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use schemas::{
    Accuracy, ByteCount, Configuration, Cut, EnergyEntry, EnergySource, Joules, LatencySummary, Measurement,
    Millis, Place, Share,
};

use super::{dominates, non_dominated, objectives};

const LAST_CUT: Cut = Cut(9);

/// A measurement of the three objectives alone; joules are given by place.
fn measurement(cut: u16, ms: f64, joules: &[(Place, f64)], accuracy: Option<f64>) -> Measurement {
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
        assert_eq!(non_dominated(&case.measurements, LAST_CUT), case.front, "{}", case.name);
    }
}

fn measured() -> impl Strategy<Value = Vec<Measurement>> {
    // Few distinct values, so that ties and domination in some objectives only are common.
    let joules = |place| prop::option::of(0_u8..4).prop_map(move |j| j.map(|j| (place, f64::from(j))));
    let accuracy = prop::option::of((0_u8..4).prop_map(|share| f64::from(share) / 4.0));
    let one = (0..=LAST_CUT.0, any::<u8>(), joules(Place::Edge), joules(Place::Cloud), accuracy).prop_map(
        |(cut, ms, edge, cloud, accuracy)| {
            let joules: Vec<_> = edge.into_iter().chain(cloud).collect();
            measurement(cut, f64::from(ms % 8), &joules, accuracy)
        },
    );
    prop::collection::vec(one, 0..40)
}

proptest! {
    #[test]
    fn no_point_of_the_front_is_dominated_and_every_excluded_one_is(measurements in measured()) {
        let front = non_dominated(&measurements, LAST_CUT);
        let objectives = objectives(&measurements, LAST_CUT);
        for index in 0..measurements.len() {
            let by_front = front.iter().any(|&point| dominates(&objectives[point], &objectives[index]));
            prop_assert_eq!(by_front, !front.contains(&index));
        }
        prop_assert_eq!(front.is_empty(), measurements.is_empty());
    }

    #[test]
    fn the_front_is_in_the_order_of_measuring(measurements in measured()) {
        prop_assert!(non_dominated(&measurements, LAST_CUT).is_sorted());
    }
}
