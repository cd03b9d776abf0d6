//! Who runs a request: edge, cloud and front from presences.

use policy::plan_by_front as plan;
use schemas::{
    Cut, FaultKind, Front, FrontId, InstanceId, NodeId, Plan, PlanReason, PlanRequest, PolicyName, Presence,
    RequestId, ServiceKind, ServiceState, Share, UnixMillis,
};

use crate::fronts::{LAST, digest, front, limit, measurement, model, presence, shared};

fn edge(instance: &str, credits: u32) -> Presence {
    presence(ServiceKind::EdgeExecutor, instance, "pi", credits)
}

fn cloud(instance: &str, node: &str, credits: u32) -> Presence {
    presence(ServiceKind::CloudExecutor, instance, node, credits)
}

fn request() -> PlanRequest {
    PlanRequest { id: RequestId::fresh(), model: model("vgg16"), qos: limit(60.0), policy: None }
}

fn split_front() -> Front {
    front(vec![measurement("split", 3, 50.0, Some(1.0), None)])
}

fn planned(presences: &[Presence], fronts: &[Front]) -> Plan {
    let fronts: Vec<_> = fronts.iter().map(shared).collect();
    plan(&request(), presences, &fronts).unwrap()
}

fn fault(presences: &[Presence], name: &str) -> FaultKind {
    let request = PlanRequest { model: model(name), ..request() };
    plan(&request, presences, &[]).unwrap_err().to_fault().kind
}

#[test]
fn the_executors_with_most_credits_are_taken_and_ties_go_by_name() {
    let presences = [
        edge("e1", 1),
        edge("e3", 4),
        edge("e2", 4),
        cloud("c2", "rack", 7),
        cloud("c1", "rack", 7),
        cloud("c3", "rack", 2),
    ];
    let plan = planned(&presences, &[split_front()]);
    assert_eq!((plan.edge.as_str(), plan.cloud.as_ref().map(InstanceId::as_str)), ("e2", Some("c1")));
    assert_eq!(plan.reason, PlanReason::LeastEnergyWithinLimit);
    assert_eq!(plan.configuration.cut, Cut(3));
}

#[test]
fn one_with_credits_used_up_is_better_than_nobody() {
    let plan = planned(&[edge("e1", 0), cloud("c1", "rack", 0)], &[split_front()]);
    assert_eq!((plan.edge.as_str(), plan.reason), ("e1", PlanReason::LeastEnergyWithinLimit));
}

#[test]
fn draining_executors_get_nothing_new() {
    let draining = |presence: Presence| Presence { state: ServiceState::Draining, ..presence };
    let plan = planned(
        &[draining(edge("e1", 8)), edge("e2", 1), draining(cloud("c1", "rack", 8))],
        &[split_front()],
    );
    assert_eq!((plan.edge.as_str(), plan.reason), ("e2", PlanReason::CloudAbsent));
    assert_eq!((plan.configuration.cut, plan.cloud), (LAST, None));
    assert_eq!(fault(&[draining(edge("e1", 8))], "vgg16"), FaultKind::Unavailable);
}

#[test]
fn a_cloud_with_another_file_under_the_same_name_is_no_cloud() {
    let mut other = cloud("c1", "rack", 8);
    other.models[0].digest = digest('b');
    assert_eq!(planned(&[edge("e1", 8), other], &[split_front()]).reason, PlanReason::CloudAbsent);
}

#[test]
fn everything_on_the_edge_names_no_cloud() {
    let front = front(vec![measurement("home", LAST.0, 50.0, Some(1.0), None)]);
    let plan = planned(&[edge("e1", 8), cloud("c1", "rack", 8)], &[front]);
    assert_eq!((plan.cloud, plan.reason), (None, PlanReason::LeastEnergyWithinLimit));
}

#[test]
fn without_a_front_everything_runs_on_the_edge() {
    let presences = [edge("e1", 8), cloud("c1", "rack", 8)];
    let of_another_edge = Front { edge: NodeId::new("other").unwrap(), ..split_front() };
    let of_another_file = Front { digest: digest('b'), ..split_front() };
    for fronts in [&[][..], &[of_another_edge], &[of_another_file]] {
        let plan = planned(&presences, fronts);
        assert_eq!((plan.reason, plan.configuration.cut), (PlanReason::NoFront, LAST));
        assert_eq!((plan.front, plan.cloud, plan.predicted_latency_ms), (None, None, None));
    }
}

#[test]
fn without_a_front_a_floor_on_the_accuracy_cannot_be_kept() {
    let mut request = request();
    request.qos.accuracy_floor = Some(Share::new(0.1).unwrap());
    let refused = plan(&request, &[edge("e1", 8)], &[]).unwrap_err();
    assert_eq!(refused.to_fault().kind, FaultKind::Unsupported);
    request.qos.accuracy_floor = None;
    request.qos.least_cut = Some(Cut(LAST.0 + 1));
    let refused = plan(&request, &[edge("e1", 8)], &[]).unwrap_err();
    assert_eq!(refused.to_fault().kind, FaultKind::BadRequest);
}

#[test]
fn the_front_of_a_present_cloud_is_taken_and_of_those_the_latest() {
    let with = |cloud: &str, ended: u64| Front {
        id: FrontId::fresh(),
        cloud: NodeId::new(cloud).unwrap(),
        ended_at: UnixMillis(ended),
        ..split_front()
    };
    let fronts = [with("gone", 99), with("rack", 5), with("rack", 7), with("rack", 6)];
    let presences = [edge("e1", 8), cloud("elsewhere", "far", 8), cloud("c1", "rack", 1)];
    let plan = planned(&presences, &fronts);
    assert_eq!(plan.front, Some(fronts[2].id));
    // The machine the front was measured with goes before the one with more credits.
    assert_eq!(plan.cloud.as_ref().map(InstanceId::as_str), Some("c1"));
    // Without it, another machine's executor is still better than no split.
    let plan = planned(&presences[..2], &fronts);
    assert_eq!(plan.cloud.as_ref().map(InstanceId::as_str), Some("elsewhere"));
}

#[test]
fn a_request_may_name_a_baseline_and_otherwise_gets_the_papers_rule() {
    let fronts = [shared(&split_front())];
    let presences = [edge("e1", 8), cloud("c1", "rack", 8)];
    let plan_with = |policy| {
        let request = PlanRequest { policy, ..request() };
        plan(&request, &presences, &fronts).unwrap().policy
    };
    assert_eq!(plan_with(None), PolicyName::Dynasplit);
    assert_eq!(plan_with(Some(PolicyName::Adaptive)), PolicyName::Dynasplit);
    assert_eq!(plan_with(Some(PolicyName::Cloud)), PolicyName::Cloud);
}

#[test]
fn nobody_there_is_told_from_an_unknown_name() {
    assert_eq!(fault(&[], "vgg16"), FaultKind::Unavailable);
    assert_eq!(fault(&[cloud("c1", "rack", 8)], "vgg16"), FaultKind::Unavailable);
    assert_eq!(fault(&[edge("e1", 8)], "vgg"), FaultKind::UnknownModel);
    let request = PlanRequest { model: model("vgg"), ..request() };
    let fault = plan(&request, &[edge("e1", 8)], &[]).unwrap_err().to_fault();
    assert!(fault.message.contains("served are vgg16"), "{}", fault.message);
}
