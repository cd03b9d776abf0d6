use std::sync::Arc;

use proptest::prelude::*;
use schemas::{
    ByteCount, Configuration, Cut, Digest, EdgeOutlook, EnergyEntry, EnergySource, FaultKind, Front, FrontId,
    HardwareChanges, InstanceId, Joules, LatencySummary, Measurement, Millis, ModelName, NodeId, Outcome,
    Place, PolicyChoice, PolicyName, Qos, Receipt, RequestId, SchedulerReport, UnixMillis,
};
use watch::GREATEST_WINDOW;

use super::shapes::Spent;
use super::{GREATEST_BATCH, Live, REMEMBERED, SECONDS};

const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

fn after(ms: u64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

fn ms(value: f64) -> Millis {
    Millis::new(value).unwrap()
}

fn receipt(outcome: Outcome, latency: f64, energy: &[(Place, EnergySource, f64)]) -> Receipt {
    let entry = |&(place, source, joules): &(Place, EnergySource, f64)| EnergyEntry {
        place,
        source,
        joules: Joules::new(joules).unwrap(),
    };
    Receipt {
        outcome,
        qos: Some(Qos::within(ms(200.0))),
        latency_ms: ms(latency),
        executed: Some(Configuration::at(Cut(2))),
        edge: Some(InstanceId::new("e1").unwrap()),
        energy: energy.iter().map(entry).collect(),
        ..Receipt::opened(
            RequestId::fresh(),
            ModelName::new("tiny").unwrap(),
            NodeId::new("pi").unwrap(),
            NOW,
        )
    }
}

fn measurement(cut: u16) -> Measurement {
    let latency =
        LatencySummary { mean_ms: ms(9.0), p50_ms: ms(9.0), p95_ms: ms(9.0), deviation_ms: Millis::ZERO };
    Measurement {
        configuration: Configuration::at(Cut(cut)),
        cut_name: "x".repeat(1_000),
        latency,
        stages: Vec::new(),
        energy: Vec::new(),
        accuracy: None,
        sent_bytes: ByteCount(0),
        samples: 1,
        uncertainty: None,
        provenance: None,
    }
}

fn front(cuts: &[u16]) -> Front {
    Front {
        id: FrontId::fresh(),
        revision: 1,
        model: ModelName::new("tiny").unwrap(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: Cut(4),
        edge: NodeId::new("pi").unwrap(),
        emulates: None,
        cloud: NodeId::new("rack").unwrap(),
        points: cuts.iter().map(|cut| measurement(*cut)).collect(),
        tied: Vec::new(),
        suspects: Vec::new(),
        all_cloud: measurement(0),
        all_edge: measurement(4),
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: 5,
        started_at: NOW,
        ended_at: NOW,
        software: "test".to_owned(),
        content: None,
    }
}

#[test]
fn the_minute_and_the_total_are_told_apart() {
    let mut live = Live::new(NOW);
    let joules = [(Place::Edge, EnergySource::Measured, 1.0), (Place::Cloud, EnergySource::Modelled, 3.0)];
    for latency in [10.0, 30.0, 20.0] {
        live.hear(&receipt(Outcome::Within, latency, &joules), after(1_000));
    }
    live.hear(&receipt(Outcome::Failed(FaultKind::Overloaded), 1.0, &[]), after(2_000));
    let state = live.state(&[], true, after(2_500));
    assert_eq!((state.total.within, state.total.failed), (3, 1));
    let minute = &state.minute;
    assert_eq!((minute.seconds, minute.p50_ms, minute.p95_ms), (2.5, Some(ms(20.0)), Some(ms(30.0))));
    assert_eq!(minute.priced, 3, "a failed one says no joules, which is not zero joules");
    let spent = |place, source, joules| Spent { place, source, joules };
    let expected =
        [spent(Place::Edge, EnergySource::Measured, 3.0), spent(Place::Cloud, EnergySource::Modelled, 9.0)];
    assert_eq!(minute.joules, expected);
    assert_eq!(state.seconds, [[0; 3], [3, 0, 0], [0, 0, 1]]);

    let later = live.state(&[], true, after(70_000));
    assert_eq!((later.total, later.minute.counts.within, later.minute.p50_ms), (state.total, 0, None));
    assert_eq!((later.minute.seconds, later.total_joules.len()), (60.0, 2));
}

#[test]
fn a_request_says_which_mark_of_its_front_ran() {
    let mut live = Live::new(NOW);
    let known = Arc::new(front(&[3, 2]));
    assert!(live.know(vec![known.clone()]));
    assert!(!live.know(vec![known.clone()]), "nothing is new");
    let ran = |cut, front| Receipt {
        executed: Some(Configuration::at(Cut(cut))),
        front: Some(front),
        ..receipt(Outcome::Within, 5.0, &[])
    };
    for (cut, front, mark) in [
        (2, known.id, Some(1)),
        (0, known.id, Some(2)),
        (4, known.id, Some(3)),
        (1, known.id, None),
        (2, FrontId::fresh(), None),
    ] {
        live.hear(&ran(cut, front), NOW);
        let (batch, left_out) = live.take_batch().unwrap();
        assert_eq!((batch[0].mark, left_out), (mark, 0), "cut {cut}");
    }
    let told = live.fronts();
    assert_eq!((told[0].marks.len(), told[0].marks[0].cut_name.len()), (4, 96));
    assert!(live.know(Vec::new()));
}

#[test]
fn a_scheduler_that_falls_silent_is_forgotten() {
    let mut live = Live::new(NOW);
    let outlook = EdgeOutlook {
        edge: InstanceId::new("e1").unwrap(),
        model: ModelName::new("tiny").unwrap(),
        front: FrontId::fresh(),
        link_base_ms: ms(2.5),
        link_mbit: Some(f64::NAN),
        link_age_ms: None,
        clock_khz: None,
    };
    live.report(SchedulerReport {
        scheduler: InstanceId::new("s1").unwrap(),
        choice: PolicyChoice { policy: PolicyName::Adaptive, shadow: None },
        regret: None,
        edges: vec![outlook],
        samples: Vec::new(),
        at: NOW,
    });
    let state = live.state(&[], true, after(1_000));
    assert_eq!((state.links.len(), state.links[0].mbit), (1, None), "what is no number is not told");
    assert!(state.policy.is_some());
    let state = live.state(&[], true, after(6_000));
    assert!(state.links.is_empty() && state.policy.is_none());
}

#[test]
fn memory_is_bounded_however_much_is_heard() {
    let mut live = Live::new(NOW);
    let count = GREATEST_WINDOW + 500;
    for _ in 0..count {
        live.hear(&receipt(Outcome::Late, 5.0, &[]), after(30_000));
    }
    assert_eq!((live.recent.iter().count(), live.remembered.len()), (GREATEST_WINDOW, REMEMBERED));
    let (batch, left_out) = live.take_batch().unwrap();
    assert_eq!((batch.len(), batch.len() + left_out as usize), (GREATEST_BATCH, count));
    assert!(live.take_batch().is_none());
    let state = live.state(&[], true, after(31_000));
    assert_eq!(state.minute.seconds, 1.0, "the window is only as long as what is kept of it");
    assert_eq!(live.state(&[], true, after(999_000_000)).seconds.len(), SECONDS);
}

proptest! {
    /// A clock that is set back neither panics nor loses a request.
    #[test]
    fn any_clock_will_do(times in prop::collection::vec(0_u64..400_000, 1..100)) {
        let mut live = Live::new(after(200_000));
        for time in &times {
            live.hear(&receipt(Outcome::Within, 5.0, &[]), after(*time));
        }
        let state = live.state(&[], true, after(times[0]));
        prop_assert_eq!(state.total.within, times.len() as u64);
        prop_assert!(state.seconds.len() <= SECONDS);
    }
}
