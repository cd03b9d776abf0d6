//! A whole site while things fail: the real broker, gateway and scheduler, a fault proxy on the way to the cloud, and
//! executors that compute nothing (`executors`). Every request here ends by its deadline, with one outcome.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use broker::{Bus, subjects};
use chassis::ServiceContext;
use schemas::{
    Configuration, Cut, Digest, Fallback, Front, FrontId, InferReply, InferRequest, Input, InstanceId,
    Joules, KiloHertz, Millis, NodeId, PlanReason, PolicyName, Qos, ServiceKind, UnixMillis,
};
use testkit::{FaultProxy, TestServer, wait_for};

use crate::executors::{CloudExecutor, EdgeExecutor, measured};
use crate::fronts::{LAST, model};
use crate::service::PATIENCE;

/// In bytes a second: 100 and 2 Mbit/s.
const GOOD: u64 = 12_500_000;
const THIN: u64 = 250_000;

const LIMIT_MS: f64 = 250.0;

/// The deadline of each request, and what a busy machine may make of it.
const DEADLINE: Duration = Duration::from_secs(5);
const BUSY_MACHINE: Duration = Duration::from_secs(2);

/// A PNG of one pixel.
const PICTURE: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01,
    0x48, 0xaf, 0xa4, 0x71, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

struct Site {
    bus: Bus,
    scheduler: Option<scheduler::Running>,
    clouds: Vec<CloudExecutor>,
    edge: EdgeExecutor,
    proxy: FaultProxy,
    front: Front,
    _gateway: gateway::Running,
    server: TestServer,
}

impl Site {
    async fn start(clouds: usize) -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let proxy = FaultProxy::start(server.port()).await?;
        proxy.throttle(GOOD);
        let bus = server.connect("test").await?;
        let edge = EdgeExecutor::start(&server.connect("edge").await?).await?;
        let mut executors = Vec::new();
        for number in 1..=clouds {
            let name = format!("c{number}");
            executors.push(CloudExecutor::start(&proxy.connect(&name).await?, &name).await?);
        }
        let front = measured();
        bus.publish_front(&front).await?;
        let settings = gateway::Settings { http: "127.0.0.1:0".parse()?, ..gateway::Settings::default() };
        let gateway = gateway::start(settings, context(&server, "gateway").await?).await?;
        let scheduler = Some(start_scheduler(&server).await?);
        let site = Self { bus, scheduler, clouds: executors, edge, proxy, front, _gateway: gateway, server };
        site.until("everything is there", |reply| reply.configuration.cut == Cut(0)).await?;
        Ok(site)
    }

    /// One request, with its deadline checked.
    async fn infer(&self) -> anyhow::Result<InferReply> {
        let request = InferRequest {
            input: Input::Encoded { bytes: PICTURE.into() },
            qos: Some(Qos::within(Millis::new(LIMIT_MS)?)),
            policy: None,
        };
        let began = Instant::now();
        let answer = self.bus.ask(subjects::infer(&model("vgg16")), DEADLINE, &request).await;
        let took = began.elapsed();
        assert!(took < DEADLINE + BUSY_MACHINE, "an outcome after {took:?}: {answer:?}");
        Ok(schemas::decode(&answer?.body)?)
    }

    /// Sends requests until one is answered so.
    async fn until(&self, what: &str, is_so: impl Fn(&InferReply) -> bool) -> anyhow::Result<InferReply> {
        let is_so = &is_so;
        let waited = wait_for(3 * PATIENCE, || async move {
            let reply = self.infer().await.map_err(|error| error.to_string())?;
            if is_so(&reply) { Ok(reply) } else { Err(format!("{} {:?}", reply.configuration, reply.reason)) }
        });
        waited.await.map_err(|error| error.context(what.to_owned()))
    }
}

async fn context(server: &TestServer, name: &str) -> anyhow::Result<ServiceContext> {
    Ok(ServiceContext::new(
        ServiceKind::Scheduler,
        server.connect(name).await?,
        NodeId::new("pi")?,
        InstanceId::new(name)?,
        Duration::from_secs(1),
    ))
}

async fn start_scheduler(server: &TestServer) -> anyhow::Result<scheduler::Running> {
    Ok(scheduler::start(scheduler::Settings::default(), context(server, "scheduler").await?).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_thins_and_recovers_and_the_cut_moves_and_comes_back() -> anyhow::Result<()> {
    let site = Site::start(1).await?;
    site.proxy.throttle(THIN);
    site.until("the cut has moved", |reply| reply.configuration.cut != Cut(0) && reply.within_limit).await?;
    // It stays there: what is sent now is not sent in vain.
    let moved = site.until("another request keeps its limit", |reply| reply.within_limit).await?;
    assert_eq!(moved.fallback, None, "nothing had to be finished at home");
    site.proxy.throttle(GOOD);
    site.until("the cut has come back", |reply| reply.configuration.cut == Cut(0) && reply.within_limit)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_ten_times_slower_is_left_and_taken_again() -> anyhow::Result<()> {
    let site = Site::start(1).await?;
    site.clouds[0].slower.store(15, Ordering::Relaxed);
    site.until("the edge does it", |reply| reply.configuration.cut == LAST && reply.within_limit).await?;
    site.clouds[0].slower.store(1, Ordering::Relaxed);
    site.until("the cloud does it again", |reply| reply.configuration.cut == Cut(0) && reply.within_limit)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_cloud_executors_two_hang_and_the_third_does_the_work() -> anyhow::Result<()> {
    let site = Site::start(3).await?;
    for cloud in &site.clouds[..2] {
        cloud.hangs.store(true, Ordering::Relaxed);
    }
    for _ in 0..3 {
        // Whichever is asked: a result, if need be from home.
        let reply = site.infer().await?;
        assert!(reply.fallback.is_none() || reply.fallback == Some(Fallback::FinishedAtHome));
    }
    let before = site.clouds[2].taken.load(Ordering::Relaxed);
    let within = |reply: &InferReply| reply.configuration.cut == Cut(0) && reply.within_limit;
    site.until("the third does the work", within).await?;
    assert!(site.clouds[2].taken.load(Ordering::Relaxed) > before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_scheduler_requests_go_on_by_the_last_front_until_it_is_back() -> anyhow::Result<()> {
    let mut site = Site::start(1).await?;
    drop(site.scheduler.take());
    let reply = site.infer().await?;
    assert_eq!((reply.reason, reply.policy), (Some(PlanReason::SchedulerGone), PolicyName::Dynasplit));
    assert_eq!(reply.front, Some(site.front.id));
    site.scheduler = Some(start_scheduler(&site.server).await?);
    site.until("the scheduler decides again", |reply| reply.policy == PolicyName::Adaptive).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_fronts_change_nothing() -> anyhow::Result<()> {
    let site = Site::start(1).await?;
    let good = Front { id: FrontId::fresh(), revision: 5, ended_at: UnixMillis(500), ..site.front.clone() };
    site.bus.publish_front(&good).await?;
    site.until("the good one is there", |reply| reply.front == Some(good.id)).await?;
    let bad =
        |change: fn(Front) -> Front| change(Front { id: FrontId::fresh(), revision: 6, ..good.clone() });
    for front in [
        bad(|front| Front { points: Vec::new(), ..front }),
        bad(|front| Front { revision: 1, ended_at: UnixMillis(100), ..front }),
        bad(|front| Front { last_cut: Cut(3), ..front }),
        // Of another file under the same name, measured on another cloud machine: a front, and none of this network.
        bad(|front| Front {
            digest: Digest::from_bytes([9; 32]),
            cloud: NodeId::new("other").unwrap(),
            ..front
        }),
    ] {
        site.bus.publish_front(&front).await?;
        for _ in 0..3 {
            assert_eq!(site.infer().await?.front, Some(good.id));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_cannot_be_set_is_labelled_and_no_longer_counted_on() -> anyhow::Result<()> {
    let site = Site::start(1).await?;
    site.edge.untunable.store(true, Ordering::Relaxed);
    // The cheapest wants a low clock, at which it would just keep the limit.
    let mut slow = site.front.points[2].clone();
    slow.configuration =
        Configuration { edge_frequency_khz: Some(KiloHertz::from_megahertz(600)), ..Configuration::at(LAST) };
    slow.energy[0].joules = Joules::saturating(0.1);
    let tuned = Front {
        id: FrontId::fresh(),
        points: vec![slow, site.front.points[0].clone()],
        ..site.front.clone()
    };
    site.bus.publish_front(&tuned).await?;
    let labelled = |reply: &InferReply| reply.fallback == Some(Fallback::HardwareAsItWas);
    let reply = site.until("the clock could not be set", labelled).await?;
    assert_eq!(reply.front, Some(tuned.id));
    // Set again, the label goes away.
    site.edge.untunable.store(false, Ordering::Relaxed);
    site.until("the label is gone", |reply| reply.fallback.is_none()).await?;
    Ok(())
}
