//! A broker, a gateway, and a scripted scheduler and edge executor behind it.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{
    Announcement, Bus, Endpoint, Identity, PresenceUpdate, Request, Response, Serving, Subscription, subjects,
};
use chassis::ServiceContext;
use gateway::Settings;
use image::{DynamicImage, ImageFormat};
use schemas::{
    ByteCount, Classification, Configuration, Cut, DataType, Digest, EnergyEntry, EnergySource, ExecuteReply,
    ExecuteRequest, Fault, FaultKind, InstanceId, Joules, Millis, ModelName, NodeId, Place, Plan, PlanReason,
    PlanRequest, PolicyName, Receipt, RequestId, ServedModel, ServiceKind, Share, Stage, StageTime, Tensor,
    TensorSignature, TimeSource,
};
use testkit::TestServer;
use tokio::time::timeout;

/// Longer than anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What the scripted executor does with a request.
#[derive(Debug, Clone)]
pub enum Script {
    Answer,
    AnswerAfter(Duration),
    Refuse(Fault),
    Hang,
}

/// Everything a test needs.
pub struct Site {
    pub bus: Bus,
    pub gateway: Option<gateway::Running>,
    pub receipts: Receipts,
    pub script: Arc<Mutex<Script>>,
    /// The last plan that was asked for.
    pub planned: Arc<Mutex<Option<PlanRequest>>>,
    pub url: String,
    pub client: reqwest::Client,
    pub server: TestServer,
    /// The scripted scheduler; taken away, it is gone as in a crash.
    pub scheduler: Option<Serving>,
    _executor: Serving,
    _announced: Vec<Announcement>,
}

impl Site {
    pub async fn start() -> anyhow::Result<Self> {
        Self::with(Settings { greatest_body_bytes: ByteCount(100_000), ..Settings::default() }).await
    }

    pub async fn with(settings: Settings) -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let bus = server.connect("test").await?;
        let script = Arc::new(Mutex::new(Script::Answer));
        let planned = Arc::new(Mutex::new(None));
        let scheduling = schedule(&bus, planned.clone()).await?;
        let executor = execute(&bus, script.clone()).await?;
        let edge = announce(&bus, ServiceKind::EdgeExecutor, "edge1", vec![served_model()]);
        let scheduler = announce(&bus, ServiceKind::Scheduler, "scheduler1", Vec::new());
        let announced = vec![edge.await?, scheduler.await?];
        let receipts = Receipts(bus.subscribe(subjects::receipt_any()).await?);
        let context = ServiceContext::new(
            ServiceKind::Gateway,
            server.connect("gateway").await?,
            NodeId::new("site")?,
            InstanceId::new("gateway1")?,
            Duration::from_secs(1),
        );
        let settings = Settings { http: "127.0.0.1:0".parse()?, ..settings };
        let gateway = gateway::start(settings, context).await?;
        let url = format!("http://{}", gateway.http_address());
        Ok(Self {
            bus,
            gateway: Some(gateway),
            receipts,
            script,
            planned,
            url,
            client: reqwest::Client::new(),
            server,
            scheduler: Some(scheduling),
            _executor: executor,
            _announced: announced,
        })
    }

    pub fn set(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    /// Posts a picture to `/v1/infer/<model>`; `terms` is a query, or empty.
    pub async fn post(&self, model: &str, terms: &str, body: Vec<u8>) -> reqwest::Response {
        let url = format!("{}/v1/infer/{model}{terms}", self.url);
        self.client.post(url).body(body).timeout(PATIENCE).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.url)).timeout(PATIENCE).send().await.unwrap()
    }
}

/// The receipts published since the site was started.
pub struct Receipts(Subscription);

impl Receipts {
    pub async fn next(&mut self) -> Receipt {
        let message = timeout(PATIENCE, self.0.next()).await.expect("no receipt in time").unwrap();
        let receipt: Receipt = schemas::decode(&message.body).unwrap();
        assert_eq!(message.subject.last_token(), receipt.model.as_str());
        receipt
    }

    /// Reads until the receipt of `last`; fails when any request has two.
    pub async fn until(&mut self, last: RequestId) -> Vec<Receipt> {
        let mut read: Vec<Receipt> = Vec::new();
        while read.last().is_none_or(|receipt| receipt.id != last) {
            read.push(self.next().await);
        }
        let mut times: HashMap<RequestId, u32> = HashMap::new();
        read.iter().for_each(|receipt| *times.entry(receipt.id).or_default() += 1);
        assert!(times.values().all(|times| *times == 1), "a request has two receipts: {read:#?}");
        read
    }
}

pub fn model() -> ModelName {
    ModelName::new("tiny").unwrap()
}

pub fn served_model() -> ServedModel {
    let signature = |name: &str, shape: &[u64]| TensorSignature {
        name: name.into(),
        data_type: DataType::F32,
        shape: shape.to_vec(),
    };
    ServedModel {
        name: model(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: Cut(4),
        input: signature("pixel_values", &[1, 3, 2, 2]),
        output: signature("logits", &[1, 2]),
        accelerators: vec![schemas::Accelerator::Cpu],
    }
}

pub fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(32, 24).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn jpeg() -> Vec<u8> {
    picture(ImageFormat::Jpeg)
}

pub async fn announce(
    bus: &Bus,
    service: ServiceKind,
    instance: &str,
    models: Vec<ServedModel>,
) -> anyhow::Result<Announcement> {
    let identity = Identity { service, instance: InstanceId::new(instance)?, node: NodeId::new("site")? };
    let update = PresenceUpdate { credits: 4, capacity: 4, models, hardware: None };
    Ok(bus.announce(identity, "0.1.0", move || update.clone()).await?)
}

async fn schedule(bus: &Bus, planned: Arc<Mutex<Option<PlanRequest>>>) -> anyhow::Result<Serving> {
    let answer = move |request: Request| {
        let asked: PlanRequest = schemas::decode(&request.body).unwrap();
        let plan = Plan {
            configuration: configuration(),
            edge: InstanceId::new("edge1").unwrap(),
            cloud: Some(InstanceId::new("cloud1").unwrap()),
            predicted_latency_ms: Some(Millis::saturating(30.0)),
            predicted_energy_j: Some(Joules::saturating(0.5)),
            policy: asked.policy.unwrap_or(PolicyName::Dynasplit),
            reason: PlanReason::LeastEnergyWithinLimit,
            front: None,
        };
        *planned.lock().unwrap() = Some(asked);
        async move { Response::messagepack(&plan) }
    };
    Ok(bus.serve(Endpoint::new(64).shared(subjects::plan_any()), answer).await?)
}

async fn execute(bus: &Bus, script: Arc<Mutex<Script>>) -> anyhow::Result<Serving> {
    let edge = InstanceId::new("edge1")?;
    let endpoint = Endpoint::new(64)
        .shared(subjects::execute_edge(&model()))
        .own(subjects::execute_edge_at(&model(), &edge));
    let answer = move |request: Request| {
        let script = script.lock().unwrap().clone();
        async move {
            let asked: ExecuteRequest<'_> = schemas::decode(&request.body)
                .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
            assert_eq!(asked.id, request.id);
            match script {
                Script::Answer => {}
                Script::AnswerAfter(delay) => tokio::time::sleep(delay).await,
                Script::Refuse(fault) => return Err(fault),
                Script::Hang => std::future::pending().await,
            }
            Response::messagepack(&executed(asked.configuration))
        }
    };
    Ok(bus.serve(endpoint, answer).await?)
}

pub fn configuration() -> Configuration {
    Configuration::at(Cut(2))
}

fn executed(configuration: Configuration) -> ExecuteReply<'static> {
    let joules = |place, joules| EnergyEntry {
        place,
        source: EnergySource::Emulated,
        joules: Joules::saturating(joules),
    };
    ExecuteReply {
        output: Tensor::from_f32(vec![1, 2], &[0.5, 2.5]).unwrap(),
        top: vec![Classification { index: 1, label: "cat".into(), probability: Share::saturating(0.88) }],
        configuration,
        fallback: None,
        cloud: Some(InstanceId::new("cloud1").unwrap()),
        sent_bytes: ByteCount(1_234),
        stages: vec![StageTime {
            stage: Stage::Head,
            place: Place::Edge,
            time_ms: Millis::saturating(3.0),
            source: TimeSource::Measured,
        }],
        energy: vec![joules(Place::Edge, 0.25), joules(Place::Cloud, 1.5)],
        breakdown: Vec::new(),
        profiles: Vec::new(),
    }
}
