//! The decision against a plain reading of the paper, over many fronts.

use policy::{AdaptiveSettings, Cloud, CloudExecutor, Decision, Point, State};
use proptest::option;
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use schemas::{Cut, Front, InstanceId, Measurement, PlanReason, PolicyName, Qos, Share};

use crate::fronts::{LAST, front, limit, measurement, prepared};

/// Few different values, so that ties are common.
fn points() -> impl Strategy<Value = Vec<Measurement>> {
    let point = (0..=LAST.0, 1..12_u32, option::weighted(0.8, 1..6_u32), option::weighted(0.8, 0..4_u32));
    prop::collection::vec(point, 1..24).prop_map(|points| {
        points
            .into_iter()
            .map(|(cut, latency, energy, accuracy)| {
                let accuracy = accuracy.map(|tenths| f64::from(tenths) / 10.0);
                measurement("p", cut, f64::from(latency) * 10.0, energy.map(f64::from), accuracy)
            })
            .collect()
    })
}

fn qos() -> impl Strategy<Value = Qos> {
    (0..130_u32, option::of(0..5_u32), option::of(0..=LAST.0)).prop_map(|(latency, accuracy, cut)| Qos {
        accuracy_floor: accuracy.map(|tenths| Share::saturating(f64::from(tenths) / 10.0)),
        least_cut: cut.map(Cut),
        ..limit(f64::from(latency))
    })
}

fn chosen(front: &Front, decision: &Decision) -> Measurement {
    match decision.point {
        Point::OfFront(index) => front.points[index].clone(),
        Point::Tied(index) => front.tied[index].clone(),
        Point::AllCloud => front.all_cloud.clone(),
        Point::AllEdge => front.all_edge.clone(),
    }
}

/// The paper's program, line by line (its §6), with pandas' stable sort; all energies are known to it.
fn paper(points: &[Measurement], limit: f64) -> usize {
    let energy = |index: usize| points[index].joules().unwrap().get();
    let accuracy = |index: usize| points[index].accuracy.map_or(-1.0, |accuracy| accuracy.share.get());
    let latency = |index: usize| points[index].latency.mean_ms.get();
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| (energy(*a), -accuracy(*a)).partial_cmp(&(energy(*b), -accuracy(*b))).unwrap());
    let mut fastest = order[0];
    for index in order {
        if latency(index) <= limit {
            return index;
        }
        if latency(index) < latency(fastest) {
            fastest = index;
        }
    }
    fastest
}

proptest! {
    #[test]
    fn an_unconstrained_decision_is_the_papers(points in points(), limit_ms in 0..130_u32) {
        let known: Vec<Measurement> = points.into_iter().filter(|point| point.joules().is_some()).collect();
        proptest::prop_assume!(!known.is_empty());
        let expected = paper(&known, f64::from(limit_ms));
        let decision = prepared(known)
            .decide_by_front(PolicyName::Dynasplit, &limit(f64::from(limit_ms)), Cloud::Present)
            .unwrap();
        prop_assert_eq!(decision.point, Point::OfFront(expected));
    }

    #[test]
    fn the_choice_is_the_best_of_what_is_allowed(points in points(), qos in qos(), absent: bool) {
        let front = front(points);
        let cloud = if absent { Cloud::Absent } else { Cloud::Present };
        let least = if absent { LAST } else { qos.least_cut.unwrap_or(Cut(0)) };
        let allowed = |point: &Measurement| {
            point.configuration.cut >= least
                && qos.accuracy_floor.is_none_or(|floor| point.accuracy.is_some_and(|a| a.share >= floor))
        };
        let prepared = policy::PreparedFront::new(&front);
        let Ok(decision) = prepared.decide_by_front(PolicyName::Dynasplit, &qos, cloud) else {
            prop_assert!(qos.accuracy_floor.is_some(), "refused without a floor");
            prop_assert!(!front.points.iter().any(allowed));
            return Ok(());
        };
        let choice = chosen(&front, &decision);
        prop_assert!(allowed(&choice));
        let energy = |point: &Measurement| point.joules().map_or(f64::INFINITY, |joules| joules.get());
        for other in front.points.iter().filter(|point| allowed(point)) {
            if other.latency.mean_ms <= qos.latency_ms {
                prop_assert!(choice.latency.mean_ms <= qos.latency_ms, "one within was passed over");
                prop_assert!(energy(&choice) <= energy(other));
            } else if choice.latency.mean_ms > qos.latency_ms {
                prop_assert!(choice.latency.mean_ms <= other.latency.mean_ms, "not the fastest");
            }
        }
        let reason = match (absent, choice.latency.mean_ms <= qos.latency_ms) {
            (true, _) => PlanReason::CloudAbsent,
            (false, true) => PlanReason::LeastEnergyWithinLimit,
            (false, false) => PlanReason::FastestBecauseNoneWithinLimit,
        };
        prop_assert_eq!(decision.reason, reason);
    }

    #[test]
    fn more_time_never_costs_more_energy(points in points(), tight in 0..130_u32, more in 0..130_u32) {
        let known: Vec<Measurement> = points.into_iter().filter(|point| point.joules().is_some()).collect();
        proptest::prop_assume!(!known.is_empty());
        let prepared = prepared(known);
        let decide = |latency: u32| {
            prepared.decide_by_front(PolicyName::Dynasplit, &limit(f64::from(latency)), Cloud::Present).unwrap()
        };
        let (tight, loose) = (decide(tight), decide(tight + more));
        if tight.reason == PlanReason::LeastEnergyWithinLimit {
            prop_assert!(loose.energy_j <= tight.energy_j);
        }
    }

    #[test]
    fn every_policy_keeps_floors_or_refuses(points in points(), qos in qos(), absent: bool) {
        let front = front(points);
        let prepared = policy::PreparedFront::new(&front);
        let cloud = if absent { Cloud::Absent } else { Cloud::Present };
        for policy in PolicyName::ALL {
            let Ok(decision) = prepared.decide_by_front(policy, &qos, cloud) else { continue };
            let choice = chosen(&front, &decision);
            prop_assert!(choice.configuration.cut >= qos.least_cut.unwrap_or(Cut(0)), "{} leaks", policy);
            prop_assert!(!absent || choice.configuration.cut == LAST);
            let share = choice.accuracy.map(|accuracy| accuracy.share);
            prop_assert!(qos.accuracy_floor.is_none_or(|floor| share.is_some_and(|share| share >= floor)));
        }
    }

    /// Hearing only of credits leaves the same state as hearing of the executors anew.
    #[test]
    fn credits_alone_are_as_good_as_presences(
        first in prop::collection::vec((0..4_u32, any::<bool>()), 0..9),
        then in prop::collection::vec(0..4_u32, 9),
    ) {
        let instance = |index: usize| InstanceId::new(format!("cloud-{index}")).unwrap();
        let executors = |credits: &dyn Fn(usize) -> u32| -> Vec<CloudExecutor> {
            let here = first.iter().enumerate();
            here.map(|(index, (_, of_front))| CloudExecutor::new(instance(index), credits(index), *of_front)).collect()
        };
        let mut state = State::new(&prepared(vec![]), AdaptiveSettings::default());
        state.set_clouds(executors(&|index| first[index].0));
        let mut anew = state.clone();
        anew.set_clouds(executors(&|index| then[index]));
        let before: Vec<InstanceId> = state.clouds().iter().map(|cloud| cloud.instance.clone()).collect();
        let index = |name: &InstanceId| (0..first.len()).find(|index| instance(*index) == *name).unwrap();
        let moved = state.set_credits(before.iter().map(|name| then[index(name)]));
        prop_assert_eq!(&state, &anew);
        let after = state.clouds().iter().map(|cloud| &cloud.instance);
        prop_assert_eq!(moved, !after.eq(&before));
    }
}
