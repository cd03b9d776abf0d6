use schemas::{
    Configuration, Cut, EnergyEntry, EnergySource, FrontId, InstanceId, Joules, Millis, ModelName, NodeId,
    Outcome, Place, Presence, Receipt, RequestId, ServiceKind, ServiceState, Stage, StageTime, TimeSource,
    UnixMillis,
};

use super::{FRONTS, LATEST, Receipts};
use crate::front::tests::front;

/// A request that ran: 12 ms on the edge, 3 on the wire, 4 in the cloud, and what is not of the configuration.
pub(crate) fn receipt(edge: &str, cloud: Option<&str>) -> Receipt {
    let stage = |stage, place, ms: f64| StageTime {
        stage,
        place,
        time_ms: Millis::new(ms).unwrap(),
        source: TimeSource::Measured,
    };
    Receipt {
        outcome: Outcome::Within,
        latency_ms: Millis::new(60.0).unwrap(),
        planned: Some(Configuration::at(Cut(3))),
        executed: Some(Configuration::at(Cut(3))),
        edge: Some(InstanceId::new(edge).unwrap()),
        cloud: cloud.map(|cloud| InstanceId::new(cloud).unwrap()),
        stages: vec![
            stage(Stage::Plan, Place::Edge, 1.0),
            stage(Stage::HardwareChange, Place::Edge, 7.0),
            stage(Stage::Queue, Place::Edge, 20.0),
            stage(Stage::Preprocess, Place::Edge, 2.0),
            stage(Stage::Head, Place::Edge, 10.0),
            stage(Stage::Transfer, Place::Wire, 3.0),
            stage(Stage::Queue, Place::Cloud, 9.0),
            stage(Stage::Tail, Place::Cloud, 4.0),
        ],
        energy: vec![EnergyEntry {
            place: Place::Edge,
            source: EnergySource::Emulated,
            joules: Joules::new(1.0).unwrap(),
        }],
        ..Receipt::opened(
            RequestId::fresh(),
            ModelName::new("tiny").unwrap(),
            NodeId::new("door").unwrap(),
            UnixMillis(0),
        )
    }
}

fn presence(service: ServiceKind, instance: &str, node: &str) -> Presence {
    Presence {
        service,
        instance: InstanceId::new(instance).unwrap(),
        node: NodeId::new(node).unwrap(),
        version: "test".into(),
        state: ServiceState::Ready,
        credits: 1,
        capacity: 1,
        models: Vec::new(),
        hardware: None,
        at: UnixMillis(0),
    }
}

fn presences() -> Vec<Presence> {
    vec![
        presence(ServiceKind::EdgeExecutor, "edge1", "pi"),
        presence(ServiceKind::EdgeExecutor, "edge2", "jetson"),
        presence(ServiceKind::CloudExecutor, "cloud1", "rack"),
        presence(ServiceKind::CloudExecutor, "cloud2", "shed"),
    ]
}

#[test]
fn a_front_is_judged_on_its_own_machines() {
    // On pi and rack.
    let front = front(Vec::new(), 0, 1);
    let mut receipts = Receipts::default();
    let of_front = |edge, cloud| Receipt { front: Some(front.id), ..receipt(edge, cloud) };
    let told = [
        of_front("edge1", Some("cloud1")),
        of_front("edge1", None),
        of_front("edge1", Some("cloud2")),
        of_front("edge2", Some("cloud1")),
        of_front("edge9", Some("cloud1")),
        of_front("edge1", Some("cloud9")),
        receipt("edge1", Some("cloud1")),
        Receipt { front: Some(FrontId::fresh()), ..receipt("edge1", Some("cloud1")) },
    ];
    told.iter().for_each(|one| receipts.note(one, &presences()));
    assert_eq!(receipts.of(&front, &Configuration::at(Cut(3))).len(), 2);
    assert!(receipts.of(&front, &Configuration::at(Cut(4))).is_empty());
}

#[test]
fn the_latest_are_kept() {
    let front = front(Vec::new(), 0, 1);
    let mut receipts = Receipts::default();
    let one = Receipt { front: Some(front.id), ..receipt("edge1", None) };
    for _ in 0..3 * LATEST {
        receipts.note(&one, &presences());
    }
    assert_eq!(receipts.count(&front), (LATEST, 1));
    for _ in 0..2 * FRONTS {
        receipts.note(&Receipt { front: Some(FrontId::fresh()), ..one.clone() }, &presences());
    }
    assert!(receipts.of_fronts.len() <= FRONTS && receipts.heard.len() <= FRONTS);
    assert_eq!(receipts.count(&front), (0, 0));
}
