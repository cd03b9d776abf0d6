//! The live scheduler over a real broker.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use broker::{Announcement, Bus, Call, CallError, Identity, PresenceUpdate, subjects};
use chassis::{RunningService, ServiceContext};
use scheduler::Settings;
use schemas::{
    BatteryReport, Cut, Fault, FaultKind, InstanceId, ModelName, NodeId, Plan, PlanReason, PlanRequest,
    PolicyName, Presence, RequestId, ServiceKind, UnixMillis,
};
use testkit::{TestServer, wait_for};

use crate::fronts::{LAST, front, limit, measurement, model, presence};

/// Longer than anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Site {
    pub bus: Bus,
    scheduler: scheduler::Running,
    _server: TestServer,
}

impl Site {
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let context = ServiceContext::new(
            ServiceKind::Scheduler,
            server.connect("scheduler").await?,
            NodeId::new("site")?,
            InstanceId::new("s1")?,
            Duration::from_secs(1),
        );
        let scheduler = scheduler::start(settings, context).await?;
        Ok(Self { bus: server.connect("test").await?, scheduler, _server: server })
    }

    /// An executor that says it is there, with a network it says it serves.
    pub async fn announce(&self, said: Presence) -> anyhow::Result<Announcement> {
        let identity = Identity { service: said.service, instance: said.instance, node: said.node };
        let update = PresenceUpdate {
            credits: said.credits,
            capacity: said.capacity,
            models: said.models,
            hardware: None,
        };
        Ok(self.bus.announce(identity, "0.1.0", move || update.clone()).await?)
    }

    pub async fn plan(&self, policy: Option<PolicyName>) -> Result<Plan, Fault> {
        let request = PlanRequest { id: RequestId::fresh(), model: model("vgg16"), qos: limit(60.0), policy };
        let body = self.ask("vgg16", schemas::encode(&request).unwrap()).await?;
        Ok(schemas::decode(&body).unwrap())
    }

    /// A plan, with the id of its request.
    pub async fn plan_with_id(&self) -> (RequestId, Plan) {
        let id = RequestId::fresh();
        let request = PlanRequest { id, model: model("vgg16"), qos: limit(60.0), policy: None };
        let body = self.ask("vgg16", schemas::encode(&request).unwrap()).await.unwrap();
        (id, schemas::decode(&body).unwrap())
    }

    /// A tuner that says of its battery what is there at the time.
    pub async fn announce_tuner(
        &self,
        node: &str,
        battery: Arc<Mutex<Option<BatteryReport>>>,
    ) -> anyhow::Result<Announcement> {
        let identity = Identity {
            service: ServiceKind::Tuner,
            instance: InstanceId::new("t1")?,
            node: NodeId::new(node)?,
        };
        let report = crate::shadow::hardware(node, None);
        let update = move || PresenceUpdate {
            credits: 1,
            capacity: 1,
            models: Vec::new(),
            hardware: Some(schemas::HardwareReport { battery: *battery.lock().unwrap(), ..report.clone() }),
        };
        Ok(self.bus.announce(identity, "0.1.0", update).await?)
    }

    async fn ask(&self, name: &str, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let call = Call::new(vec![subjects::plan(&ModelName::new(name).unwrap())], PATIENCE, body);
        match self.bus.call(call).await {
            Ok(answer) => Ok(answer.body.to_vec()),
            Err(CallError::Fault(fault)) => Err(fault),
            Err(other) => panic!("no answer: {other}"),
        }
    }

    /// Asks until the plan has this reason.
    pub async fn planned_with(&self, reason: PlanReason) -> anyhow::Result<Plan> {
        wait_for(PATIENCE, || async {
            match self.plan(None).await {
                Ok(plan) if plan.reason == reason => Ok(plan),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }
}

fn split() -> schemas::Front {
    front(vec![measurement("split", 3, 50.0, Some(1.0), None)])
}

#[tokio::test]
async fn plans_follow_what_is_there() -> anyhow::Result<()> {
    let site = Site::start(Settings::default()).await?;
    let fault = site.plan(None).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}");

    let _edge = site.announce(presence(ServiceKind::EdgeExecutor, "e1", "pi", 4)).await?;
    let plan = site.planned_with(PlanReason::NoFront).await?;
    assert_eq!((plan.edge.as_str(), plan.configuration.cut), ("e1", LAST));

    let front = split();
    site.bus.publish_front(&front).await?;
    let plan = site.planned_with(PlanReason::CloudAbsent).await?;
    assert_eq!((plan.front, plan.configuration.cut), (Some(front.id), LAST));

    let cloud = site.announce(presence(ServiceKind::CloudExecutor, "c1", "rack", 4)).await?;
    let plan = site.planned_with(PlanReason::LeastEnergyWithinLimit).await?;
    assert_eq!((plan.configuration.cut, plan.cloud), (Cut(3), Some(InstanceId::new("c1")?)));
    assert_eq!(plan.policy, PolicyName::Adaptive);

    // Dropped, it falls silent as in a crash: gone after three seconds.
    drop(cloud);
    site.planned_with(PlanReason::CloudAbsent).await?;
    let _cloud = site.announce(presence(ServiceKind::CloudExecutor, "c2", "rack", 4)).await?;
    let plan = site.planned_with(PlanReason::LeastEnergyWithinLimit).await?;
    assert_eq!(plan.cloud, Some(InstanceId::new("c2")?));

    // A later front of the same machines takes the place of the first.
    let later = front_at_cut(7);
    site.bus.publish_front(&later).await?;
    wait_for(PATIENCE, || async {
        let plan = site.plan(None).await.map_err(|fault| fault.to_string())?;
        let is_later = plan.front == Some(later.id) && plan.configuration.cut == Cut(7);
        is_later.then_some(()).ok_or_else(|| format!("{plan:?}"))
    })
    .await
    .context("the later front is not used")
}

fn front_at_cut(cut: u16) -> schemas::Front {
    front(vec![measurement("split", cut, 50.0, Some(1.0), None)])
}

#[tokio::test]
async fn bad_requests_are_answered_and_the_scheduler_lives_on() -> anyhow::Result<()> {
    let site = Site::start(Settings { policy: PolicyName::Edge, ..Settings::default() }).await?;
    let _edge = site.announce(presence(ServiceKind::EdgeExecutor, "e1", "pi", 4)).await?;
    site.planned_with(PlanReason::NoFront).await?;

    for garbage in [Vec::new(), vec![0xc1; 40], b"{}".to_vec()] {
        assert_eq!(site.ask("vgg16", garbage).await.unwrap_err().kind, FaultKind::BadRequest);
    }
    let request =
        PlanRequest { id: RequestId::fresh(), model: model("vgg16"), qos: limit(60.0), policy: None };
    let elsewhere = site.ask("resnet", schemas::encode(&request)?).await.unwrap_err();
    assert_eq!(elsewhere.kind, FaultKind::BadRequest, "{elsewhere}");
    let unknown = PlanRequest { model: model("resnet"), ..request };
    let unknown = site.ask("resnet", schemas::encode(&unknown)?).await.unwrap_err();
    assert_eq!(unknown.kind, FaultKind::UnknownModel, "{unknown}");

    assert_eq!(site.plan(None).await.unwrap().policy, PolicyName::Edge);
    Ok(())
}

#[tokio::test]
async fn it_is_announced_and_leaves_in_order() -> anyhow::Result<()> {
    let site = Site::start(Settings::default()).await?;
    let presences = site.bus.watch_presences().await?;
    let is_there = |known: &[Presence]| known.iter().any(|known| known.service == ServiceKind::Scheduler);
    presences.wait_until(UnixMillis::now().after(PATIENCE), is_there).await?;
    site.scheduler.leave(Duration::from_secs(1)).await;
    presences.wait_until(UnixMillis::now().after(PATIENCE), |known| !is_there(known)).await?;
    Ok(())
}

/// Prints the time of a plan over the broker; what it must be is said by the benches on a quiet machine.
#[tokio::test]
async fn a_plan_is_quick() -> anyhow::Result<()> {
    let site = Site::start(Settings::default()).await?;
    let _edge = site.announce(presence(ServiceKind::EdgeExecutor, "e1", "pi", 4)).await?;
    let _cloud = site.announce(presence(ServiceKind::CloudExecutor, "c1", "rack", 4)).await?;
    let points = (0..100).map(|cut| measurement("p", cut % LAST.0, 50.0, Some(1.0), None)).collect();
    site.bus.publish_front(&front(points)).await?;
    site.planned_with(PlanReason::LeastEnergyWithinLimit).await?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let started = Instant::now();
        site.plan(None).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort_unstable();
    eprintln!("plan over the broker: p50 {:?}, p95 {:?}", times[250], times[475]);
    assert!(times[250] < Duration::from_millis(20), "p50 {:?}", times[250]);
    Ok(())
}

/// As a process: exit code 64 and the setting's name, before any broker is needed.
#[test]
fn bad_settings_end_the_process_with_64() {
    for (variable, value, named) in [
        ("SPLINTER_SCHEDULER__POLICY", "cheapest", "dynasplit"),
        ("SPLINTER_SCHEDULER__CAPACITY", "0", "nonzero"),
        ("SPLINTER_SCHEDULER__POLICE", "edge", "police"),
    ] {
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_splinter-scheduler"))
            .env(variable, value)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(64), "{said}");
        assert!(said.contains(named), "{said}");
    }
}
