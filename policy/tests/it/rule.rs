//! The paper's rule and the baselines, case by case.

use policy::{Cloud, Point};
use schemas::{Measurement, PlanReason, PolicyName};

use crate::fronts::{LAST, limit, measurement, prepared};

struct Case {
    name: &'static str,
    /// Cut, latency, energy, accuracy.
    points: &'static [(u16, f64, Option<f64>, Option<f64>)],
    limit: f64,
    chosen: usize,
    reason: PlanReason,
}

const WITHIN: PlanReason = PlanReason::LeastEnergyWithinLimit;
const FASTEST: PlanReason = PlanReason::FastestBecauseNoneWithinLimit;

const CASES: &[Case] = &[
    Case {
        name: "the least energy within the limit, whatever the front's order",
        points: &[(3, 50.0, Some(9.0), None), (4, 100.0, Some(2.0), None), (5, 80.0, Some(5.0), None)],
        limit: 90.0,
        chosen: 2,
        reason: WITHIN,
    },
    Case {
        name: "the limit is inclusive",
        points: &[(3, 50.0, Some(9.0), None), (4, 100.0, Some(2.0), None)],
        limit: 100.0,
        chosen: 1,
        reason: WITHIN,
    },
    Case {
        name: "just above the limit is outside",
        points: &[(3, 50.0, Some(9.0), None), (4, 100.0, Some(2.0), None)],
        limit: 99.999_999,
        chosen: 0,
        reason: WITHIN,
    },
    Case {
        name: "nothing within the limit: the fastest",
        points: &[(3, 50.0, Some(9.0), None), (4, 100.0, Some(2.0), None)],
        limit: 49.0,
        chosen: 0,
        reason: FASTEST,
    },
    Case {
        name: "equally fast and nothing within: the first by energy, since the comparison is strict",
        points: &[(3, 50.0, Some(9.0), None), (4, 50.0, Some(2.0), None), (5, 50.0, Some(2.5), None)],
        limit: 1.0,
        chosen: 1,
        reason: FASTEST,
    },
    Case {
        name: "equal energy: the more accurate",
        points: &[(3, 50.0, Some(2.0), Some(0.6)), (4, 50.0, Some(2.0), Some(0.7))],
        limit: 100.0,
        chosen: 1,
        reason: WITHIN,
    },
    Case {
        name: "equal energy: an unknown accuracy comes after zero",
        points: &[(3, 50.0, Some(2.0), None), (4, 50.0, Some(2.0), Some(0.0))],
        limit: 100.0,
        chosen: 1,
        reason: WITHIN,
    },
    Case {
        name: "equal in both: the front's order",
        points: &[(3, 70.0, Some(2.0), Some(0.6)), (4, 50.0, Some(2.0), Some(0.6))],
        limit: 100.0,
        chosen: 0,
        reason: WITHIN,
    },
    Case {
        name: "no energy known: the fastest within the limit",
        points: &[(3, 70.0, None, None), (4, 50.0, None, None), (5, 60.0, None, None)],
        limit: 100.0,
        chosen: 1,
        reason: WITHIN,
    },
    Case {
        name: "an unknown energy comes after every known one",
        points: &[(3, 10.0, None, None), (4, 50.0, Some(1e6), None)],
        limit: 100.0,
        chosen: 1,
        reason: WITHIN,
    },
    Case {
        name: "but is taken when it alone is within the limit",
        points: &[(3, 10.0, None, None), (4, 50.0, Some(1e6), None)],
        limit: 20.0,
        chosen: 0,
        reason: WITHIN,
    },
    Case { name: "one point", points: &[(3, 10.0, Some(1.0), None)], limit: 0.0, chosen: 0, reason: FASTEST },
];

fn points(case: &Case) -> Vec<Measurement> {
    case.points
        .iter()
        .map(|(cut, latency, energy, accuracy)| measurement("p", *cut, *latency, *energy, *accuracy))
        .collect()
}

#[test]
fn the_papers_rule() {
    let mut failed = Vec::new();
    for case in CASES {
        let decision = prepared(points(case))
            .decide_by_front(PolicyName::Dynasplit, &limit(case.limit), Cloud::Present)
            .unwrap();
        if (decision.point, decision.reason) != (Point::OfFront(case.chosen), case.reason) {
            failed.push(format!("{}: {:?} {:?}", case.name, decision.point, decision.reason));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn baselines_do_not_look_at_the_limit() {
    let front = prepared(vec![
        measurement("fast", 3, 50.0, Some(9.0), None),
        measurement("cheap", 4, 100.0, Some(2.0), None),
        measurement("as fast, cheaper", 5, 50.0, Some(8.0), None),
    ]);
    for (policy, point) in [
        (PolicyName::Cloud, Point::AllCloud),
        (PolicyName::Edge, Point::AllEdge),
        (PolicyName::Latency, Point::OfFront(2)),
        (PolicyName::Energy, Point::OfFront(1)),
    ] {
        for latency in [0.0, 60.0, 1e9] {
            let decision = front.decide_by_front(policy, &limit(latency), Cloud::Present).unwrap();
            assert_eq!((decision.point, decision.reason), (point, PlanReason::Fixed), "{policy} {latency}");
        }
    }
}

#[test]
fn a_decision_promises_what_was_measured() {
    let front = prepared(vec![measurement("p", 3, 50.5, Some(9.25), None)]);
    let decision = front.decide_by_front(PolicyName::Dynasplit, &limit(60.0), Cloud::Present).unwrap();
    assert_eq!(decision.latency_ms.get(), 50.5);
    assert_eq!(decision.energy_j.map(|joules| joules.get()), Some(9.25));
    assert_eq!(decision.configuration.cut.0, 3);
}

#[test]
fn a_front_without_points_decides_among_its_anchors() {
    let front = prepared(Vec::new());
    let decide = |policy| front.decide_by_front(policy, &limit(850.0), Cloud::Present).unwrap();
    assert_eq!(decide(PolicyName::Dynasplit).point, Point::AllEdge);
    assert_eq!(decide(PolicyName::Energy).point, Point::AllEdge);
    assert_eq!(decide(PolicyName::Cloud).point, Point::AllCloud);
}

#[test]
fn without_a_cloud_everything_runs_on_the_edge() {
    let front = prepared(vec![
        measurement("split", 3, 50.0, Some(1.0), None),
        measurement("slow clock", LAST.0, 700.0, Some(2.0), None),
        measurement("fast clock", LAST.0, 400.0, Some(3.0), None),
    ]);
    for (policy, latency, point) in [
        (PolicyName::Dynasplit, 750.0, Point::OfFront(1)),
        (PolicyName::Dynasplit, 500.0, Point::OfFront(2)),
        (PolicyName::Dynasplit, 10.0, Point::OfFront(2)),
        (PolicyName::Latency, 750.0, Point::OfFront(2)),
        (PolicyName::Energy, 10.0, Point::OfFront(1)),
        (PolicyName::Cloud, 10.0, Point::AllEdge),
    ] {
        let decision = front.decide_by_front(policy, &limit(latency), Cloud::Absent).unwrap();
        assert_eq!(decision.configuration.cut, LAST, "{policy}");
        assert_eq!(decision.reason, PlanReason::CloudAbsent, "{policy}");
        assert_eq!(decision.point, point, "{policy} {latency}");
    }
    let edge = front.decide_by_front(PolicyName::Edge, &limit(1.0), Cloud::Absent).unwrap();
    assert_eq!((edge.point, edge.reason), (Point::AllEdge, PlanReason::Fixed));
}

#[test]
fn without_a_cloud_a_dominated_anchor_is_better_than_nothing() {
    let front = prepared(vec![measurement("split", 3, 50.0, Some(1.0), None)]);
    let decision = front.decide_by_front(PolicyName::Dynasplit, &limit(60.0), Cloud::Absent).unwrap();
    assert_eq!((decision.point, decision.reason), (Point::AllEdge, PlanReason::CloudAbsent));
}
