//! Executors that compute nothing: they take the time that a real one would compute, send as many bytes through the broker and
//! report as the real ones do. The cloud's connections go through the fault proxy, so transfers are real.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use broker::{
    Announcement, Bus, Call, Endpoint, Identity, PresenceUpdate, Request, Response, Serving, subjects,
};
use schemas::{
    ByteCount, Configuration, Cut, EnergyEntry, EnergySource, ExecuteReply, ExecuteRequest, Fallback, Fault,
    FaultKind, Front, InstanceId, Joules, Measurement, Millis, Place, Presence, ServiceKind, Stage,
    StageTime, Tensor, TimeSource,
};
use tokio::time::sleep;

use crate::fronts::{LAST, front, measurement, model, presence};

/// Head, tail in ms; bytes; joules. At 100 Mbit/s and 2 ms the cloud is cheapest and fastest; at 2 Mbit/s only the middle
/// keeps 250 ms, and with a cloud ten times slower nothing that uses it does.
struct Work {
    cut: Cut,
    head_ms: f64,
    tail_ms: f64,
    bytes: u64,
    joules: f64,
}

const WORK: [Work; 3] = [
    Work { cut: Cut(0), head_ms: 0.0, tail_ms: 20.0, bytes: 100_000, joules: 0.5 },
    Work { cut: Cut(10), head_ms: 60.0, tail_ms: 20.0, bytes: 10_000, joules: 1.0 },
    Work { cut: LAST, head_ms: 150.0, tail_ms: 0.0, bytes: 0, joules: 1.5 },
];

/// What the edge keeps of the time left to finish at home.
const AT_HOME: Duration = Duration::from_millis(400);

fn ms(value: f64) -> Millis {
    Millis::saturating(value)
}

fn stage(stage: Stage, place: Place, time_ms: Millis) -> StageTime {
    StageTime { stage, place, time_ms, source: TimeSource::Measured }
}

/// The front as it was measured over a good link.
pub fn measured() -> Front {
    let point = |work: &Work| {
        let wire = if work.bytes > 0 { 2.0 + work.bytes as f64 * 8.0 / 100e3 } else { 0.0 };
        let all = work.head_ms + wire + work.tail_ms;
        Measurement {
            stages: vec![
                stage(Stage::Head, Place::Edge, ms(work.head_ms)),
                stage(Stage::Transfer, Place::Wire, ms(wire)),
                stage(Stage::Tail, Place::Cloud, ms(work.tail_ms)),
            ],
            sent_bytes: ByteCount(work.bytes),
            ..measurement("p", work.cut.0, all, Some(work.joules), Some(0.7))
        }
    };
    let points: Vec<Measurement> = WORK.iter().map(point).collect();
    let (all_cloud, all_edge) = (points[0].clone(), points[2].clone());
    Front { all_cloud, all_edge, ..front(points) }
}

/// One cloud executor.
pub struct CloudExecutor {
    /// How many times slower than measured.
    pub slower: Arc<AtomicU32>,
    /// Takes requests and never answers, as a stopped process does.
    pub hangs: Arc<AtomicBool>,
    /// Requests that it took.
    pub taken: Arc<AtomicU32>,
    _serving: Serving,
    _announcement: Announcement,
}

impl CloudExecutor {
    pub async fn start(bus: &Bus, name: &str) -> anyhow::Result<Self> {
        let (slower, hangs) = (Arc::new(AtomicU32::new(1)), Arc::new(AtomicBool::new(false)));
        let taken = Arc::new(AtomicU32::new(0));
        let instance = InstanceId::new(name)?;
        let (slowness, hanging, counting) = (slower.clone(), hangs.clone(), taken.clone());
        let answer = move |_request: Request| {
            let (slower, hangs) =
                (f64::from(slowness.load(Ordering::Relaxed)), hanging.load(Ordering::Relaxed));
            counting.fetch_add(1, Ordering::Relaxed);
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                let began = Instant::now();
                sleep(ms(20.0 * slower).to_duration()).await;
                Response::messagepack(&Millis::from(began.elapsed()))
            }
        };
        let endpoint = Endpoint::new(8)
            .shared(subjects::execute_cloud(&model("vgg16")))
            .own(subjects::execute_cloud_at(&model("vgg16"), &instance));
        let serving = bus.serve(endpoint, answer).await?;
        let announcement = announce(bus, presence(ServiceKind::CloudExecutor, name, "rack", 8)).await?;
        Ok(Self { slower, hangs, taken, _serving: serving, _announcement: announcement })
    }
}

/// The edge executor.
pub struct EdgeExecutor {
    /// Whether its tuner cannot set the hardware.
    pub untunable: Arc<AtomicBool>,
    _serving: Serving,
    _announcement: Announcement,
}

impl EdgeExecutor {
    pub async fn start(bus: &Bus) -> anyhow::Result<Self> {
        let untunable = Arc::new(AtomicBool::new(false));
        let (calling, failing) = (bus.clone(), untunable.clone());
        let answer = move |request: Request| {
            let (bus, fails) = (calling.clone(), failing.load(Ordering::Relaxed));
            async move { execute(&bus, &request, fails).await }
        };
        let instance = InstanceId::new("e1")?;
        let endpoint = Endpoint::new(8)
            .shared(subjects::execute_edge(&model("vgg16")))
            .own(subjects::execute_edge_at(&model("vgg16"), &instance));
        let serving = bus.serve(endpoint, answer).await?;
        let announcement = announce(bus, presence(ServiceKind::EdgeExecutor, "e1", "pi", 8)).await?;
        Ok(Self { untunable, _serving: serving, _announcement: announcement })
    }
}

pub async fn announce(bus: &Bus, said: Presence) -> anyhow::Result<Announcement> {
    let identity = Identity { service: said.service, instance: said.instance, node: said.node };
    let update = PresenceUpdate {
        credits: said.credits,
        capacity: said.capacity,
        models: said.models,
        hardware: said.hardware,
    };
    Ok(bus.announce(identity, "0.1.0", move || update.clone()).await?)
}

async fn execute(bus: &Bus, request: &Request, untunable: bool) -> Result<Response, Fault> {
    let asked: ExecuteRequest<'_> = schemas::decode(&request.body)
        .map_err(|error| Fault::new(FaultKind::BadRequest, error.to_string()))?;
    let work = WORK.iter().find(|work| work.cut == asked.configuration.cut).unwrap();
    let began = Instant::now();
    sleep(ms(work.head_ms).to_duration()).await;
    let mut ran = Ran::at_home(asked.configuration, began.elapsed().into(), work.joules);
    if work.cut < LAST {
        let within = request.deadline.remaining().saturating_sub(AT_HOME);
        match away(bus, &asked, work.bytes, within).await {
            Some((cloud, wire, tail)) => {
                ran.stages.push(stage(Stage::Transfer, Place::Wire, wire));
                ran.stages.push(stage(Stage::Tail, Place::Cloud, tail));
                (ran.cloud, ran.sent) = (Some(cloud), work.bytes);
            }
            None => {
                let began = Instant::now();
                sleep(ms(WORK[2].head_ms - work.head_ms).to_duration()).await;
                ran.stages.push(stage(Stage::Tail, Place::Edge, began.elapsed().into()));
                (ran.configuration.cut, ran.fallback) = (LAST, Some(Fallback::FinishedAtHome));
            }
        }
    }
    if untunable && asked.configuration.edge_frequency_khz.is_some() {
        ran.fallback = ran.fallback.or(Some(Fallback::HardwareAsItWas));
    }
    Response::messagepack(&ran.reply())
}

/// Sends the frontier to the planned executor; which one answered, the time on the wire and its own. `None` when none
/// does in time.
async fn away(
    bus: &Bus,
    asked: &ExecuteRequest<'_>,
    bytes: u64,
    within: Duration,
) -> Option<(InstanceId, Millis, Millis)> {
    let instance = asked.cloud.clone()?;
    let began = Instant::now();
    let targets = vec![subjects::execute_cloud_at(&asked.model, &instance)];
    let body = vec![0_u8; usize::try_from(bytes).ok()?];
    let answer = bus.call(Call { id: asked.id, ..Call::new(targets, within, body) }).await.ok()?;
    let tail: Millis = schemas::decode(&answer.body).ok()?;
    Some((instance, Millis::from(began.elapsed()) - tail, tail))
}

struct Ran {
    configuration: Configuration,
    fallback: Option<Fallback>,
    cloud: Option<InstanceId>,
    sent: u64,
    stages: Vec<StageTime>,
    joules: f64,
}

impl Ran {
    fn at_home(configuration: Configuration, head: Millis, joules: f64) -> Self {
        let stages = vec![stage(Stage::Head, Place::Edge, head)];
        Self { configuration, fallback: None, cloud: None, sent: 0, stages, joules }
    }

    fn reply(self) -> ExecuteReply<'static> {
        let energy = EnergyEntry {
            place: Place::Edge,
            source: EnergySource::Modelled,
            joules: Joules::saturating(self.joules),
        };
        ExecuteReply {
            output: Tensor::from_f32(vec![1, 2], &[0.5, 2.5]).unwrap(),
            top: Vec::new(),
            configuration: self.configuration,
            fallback: self.fallback,
            cloud: self.cloud,
            sent_bytes: ByteCount(self.sent),
            stages: self.stages,
            energy: vec![energy],
            breakdown: Vec::new(),
            profiles: Vec::new(),
        }
    }
}
