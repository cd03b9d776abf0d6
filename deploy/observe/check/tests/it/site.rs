//! A broker, the four services without networks, and executors that compute nothing.

use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{Announcement, Bus, Endpoint, Identity, PresenceUpdate, Request, Response, Serving, subjects};
use chassis::{Attendance, Instruments, ServiceContext, TelemetrySettings};
use image::{DynamicImage, ImageFormat};
use schemas::{
    ByteCount, DataType, EnergyEntry, EnergySource, ExecuteReply, ExecuteRequest, Fallback, Front,
    InstanceId, Joules, Millis, NodeId, Place, PolicyName, Presence, ServiceKind, Stage, StageTime, Tensor,
    TensorSignature, TimeSource, TuneRequest, total_joules,
};
use tempfile::TempDir;
use testkit::TestServer;

use crate::fronts::{LAST, front, measurement, model, presence};

/// Longer than anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A service with the instruments of the process that it would have.
pub struct Watched<R> {
    pub running: R,
    pub instruments: Instruments,
    pub context: ServiceContext,
    _attendance: Attendance,
}

pub struct Site {
    pub gateway: Watched<gateway::Running>,
    pub scheduler: Option<Watched<scheduler::Running>>,
    pub tuner: Watched<tuner::Running>,
    pub optimizer: Watched<optimizer::Running>,
    /// The `traceparent` of the last execution.
    pub executed: Arc<Mutex<Option<String>>>,
    pub bus: Bus,
    client: reqwest::Client,
    _executor: Serving,
    _announced: Vec<Announcement>,
    _folder: TempDir,
    _server: TestServer,
}

impl Site {
    pub async fn start(otlp_endpoint: Option<String>) -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let folder = tempfile::tempdir()?;
        let bus = server.connect("test").await?;
        bus.publish_front(&broker::sealed(measured())).await?;
        let executed = Arc::default();
        let executor = execute(&bus, Arc::clone(&executed)).await?;
        let edge = announce(&bus, picture_presence(ServiceKind::EdgeExecutor, "e1", "pi")).await?;
        let cloud = announce(&bus, picture_presence(ServiceKind::CloudExecutor, "c1", "rack")).await?;
        let watch = |kind| watch(&server, kind, otlp_endpoint.clone());
        let settings = tuner::Settings {
            emulate: Some("raspberry-pi-4".into()),
            state_dir: Some(folder.path().into()),
            ..tuner::Settings::default()
        };
        let tuner =
            start(watch(ServiceKind::Tuner).await?, |context| tuner::start(settings, context)).await?;
        let scheduler = start(watch(ServiceKind::Scheduler).await?, |context| {
            scheduler::start(scheduler::Settings::default(), context)
        })
        .await?;
        let settings =
            optimizer::Settings { state_dir: Some(folder.path().into()), ..optimizer::Settings::default() };
        let optimizer =
            start(watch(ServiceKind::Optimizer).await?, |context| optimizer::start(settings, context))
                .await?;
        let settings = gateway::Settings { http: "127.0.0.1:0".parse()?, ..gateway::Settings::default() };
        let gateway =
            start(watch(ServiceKind::Gateway).await?, |context| gateway::start(settings, context)).await?;
        Ok(Self {
            gateway,
            scheduler: Some(scheduler),
            tuner,
            optimizer,
            executed,
            bus,
            client: reqwest::Client::new(),
            _executor: executor,
            _announced: vec![edge, cloud],
            _folder: folder,
            _server: server,
        })
    }

    /// Sends a picture; returns the status.
    pub async fn post(&self, query: &str, traceparent: Option<&str>) -> u16 {
        let url = format!("http://{}/v1/infer/vgg16{query}", self.gateway.running.http_address());
        let request = self.client.post(url).body(jpeg()).timeout(PATIENCE);
        let request =
            traceparent.into_iter().fold(request, |request, text| request.header("traceparent", text));
        request.send().await.unwrap().status().as_u16()
    }

    /// Asks how the machine is set, as an edge executor does now and then.
    pub async fn ask_the_tuner(&self) {
        let subject = subjects::tune(&self.tuner.context.node);
        self.bus.ask(subject, PATIENCE, &TuneRequest::Report).await.unwrap();
    }

    /// Where Prometheus finds each service that is there.
    pub fn targets(&self) -> Vec<String> {
        let scheduler = self.scheduler.as_ref().map(|scheduler| &scheduler.instruments);
        [&self.gateway.instruments, &self.tuner.instruments, &self.optimizer.instruments]
            .into_iter()
            .chain(scheduler)
            .map(|instruments| instruments.address().unwrap().to_string())
            .collect()
    }
}

pub async fn watch(
    server: &TestServer,
    kind: ServiceKind,
    otlp_endpoint: Option<String>,
) -> anyhow::Result<(ServiceContext, Instruments)> {
    let settings = TelemetrySettings {
        metrics_address: Some("127.0.0.1:0".parse()?),
        otlp_endpoint,
        ..TelemetrySettings::default()
    };
    let instruments = Instruments::start(&settings).await?;
    let bus = server.connect(kind.as_str()).await?;
    // The tuner is of the edge's machine.
    let (node, instance) = (NodeId::new("pi")?, InstanceId::new(format!("{kind}1"))?);
    let context = ServiceContext::new(kind, bus, node, instance, Duration::from_secs(1));
    Ok((context.under(&instruments)?, instruments))
}

pub async fn start<R, E, F>(
    (context, instruments): (ServiceContext, Instruments),
    start: impl FnOnce(ServiceContext) -> F,
) -> anyhow::Result<Watched<R>>
where
    E: std::error::Error + Send + Sync + 'static,
    F: Future<Output = Result<R, E>>,
{
    let attendance = Attendance::begin(&context);
    let running = start(context.clone()).await?;
    attendance.started();
    Ok(Watched { running, instruments, context, _attendance: attendance })
}

/// A front whose best point is a split, measured over a link that takes time.
fn measured() -> Front {
    let stage = |stage, place, time| StageTime {
        stage,
        place,
        time_ms: Millis::saturating(time),
        source: TimeSource::Measured,
    };
    let mut split = measurement("split", 3, 50.0, Some(1.0), None);
    split.stages = vec![
        stage(Stage::Head, Place::Edge, 20.0),
        stage(Stage::Transfer, Place::Wire, 10.0),
        stage(Stage::Tail, Place::Cloud, 20.0),
    ];
    split.sent_bytes = ByteCount(100_000);
    let mut other = measurement("other", 9, 60.0, Some(0.9), None);
    other.stages = vec![
        stage(Stage::Head, Place::Edge, 30.0),
        stage(Stage::Transfer, Place::Wire, 4.0),
        stage(Stage::Tail, Place::Cloud, 26.0),
    ];
    other.sent_bytes = ByteCount(20_000);
    front(vec![split, other])
}

fn picture_presence(service: ServiceKind, instance: &str, node: &str) -> Presence {
    let mut said = presence(service, instance, node, 8);
    said.models[0].input =
        TensorSignature { name: "pixels".into(), data_type: DataType::F32, shape: vec![1, 3, 8, 8] };
    said
}

async fn announce(bus: &Bus, said: Presence) -> anyhow::Result<Announcement> {
    let identity = Identity { service: said.service, instance: said.instance, node: said.node };
    let update = PresenceUpdate {
        credits: said.credits,
        capacity: said.capacity,
        models: said.models,
        hardware: None,
    };
    Ok(bus.announce(identity, "0.1.0", move || update.clone()).await?)
}

async fn execute(bus: &Bus, executed: Arc<Mutex<Option<String>>>) -> anyhow::Result<Serving> {
    let (name, edge) = (model("vgg16"), InstanceId::new("e1")?);
    let endpoint =
        Endpoint::new(64).shared(subjects::execute_edge(&name)).own(subjects::execute_edge_at(&name, &edge));
    let answer = move |request: Request| {
        *executed.lock().unwrap() = request.headers.get("traceparent").map(str::to_owned);
        let asked: ExecuteRequest<'_> = schemas::decode(&request.body).unwrap();
        let reply = reply(&asked);
        async move { Response::messagepack(&reply) }
    };
    Ok(bus.serve(endpoint, answer).await?)
}

/// What the front says of a configuration: nothing has drifted.
fn reply(asked: &ExecuteRequest<'_>) -> ExecuteReply<'static> {
    let front = measured();
    let all = front.points.iter().chain([&front.all_cloud, &front.all_edge]);
    let said = all.into_iter().find(|one| one.configuration.cut == asked.configuration.cut);
    let joules = said.and_then(|one| total_joules(&one.energy)).unwrap().get() / 2.0;
    let entry = |place, source| EnergyEntry { place, source, joules: Joules::saturating(joules) };
    let at_home = asked.configuration.cut == LAST;
    ExecuteReply {
        output: Tensor::from_f32(vec![1, 2], &[0.5, 2.5]).unwrap(),
        top: Vec::new(),
        configuration: asked.configuration,
        fallback: at_home.then_some(Fallback::HardwareAsItWas),
        cloud: (!at_home).then(|| InstanceId::new("c1").unwrap()),
        sent_bytes: said.map_or(ByteCount(0), |one| one.sent_bytes),
        stages: said.map_or_else(Vec::new, |one| one.stages.clone()),
        energy: vec![entry(Place::Edge, EnergySource::Emulated), entry(Place::Cloud, EnergySource::Modelled)],
        breakdown: Vec::new(),
        profiles: Vec::new(),
    }
}

fn jpeg() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(16, 16).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// The policies that requests name in turn, so that every part of the dashboard has something to show.
pub const POLICIES: [PolicyName; 3] = [PolicyName::Adaptive, PolicyName::Edge, PolicyName::Cloud];
