//! A broker, an optimizer, and scripted executors.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{
    Announcement, Answer, Bus, CallError, Endpoint, Fronts, Identity, PresenceUpdate, Request, Response,
    Serving, subjects,
};
use chassis::ServiceContext;
use optimizer::Settings;
use schemas::{
    ByteCount, Classification, Configuration, Cut, CutDescription, DataType, Digest, ElementFormat,
    EnergyEntry, EnergySource, ExecuteReply, ExecuteRequest, Fallback, Fault, HardwareReport, Input,
    InstanceId, Joules, KiloHertz, LabelledPicture, Millis, ModelDescription, ModelName, NodeId,
    OptimizeReply, OptimizeRequest, Place, SearchWishes, ServedModel, ServiceKind, Share, Stage, StageTime,
    Tensor, TensorSignature, TimeSource,
};
use testkit::TestServer;

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

pub fn no_trouble() -> Trouble {
    Arc::new(|_, _| Ok(None))
}

pub struct Site {
    pub bus: Bus,
    pub fronts: Fronts,
    /// The configurations that ran, in order.
    pub ran: Arc<Mutex<Vec<Configuration>>>,
    _optimizer: optimizer::Running,
    _serving: Vec<Serving>,
    _announced: Vec<Announcement>,
    _server: TestServer,
}

impl Site {
    pub async fn start(settings: Settings, trouble: Trouble) -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let bus = server.connect("test").await?;
        let ran = Arc::new(Mutex::new(Vec::new()));
        let serving = vec![execute(&bus, trouble, ran.clone()).await?, describe(&bus).await?];
        let announced = vec![
            announce(&bus, ServiceKind::EdgeExecutor, "edge1", "pi").await?,
            announce(&bus, ServiceKind::CloudExecutor, "cloud1", "server").await?,
            announce(&bus, ServiceKind::Tuner, "tuner1", "pi").await?,
        ];
        let context = ServiceContext {
            bus: server.connect("optimizer").await?,
            node: NodeId::new("server")?,
            instance: InstanceId::new("optimizer1")?,
            grace: Duration::from_secs(1),
        };
        let optimizer = optimizer::start(settings, context).await?;
        let fronts = bus.watch_fronts().await?;
        Ok(Self {
            bus,
            fronts,
            ran,
            _optimizer: optimizer,
            _serving: serving,
            _announced: announced,
            _server: server,
        })
    }

    pub async fn ask(&self, request: &OptimizeRequest<'_>, budget: Duration) -> Result<Answer, CallError> {
        self.bus.ask(subjects::optimize(&request.model), budget, request).await
    }

    pub async fn measure(&self, request: &OptimizeRequest<'_>) -> Result<OptimizeReply, Fault> {
        let answer = self.ask(request, PATIENCE).await.map_err(|error| error.to_fault())?;
        Ok(schemas::decode(&answer.body).unwrap())
    }
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

pub fn clocks() -> Vec<KiloHertz> {
    vec![KiloHertz::from_megahertz(600), KiloHertz::from_megahertz(1_800)]
}

fn signature() -> TensorSignature {
    TensorSignature { name: "t".into(), data_type: DataType::F32, shape: vec![1] }
}

async fn announce(
    bus: &Bus,
    service: ServiceKind,
    instance: &str,
    node: &str,
) -> anyhow::Result<Announcement> {
    let served = ServedModel {
        name: model(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: Cut(LAST),
        input: signature(),
        output: signature(),
        accelerators: vec![schemas::Accelerator::Cpu],
    };
    let node = NodeId::new(node)?;
    let is_tuner = service == ServiceKind::Tuner;
    let hardware = is_tuner.then(|| HardwareReport {
        node: node.clone(),
        emulates: Some("raspberry-pi-4".into()),
        cores: 4,
        frequencies_khz: clocks(),
        frequency_khz: None,
        governor: None,
        slowdown: None,
        power: None,
        knobs: Vec::new(),
        sensors: Vec::new(),
        meter: None,
        battery: None,
        leases: Vec::new(),
    });
    let models = if is_tuner { Vec::new() } else { vec![served] };
    let update = PresenceUpdate { credits: 1, capacity: 1, models, hardware };
    let identity = Identity { service, instance: InstanceId::new(instance)?, node };
    Ok(bus.announce(identity, "0.1.0", move || update.clone()).await?)
}

async fn describe(bus: &Bus) -> anyhow::Result<Serving> {
    let cut = |cut| CutDescription {
        cut: Cut(cut),
        name: format!("node{cut}"),
        frontier: Vec::new(),
        bytes: ByteCount(0),
        macs_before: 0,
        macs_after: 0,
        parameters_before: 0,
        parameters_after: 0,
        dominated_by: None,
    };
    let description = ModelDescription {
        name: model(),
        digest: Digest::from_bytes([1; 32]),
        input: signature(),
        output: signature(),
        labels: Vec::new(),
        cuts: (0..=LAST).map(cut).collect(),
    };
    let answer = move |_: Request| {
        let response = Response::messagepack(&description);
        async move { response }
    };
    Ok(bus.serve(Endpoint::new(4).shared(subjects::describe(&model())), answer).await?)
}

async fn execute(
    bus: &Bus,
    trouble: Trouble,
    ran: Arc<Mutex<Vec<Configuration>>>,
) -> anyhow::Result<Serving> {
    let edge = InstanceId::new("edge1")?;
    let times: Arc<Mutex<HashMap<Configuration, u32>>> = Arc::default();
    let answer = move |request: Request| {
        let asked: ExecuteRequest<'_> = schemas::decode(&request.body).unwrap();
        assert!(matches!(asked.input, Input::Encoded { .. }));
        assert_eq!(asked.cloud.as_ref().map(InstanceId::as_str), Some("cloud1"));
        let configuration = asked.configuration;
        ran.lock().unwrap().push(configuration);
        let already = {
            let mut times = times.lock().unwrap();
            let times = times.entry(configuration).or_default();
            *times += 1;
            *times - 1
        };
        let fallback = trouble(&configuration, already);
        async move {
            let fallback = fallback?;
            let (latency, joules) = truth(&configuration);
            // Setting the hardware takes time that is no part of the latency.
            let change = Duration::from_millis(7);
            tokio::time::sleep(latency + change).await;
            let executed =
                fallback.map_or(configuration, |_| Configuration { cut: Cut(LAST), ..configuration });
            Response::messagepack(&executed_with(
                executed,
                fallback,
                [(Stage::HardwareChange, change), (Stage::Head, latency)],
                joules,
            ))
        }
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
        sent_bytes: ByteCount(1_000 * u64::from(LAST - configuration.cut.0)),
        stages: stages.map(stage).to_vec(),
        energy,
        breakdown: Vec::new(),
        profiles: Vec::new(),
    }
}
