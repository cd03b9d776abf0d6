//! Floors: kept, or the request refused.

use policy::NoPlan;
use policy::{Cloud, Point, Refusal};
use schemas::{Cut, FaultKind, PlanReason, PolicyName, Qos, Share};

use crate::fronts::{LAST, limit, measurement, prepared};

fn floors(latency: f64, accuracy: Option<f64>, least_cut: Option<u16>) -> Qos {
    Qos {
        accuracy_floor: accuracy.map(|share| Share::new(share).unwrap()),
        least_cut: least_cut.map(Cut),
        ..limit(latency)
    }
}

fn front() -> policy::PreparedFront {
    prepared(vec![
        measurement("cheap", 2, 300.0, Some(1.0), Some(0.60)),
        measurement("middle", 5, 200.0, Some(2.0), Some(0.70)),
        measurement("unlabelled", 9, 150.0, Some(3.0), None),
        measurement("dear", 7, 100.0, Some(4.0), Some(0.75)),
    ])
}

#[test]
fn floors_take_points_away() {
    for (qos, point, reason) in [
        (floors(350.0, None, None), Point::OfFront(0), PlanReason::LeastEnergyWithinLimit),
        (floors(350.0, Some(0.7), None), Point::OfFront(1), PlanReason::LeastEnergyWithinLimit),
        (floors(350.0, None, Some(6)), Point::OfFront(2), PlanReason::LeastEnergyWithinLimit),
        (floors(350.0, Some(0.1), Some(6)), Point::OfFront(3), PlanReason::LeastEnergyWithinLimit),
        (floors(10.0, Some(0.7), None), Point::OfFront(3), PlanReason::FastestBecauseNoneWithinLimit),
        // Beyond every point of the front: the anchors, although they are dominated.
        (floors(350.0, Some(0.8), None), Point::AllEdge, PlanReason::FastestBecauseNoneWithinLimit),
        (floors(850.0, Some(0.8), None), Point::AllEdge, PlanReason::LeastEnergyWithinLimit),
        (floors(350.0, Some(0.9), None), Point::AllCloud, PlanReason::FastestBecauseNoneWithinLimit),
        (floors(350.0, None, Some(10)), Point::AllEdge, PlanReason::FastestBecauseNoneWithinLimit),
    ] {
        let decision = front().decide_by_front(PolicyName::Dynasplit, &qos, Cloud::Present).unwrap();
        assert_eq!((decision.point, decision.reason), (point, reason), "{qos:?}");
    }
}

#[test]
fn baselines_keep_floors_too() {
    let decide = |policy, qos: &Qos| front().decide_by_front(policy, qos, Cloud::Present);
    assert_eq!(decide(PolicyName::Energy, &floors(1.0, Some(0.7), None)).unwrap().point, Point::OfFront(1));
    assert_eq!(decide(PolicyName::Latency, &floors(1.0, None, Some(8))).unwrap().point, Point::OfFront(2));
    assert_eq!(
        decide(PolicyName::Cloud, &floors(1.0, None, Some(1))),
        Err(Refusal::CloudForbidden { least_cut: Cut(1) })
    );
    assert_eq!(decide(PolicyName::Cloud, &floors(1.0, None, Some(0))).unwrap().point, Point::AllCloud);
    assert!(decide(PolicyName::Edge, &floors(1.0, Some(0.9), None)).is_err());
}

#[test]
fn a_floor_that_nothing_keeps_is_refused_with_the_best_there_is() {
    let share = |value| Share::new(value).unwrap();
    let refused = |cloud| {
        front().decide_by_front(PolicyName::Dynasplit, &floors(350.0, Some(0.95), None), cloud).unwrap_err()
    };
    assert_eq!(
        refused(Cloud::Present),
        Refusal::AccuracyFloorUnmet { floor: share(0.95), best: Some(share(0.9)), cloud: Cloud::Present }
    );
    assert_eq!(
        refused(Cloud::Absent),
        Refusal::AccuracyFloorUnmet { floor: share(0.95), best: Some(share(0.8)), cloud: Cloud::Absent }
    );
    let fault = |refusal| NoPlan::Refused(refusal).to_fault();
    assert_eq!(fault(refused(Cloud::Present)).kind, FaultKind::Unsupported);
    // With the cloud back, another configuration may reach it.
    assert_eq!(fault(refused(Cloud::Absent)).kind, FaultKind::Unavailable);
    assert!(fault(refused(Cloud::Present)).message.contains("0.9"));
}

#[test]
fn a_least_cut_beyond_the_network_is_a_bad_request() {
    let refusal = front()
        .decide_by_front(PolicyName::Dynasplit, &floors(350.0, None, Some(LAST.0 + 1)), Cloud::Present)
        .unwrap_err();
    assert_eq!(NoPlan::Refused(refusal).to_fault().kind, FaultKind::BadRequest);
}
