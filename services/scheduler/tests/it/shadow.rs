//! Shadow mode, and policies that are swapped while everything runs.

use broker::Subscription;
use scheduler::Settings;
use schemas::{
    BatteryReport, BatteryWeight, ByteCount, Cut, EnergyEntry, EnergyPrices, EnergySource, FaultKind,
    HardwareReport, Joules, Millis, NodeId, Outcome, Place, Plan, PlanReason, PolicyChoice, PolicyName,
    Receipt, SchedulerReport, ServiceKind, Share, UnixMillis, Weight,
};
use testkit::wait_for;
use tokio::time::timeout;

use crate::fronts::{LAST, front, measurement, model, presence};
use crate::service::{PATIENCE, Site};

/// The split needs less energy and keeps 60 ms on average, not at its quantile; home does, and needs more.
fn close() -> schemas::Front {
    front(vec![
        measurement("split", 3, 58.0, Some(1.0), None),
        measurement("home", LAST.0, 40.0, Some(3.0), None),
    ])
}

/// Waits for a report that says it.
async fn reported(
    reports: &mut Subscription,
    what: &str,
    says: impl Fn(&SchedulerReport) -> bool,
) -> SchedulerReport {
    let waiting = async {
        loop {
            let message = reports.next().await.expect("the connection is closed");
            let report: SchedulerReport = schemas::decode(&message.body).unwrap();
            if says(&report) {
                return report;
            }
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("no report {what}"))
}

fn receipt(plan: &Plan, id: schemas::RequestId, outcome: Outcome) -> Receipt {
    Receipt {
        id,
        model: model("vgg16"),
        outcome,
        qos: None,
        latency_ms: Millis::saturating(41.0),
        planned: Some(plan.configuration),
        predicted_latency_ms: plan.predicted_latency_ms,
        predicted_energy_j: plan.predicted_energy_j,
        executed: (!matches!(outcome, Outcome::Failed(_))).then_some(plan.configuration),
        fallback: None,
        policy: Some(plan.policy),
        reason: Some(plan.reason),
        front: plan.front,
        edge: Some(plan.edge.clone()),
        cloud: plan.cloud.clone(),
        sent_bytes: ByteCount(0),
        stages: Vec::new(),
        energy: vec![EnergyEntry {
            place: Place::Edge,
            source: EnergySource::Measured,
            joules: Joules::saturating(3.0),
        }],
        breakdown: Vec::new(),
        node: NodeId::new("pi").unwrap(),
        at: UnixMillis::now(),
    }
}

#[tokio::test]
async fn a_shadow_changes_nothing_and_its_regret_is_published() -> anyhow::Result<()> {
    let site = Site::start(Settings::default()).await?;
    let mut reports = site.bus.subscribe(broker::subjects::metrics_of(ServiceKind::Scheduler)).await?;
    let _edge = site.announce(presence(ServiceKind::EdgeExecutor, "e1", "pi", 4)).await?;
    let _cloud = site.announce(presence(ServiceKind::CloudExecutor, "c1", "rack", 4)).await?;
    site.bus.publish_front(&close()).await?;
    let plan = site.planned_with(PlanReason::LeastEnergyWithinLimit).await?;
    assert_eq!(
        (plan.policy, plan.configuration.cut),
        (PolicyName::Adaptive, LAST),
        "the shadow would take cut 3"
    );
    // Begun when everything is there: until then both would have nothing but the edge.
    let choice = PolicyChoice { policy: PolicyName::Adaptive, shadow: Some(PolicyName::Dynasplit) };
    site.bus.choose_policy(choice).await?;
    let begun = reported(&mut reports, "of the shadow", |report| report.choice == choice).await;
    assert_eq!(begun.regret, Some(schemas::Regret::default()));
    assert_eq!(site.plan(None).await.unwrap().configuration, plan.configuration);
    // Who names a policy says nothing of the choice.
    site.plan(Some(PolicyName::Cloud)).await.unwrap();

    let before = reported(&mut reports, "with a comparison", |report| {
        report.regret.as_ref().is_some_and(|regret| regret.compared >= 1)
    })
    .await;
    let regret = before.regret.unwrap();
    assert_eq!((regret.asked, regret.agreed, regret.compared), (1, 0, 1));
    assert_eq!((regret.within, regret.shadow_within), (1, 0));
    assert!((regret.energy_j - 2.0).abs() < 1e-6, "2 J more a request buy the limit: {regret:?}");
    assert!(regret.latency_ms < 0.0);
    assert_eq!(before.edges.len(), 1);
    assert_eq!((before.edges[0].edge.as_str(), before.edges[0].front), ("e1", plan.front.unwrap()));

    // What comes out is counted from receipts.
    let (id, plan) = site.plan_with_id().await;
    let late = receipt(&plan, id, Outcome::Within);
    site.bus.publish(broker::subjects::receipt(&late.model), schemas::encode(&late)?).await?;
    let (id, plan) = site.plan_with_id().await;
    let failed = receipt(&plan, id, Outcome::Failed(FaultKind::Unavailable));
    site.bus.publish(broker::subjects::receipt(&failed.model), schemas::encode(&failed)?).await?;
    let after = reported(&mut reports, "of the receipts", |report| {
        report.regret.as_ref().is_some_and(|regret| regret.came_out.receipts == 2)
    })
    .await;
    let came_out = after.regret.unwrap().came_out;
    assert_eq!((came_out.within, came_out.shadow_within, came_out.energy_receipts), (1, 0, 1));
    assert!((came_out.energy_j - 2.0).abs() < 1e-6, "{came_out:?}");
    Ok(())
}

#[tokio::test]
async fn policies_are_swapped_while_everything_runs() -> anyhow::Result<()> {
    let site = Site::start(Settings::default()).await?;
    let mut reports = site.bus.subscribe(broker::subjects::metrics_of(ServiceKind::Scheduler)).await?;
    let _edge = site.announce(presence(ServiceKind::EdgeExecutor, "e1", "pi", 4)).await?;
    let _cloud = site.announce(presence(ServiceKind::CloudExecutor, "c1", "rack", 4)).await?;
    site.bus.publish_front(&close()).await?;
    let plan = site.planned_with(PlanReason::LeastEnergyWithinLimit).await?;
    assert_eq!((plan.policy, plan.configuration.cut), (PolicyName::Adaptive, LAST));

    let swapped = PolicyChoice { policy: PolicyName::Dynasplit, shadow: Some(PolicyName::Adaptive) };
    site.bus.choose_policy(swapped).await?;
    planned_by(&site, PolicyName::Dynasplit, Cut(3)).await?;
    let report = reported(&mut reports, "of the swap", |report| report.choice == swapped).await;
    assert!(report.regret.is_some());
    // A choice that no scheduler can follow changes nothing.
    site.bus.choose_policy(PolicyChoice { policy: PolicyName::Oracle, shadow: None }).await?;
    site.bus.choose_policy(PolicyChoice { policy: PolicyName::Edge, shadow: None }).await?;
    planned_by(&site, PolicyName::Edge, LAST).await?;

    site.bus.forget_policy_choice().await?;
    planned_by(&site, PolicyName::Adaptive, LAST).await?;
    let report = reported(&mut reports, "of its own settings", |report| {
        report.choice == PolicyChoice { policy: PolicyName::Adaptive, shadow: None }
    })
    .await;
    assert_eq!(report.regret, None);
    Ok(())
}

/// Asks until this policy decides so; none but those that were chosen ever does.
async fn planned_by(site: &Site, policy: PolicyName, cut: Cut) -> anyhow::Result<()> {
    wait_for(PATIENCE, || async {
        let plan = site.plan(None).await.map_err(|fault| fault.to_string())?;
        assert_ne!(plan.policy, PolicyName::Oracle);
        let is_so = (plan.policy, plan.configuration.cut) == (policy, cut);
        is_so.then_some(()).ok_or_else(|| format!("{plan:?}"))
    })
    .await
}

/// At home it takes less energy in all, but from the battery.
#[tokio::test]
async fn an_empty_battery_makes_edge_joules_dear_until_its_sensor_vanishes() -> anyhow::Result<()> {
    let point =
        |level, times| BatteryWeight { level: Share::saturating(level), times: Weight::saturating(times) };
    let prices = EnergyPrices { battery: vec![point(0.2, 10.0), point(0.8, 1.0)], ..EnergyPrices::default() };
    let site = Site::start(Settings { prices, ..Settings::default() }).await?;
    let _edge = site.announce(presence(ServiceKind::EdgeExecutor, "e1", "pi", 4)).await?;
    let _cloud = site.announce(presence(ServiceKind::CloudExecutor, "c1", "rack", 4)).await?;
    let mut split = measurement("split", 3, 20.0, Some(1.0), None);
    let cloud =
        EnergyEntry { place: Place::Cloud, source: EnergySource::Measured, joules: Joules::saturating(3.0) };
    split.energy.push(cloud);
    site.bus.publish_front(&front(vec![split, measurement("home", LAST.0, 20.0, Some(2.0), None)])).await?;
    let level = std::sync::Arc::new(std::sync::Mutex::new(None));
    let _tuner = site.announce_tuner("pi", level.clone()).await?;
    let cut_is = |wanted: Cut| {
        let site = &site;
        wait_for(PATIENCE, move || async move {
            let plan = site.plan(None).await.map_err(|fault| fault.to_string())?;
            (plan.configuration.cut == wanted).then_some(()).ok_or_else(|| format!("{plan:?}"))
        })
    };
    cut_is(LAST).await?;
    *level.lock().unwrap() = Some(BatteryReport { level: Share::saturating(0.1), charging: false });
    cut_is(Cut(3)).await?;
    *level.lock().unwrap() = Some(BatteryReport { level: Share::saturating(0.1), charging: true });
    cut_is(LAST).await?;
    *level.lock().unwrap() = Some(BatteryReport { level: Share::saturating(0.1), charging: false });
    cut_is(Cut(3)).await?;
    // Its sensor is gone: nobody knows how empty it is, and every joule counts once.
    *level.lock().unwrap() = None;
    cut_is(LAST).await?;
    Ok(())
}

pub fn hardware(node: &str, battery: Option<BatteryReport>) -> HardwareReport {
    HardwareReport {
        node: NodeId::new(node).unwrap(),
        emulates: None,
        cores: 4,
        frequencies_khz: Vec::new(),
        frequency_khz: None,
        governor: None,
        slowdown: None,
        power: None,
        knobs: Vec::new(),
        sensors: Vec::new(),
        meter: None,
        battery,
        leases: Vec::new(),
    }
}
