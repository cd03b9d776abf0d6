//! A broker, an optimizer, and scripted executors.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use broker::{
    Announcement, Answer, Bus, CallError, Endpoint, Fronts, Identity, PresenceUpdate, Request, Response,
    Serving, subjects,
};
use chassis::ServiceContext;
use futures::FutureExt as _;
use optimizer::Settings;
use schemas::{
    Classification, Configuration, Cut, ElementFormat, EnergyEntry, EnergySource, ExecuteReply,
    ExecuteRequest, Fallback, Fault, HardwareReport, Input, InstanceId, Joules, KiloHertz, LabelledPicture,
    Millis, ModelName, NodeId, OptimizeReply, OptimizeRequest, Place, SearchWishes, ServiceKind, Share,
    Stage, StageTime, Tensor, TimeSource, TuneReply,
};
use tempfile::TempDir;
use testkit::{ScriptedNetwork, TestServer};

/// Longer than anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The network's last cut.
pub const LAST: u16 = 4;

/// What a request costs on the scripted executor.
pub fn truth(configuration: &Configuration) -> (Duration, f64) {
    let cut = u64::from(configuration.cut.0);
    let megahertz = configuration.edge_frequency_khz.map_or(1_800, |clock| clock.0 / 1_000);
    // More layers on the edge take longer there, the more so at a low clock.
    let latency = Duration::from_millis(10 + cut * 18_000 / megahertz);
    // And cost less in the cloud.
    (latency, 10.0 - 2.0 * cut as f64 + megahertz as f64 / 1_800.0)
}

/// The class the scripted executor sees: right for three of the four pictures, but `i8` spoils cut 3.
fn class(configuration: &Configuration) -> u32 {
    let is_spoilt = configuration.codec.elements == ElementFormat::I8 && configuration.cut == Cut(3);
    u32::from(!is_spoilt)
}

/// What goes wrong on the scripted executor: asked with the configuration and how often it ran already.
pub type Trouble = Arc<dyn Fn(&Configuration, u32) -> Result<Option<Fallback>, Fault> + Send + Sync>;

/// How much longer a head takes at a cut than [`truth`] says.
pub type Delays = Arc<Mutex<HashMap<Cut, Duration>>>;

/// Requests that the gateway takes at once.
pub const GATEWAY_CAPACITY: u32 = 8;

pub fn no_trouble() -> Trouble {
    Arc::new(|_, _| Ok(None))
}

pub struct Site {
    pub bus: Bus,
    pub fronts: Fronts,
    /// The configurations that ran, in order.
    pub ran: Arc<Mutex<Vec<Configuration>>>,
    /// Where the campaigns' logs are.
    pub state: TempDir,
    pub server: TestServer,
    pub delays: Delays,
    /// Live requests at the gateway, and how often it was asked for them.
    pub waiting: Arc<AtomicU32>,
    pub asked: Arc<AtomicU32>,
    trouble: Trouble,
    edge: Mutex<Option<Machine>>,
    tuner: Mutex<Option<Machine>>,
    cloud: Mutex<Option<Machine>>,
    settings: Settings,
    optimizer: Mutex<Option<optimizer::Running>>,
    _gateway: Announcement,
}

/// Something that serves and says so; silent when dropped.
pub struct Machine {
    _serving: Vec<Serving>,
    _announced: Announcement,
}

impl Site {
    pub async fn start(settings: Settings, trouble: Trouble) -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let bus = server.connect("test").await?;
        let ran = Arc::new(Mutex::new(Vec::new()));
        let state = tempfile::tempdir()?;
        let settings = Settings { state_dir: Some(state.path().to_owned()), ..settings };
        let delays = Delays::default();
        let script = Script { trouble: trouble.clone(), ran: ran.clone(), delays: delays.clone() };
        let edge = edge(&bus, "edge1", "pi", script).await?;
        let (cloud, tuner) = (cloud(&bus, "cloud1", "server").await?, tuner(&bus, "tuner1", "pi").await?);
        let (waiting, asked) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let gateway = gateway(&bus, waiting.clone(), asked.clone()).await?;
        let optimizer = optimizer::start(settings.clone(), context(&server).await?).await?;
        let fronts = bus.watch_fronts().await?;
        Ok(Self {
            bus,
            fronts,
            ran,
            state,
            server,
            delays,
            waiting,
            asked,
            trouble,
            edge: Mutex::new(Some(edge)),
            tuner: Mutex::new(Some(tuner)),
            cloud: Mutex::new(Some(cloud)),
            settings,
            optimizer: Mutex::new(Some(optimizer)),
            _gateway: gateway,
        })
    }

    /// The optimizer falls silent, as in a crash, and another one starts on its folder.
    pub async fn restart_optimizer(&self) -> anyhow::Result<()> {
        drop(self.optimizer.lock().unwrap().take());
        let started = optimizer::start(self.settings.clone(), context(&self.server).await?).await?;
        *self.optimizer.lock().unwrap() = Some(started);
        Ok(())
    }

    /// The edge executor falls silent, as in a crash.
    pub fn kill_edge(&self) {
        drop(self.edge.lock().unwrap().take());
    }

    /// It, or another one, starts.
    pub async fn start_edge(&self, instance: &str, node: &str) -> anyhow::Result<()> {
        let started = self.another_edge(instance, node).await?;
        *self.edge.lock().unwrap() = Some(started);
        Ok(())
    }

    /// One beside it.
    pub async fn another_edge(&self, instance: &str, node: &str) -> anyhow::Result<Machine> {
        let (trouble, ran) = (self.trouble.clone(), self.ran.clone());
        edge(&self.bus, instance, node, Script { trouble, ran, delays: self.delays.clone() }).await
    }

    pub async fn another_tuner(&self, instance: &str, node: &str) -> anyhow::Result<Machine> {
        tuner(&self.bus, instance, node).await
    }

    pub fn kill_tuner(&self) {
        drop(self.tuner.lock().unwrap().take());
    }

    pub async fn start_tuner(&self) -> anyhow::Result<()> {
        let started = tuner(&self.bus, "tuner2", "pi").await?;
        *self.tuner.lock().unwrap() = Some(started);
        Ok(())
    }

    pub fn kill_cloud(&self) {
        drop(self.cloud.lock().unwrap().take());
    }

    pub async fn start_cloud(&self) -> anyhow::Result<()> {
        let started = cloud(&self.bus, "cloud2", "server").await?;
        *self.cloud.lock().unwrap() = Some(started);
        Ok(())
    }

    pub async fn ask(&self, request: &OptimizeRequest<'_>, budget: Duration) -> Result<Answer, CallError> {
        self.bus.ask(subjects::optimize(&request.model), budget, request).await
    }

    pub async fn measure(&self, request: &OptimizeRequest<'_>) -> Result<OptimizeReply, Fault> {
        let answer = self.ask(request, PATIENCE).await.map_err(|error| error.to_fault())?;
        Ok(schemas::decode(&answer.body).unwrap())
    }
}

async fn context(server: &TestServer) -> anyhow::Result<ServiceContext> {
    Ok(ServiceContext::new(
        ServiceKind::Optimizer,
        server.connect("optimizer").await?,
        NodeId::new("server")?,
        InstanceId::new("optimizer1")?,
        Duration::from_secs(1),
    ))
}

pub fn model() -> ModelName {
    ModelName::new("tiny").unwrap()
}

/// Four pictures; the executor sees class 1 in each, which is right for three.
pub fn request(samples: u32) -> OptimizeRequest<'static> {
    let picture = |class| LabelledPicture { bytes: b"a picture".to_vec().into(), class: Some(class) };
    OptimizeRequest {
        model: model(),
        pictures: [1, 1, 0, 1].map(picture).to_vec(),
        samples,
        most_samples: None,
        search: SearchWishes::default(),
    }
}

/// The same, measuring everything.
pub fn grid(samples: u32) -> OptimizeRequest<'static> {
    let search = SearchWishes { strategy: Some("grid".into()), ..SearchWishes::default() };
    OptimizeRequest { search, ..request(samples) }
}

pub fn clocks() -> Vec<KiloHertz> {
    vec![KiloHertz::from_megahertz(600), KiloHertz::from_megahertz(1_800)]
}

fn network() -> ScriptedNetwork {
    ScriptedNetwork { model: model(), last_cut: Cut(LAST) }
}

/// What a scripted executor does.
#[derive(Clone)]
struct Script {
    trouble: Trouble,
    ran: Arc<Mutex<Vec<Configuration>>>,
    delays: Delays,
}

/// A gateway that is only there, and says how many requests it has.
async fn gateway(bus: &Bus, waiting: Arc<AtomicU32>, asked: Arc<AtomicU32>) -> anyhow::Result<Announcement> {
    let update = move || {
        asked.fetch_add(1, Ordering::SeqCst);
        let credits = GATEWAY_CAPACITY - waiting.load(Ordering::SeqCst);
        PresenceUpdate { credits, capacity: GATEWAY_CAPACITY, ..PresenceUpdate::default() }
    };
    let (instance, node) = (InstanceId::new("gateway1")?, NodeId::new("server")?);
    let identity = Identity { service: ServiceKind::Gateway, instance, node };
    Ok(bus.announce(identity, "0.1.0", update).await?)
}

async fn edge(bus: &Bus, instance: &str, node: &str, script: Script) -> anyhow::Result<Machine> {
    Ok(Machine {
        _serving: vec![execute(bus, instance, script).await?, network().describe(bus).await?],
        _announced: announce(bus, ServiceKind::EdgeExecutor, instance, node).await?,
    })
}

/// A cloud executor that is only there: the scripted edge does not ask it for tails.
async fn cloud(bus: &Bus, instance: &str, node: &str) -> anyhow::Result<Machine> {
    let refuse = |_: Request| {
        std::future::ready(Err::<Response, _>(Fault::new(schemas::FaultKind::BadRequest, "no tail request")))
    };
    let own = subjects::execute_cloud_at(&model(), &InstanceId::new(instance)?);
    Ok(Machine {
        _serving: vec![bus.serve(Endpoint::new(4).own(own), refuse).await?],
        _announced: announce(bus, ServiceKind::CloudExecutor, instance, node).await?,
    })
}

async fn tuner(bus: &Bus, instance: &str, node: &str) -> anyhow::Result<Machine> {
    let report = hardware(&NodeId::new(node)?);
    let answer = move |_: Request| {
        let reply =
            TuneReply { hardware: report.clone(), changed: false, took_ms: Millis::ZERO, writes: Vec::new() };
        std::future::ready(Response::messagepack(&reply))
    };
    let subject = subjects::tune(&NodeId::new(node)?);
    Ok(Machine {
        _serving: vec![bus.serve(Endpoint::new(4).shared(subject), answer).await?],
        _announced: announce(bus, ServiceKind::Tuner, instance, node).await?,
    })
}

fn hardware(node: &NodeId) -> HardwareReport {
    HardwareReport {
        node: node.clone(),
        emulates: Some("raspberry-pi-4".into()),
        cores: 4,
        frequencies_khz: clocks(),
        frequency_khz: clocks().pop(),
        governor: Some("userspace".into()),
        slowdown: None,
        power: None,
        knobs: Vec::new(),
        sensors: Vec::new(),
        meter: None,
        battery: None,
        leases: Vec::new(),
    }
}

async fn announce(
    bus: &Bus,
    service: ServiceKind,
    instance: &str,
    node: &str,
) -> anyhow::Result<Announcement> {
    let node = NodeId::new(node)?;
    let hardware = (service == ServiceKind::Tuner).then(|| hardware(&node));
    let models = if hardware.is_some() { Vec::new() } else { vec![network().served()] };
    let update = PresenceUpdate { credits: 1, capacity: 1, models, hardware };
    let identity = Identity { service, instance: InstanceId::new(instance)?, node };
    Ok(bus.announce(identity, "0.1.0", move || update.clone()).await?)
}

async fn execute(bus: &Bus, instance: &str, script: Script) -> anyhow::Result<Serving> {
    let Script { trouble, ran, delays } = script;
    let edge = InstanceId::new(instance)?;
    let times: Arc<Mutex<HashMap<Configuration, u32>>> = Arc::default();
    let answer = move |request: Request| {
        // An empty message only asks whether it is there.
        let Ok(asked) = schemas::decode::<ExecuteRequest<'_>>(&request.body) else {
            let refused = Fault::new(schemas::FaultKind::BadRequest, "no execution request");
            return futures::future::ready(Err(refused)).left_future();
        };
        assert!(matches!(asked.input, Input::Encoded { .. }));
        assert!(asked.cloud.as_ref().is_some_and(|cloud| ["cloud1", "cloud2"].contains(&cloud.as_str())));
        let configuration = asked.configuration;
        ran.lock().unwrap().push(configuration);
        let already = {
            let mut times = times.lock().unwrap();
            let times = times.entry(configuration).or_default();
            *times += 1;
            *times - 1
        };
        let fallback = trouble(&configuration, already);
        let delay = delays.lock().unwrap().get(&configuration.cut).copied().unwrap_or_default();
        let working = async move {
            let fallback = fallback?;
            let (latency, joules) = truth(&configuration);
            // Setting the hardware takes time that is no part of the latency.
            let change = Duration::from_millis(7);
            let began = Instant::now();
            tokio::time::sleep(latency + change + delay).await;
            let latency = began.elapsed() - change;
            // At cut 0 no layer runs on the edge, and none cares for its clock.
            let stage = if configuration.cut == Cut(0) { Stage::Preprocess } else { Stage::Head };
            let executed =
                fallback.map_or(configuration, |_| Configuration { cut: Cut(LAST), ..configuration });
            Response::messagepack(&executed_with(
                executed,
                fallback,
                [(Stage::HardwareChange, change), (stage, latency)],
                joules,
            ))
        };
        working.right_future()
    };
    Ok(bus.serve(Endpoint::new(1).own(subjects::execute_edge_at(&model(), &edge)), answer).await?)
}

fn executed_with(
    configuration: Configuration,
    fallback: Option<Fallback>,
    stages: [(Stage, Duration); 2],
    joules: f64,
) -> ExecuteReply<'static> {
    let stage = |(stage, time): (Stage, Duration)| StageTime {
        stage,
        place: Place::Edge,
        time_ms: Millis::from(time),
        source: TimeSource::Measured,
    };
    let entry = |place, joules| EnergyEntry {
        place,
        source: EnergySource::Emulated,
        joules: Joules::saturating(joules),
    };
    let mut energy = vec![entry(Place::Edge, joules)];
    if configuration.cut != Cut(LAST) {
        energy.push(entry(Place::Cloud, 1.0));
    }
    ExecuteReply {
        output: Tensor::from_f32(vec![1, 2], &[0.0, 1.0]).unwrap(),
        top: vec![Classification {
            index: class(&configuration),
            label: "a label".into(),
            probability: Share::saturating(0.9),
        }],
        configuration,
        fallback,
        cloud: None,
        sent_bytes: network().bytes_at(configuration.cut),
        stages: stages.map(stage).to_vec(),
        energy,
        breakdown: Vec::new(),
        profiles: Vec::new(),
    }
}
