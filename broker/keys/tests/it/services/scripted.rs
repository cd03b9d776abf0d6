//! Executors that ask and answer as ours do, without a network to run.

use std::time::Duration;

use broker::{
    Announcement, Bus, Call, Endpoint, Identity, PresenceUpdate, Request, Response, Serving, subjects,
};
use schemas::{
    Classification, Configuration, Cut, EnergyEntry, EnergySource, ExecuteReply, ExecuteRequest, Fault,
    FaultKind, InstanceId, Joules, Millis, ModelName, NodeId, Place, ServiceKind, Share, Stage, StageTime,
    Tensor, TimeSource, TuneRequest,
};
use testkit::ScriptedNetwork;

use crate::deployment::PATIENCE;

/// The network's last cut.
const LAST: u16 = 2;

/// Both executors.
pub const INSTANCES: [(ServiceKind, &str); 2] =
    [(ServiceKind::EdgeExecutor, "edge1"), (ServiceKind::CloudExecutor, "cloud1")];

pub fn model() -> ModelName {
    ModelName::new("tiny").unwrap()
}

fn network() -> ScriptedNetwork {
    ScriptedNetwork { model: model(), last_cut: Cut(LAST) }
}

/// Something that serves and says so.
pub struct Machine {
    _serving: Vec<Serving>,
    _announced: Announcement,
}

impl Machine {
    /// Sets the clock where asked to, has the tail run in the cloud, and answers.
    pub async fn edge(bus: &Bus, node: &str) -> anyhow::Result<Self> {
        let instance = InstanceId::new("edge1")?;
        let (asking, tuner) = (bus.clone(), NodeId::new(node)?);
        let execute = move |request: Request| {
            let (bus, tuner) = (asking.clone(), tuner.clone());
            async move { run(&bus, &tuner, &request).await }
        };
        let endpoint = Endpoint::new(4)
            .shared(subjects::execute_edge(&model()))
            .own(subjects::execute_edge_at(&model(), &instance));
        let nothing = |_: Request| async { Response::messagepack(&()) };
        let link = Endpoint::new(1).shared(subjects::link(&NodeId::new(node)?));
        let serving = vec![
            bus.serve(endpoint, execute).await?,
            network().describe(bus).await?,
            bus.serve(link, nothing).await?,
        ];
        bus.model_store().await?.list().await?;
        let announced = announce(bus, ServiceKind::EdgeExecutor, instance, node).await?;
        Ok(Self { _serving: serving, _announced: announced })
    }

    /// Answers tails, longer than it takes to need an ACCEPT.
    pub async fn cloud(bus: &Bus, node: &str) -> anyhow::Result<Self> {
        let instance = InstanceId::new("cloud1")?;
        let tail = |request: Request| async move {
            if request.body.is_empty() {
                return Err(Fault::new(FaultKind::BadRequest, "no tail request"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            Response::messagepack(&())
        };
        let endpoint = Endpoint::new(4)
            .shared(subjects::execute_cloud(&model()))
            .own(subjects::execute_cloud_at(&model(), &instance));
        let serving = vec![bus.serve(endpoint, tail).await?, network().describe(bus).await?];
        bus.model_store().await?.list().await?;
        let announced = announce(bus, ServiceKind::CloudExecutor, instance, node).await?;
        Ok(Self { _serving: serving, _announced: announced })
    }
}

async fn run(bus: &Bus, node: &NodeId, request: &Request) -> Result<Response, Fault> {
    // An empty message only asks whether it is there.
    let asked: ExecuteRequest<'_> = schemas::decode(&request.body)
        .map_err(|error| Fault::new(FaultKind::BadRequest, error.to_string()))?;
    let configuration = asked.configuration;
    if let Some(clock) = configuration.edge_frequency_khz {
        let order = TuneRequest::SetFrequency(clock);
        bus.ask(subjects::tune(node), PATIENCE, &order).await.map_err(|error| error.to_fault())?;
    }
    if configuration.cut != Cut(LAST) {
        let cloud = asked.cloud.map(|cloud| subjects::execute_cloud_at(&model(), &cloud));
        let targets = cloud.into_iter().chain([subjects::execute_cloud(&model())]).collect();
        bus.call(Call::new(targets, PATIENCE, vec![0xc0])).await.map_err(|error| error.to_fault())?;
    }
    Response::messagepack(&executed(configuration))
}

async fn announce(
    bus: &Bus,
    service: ServiceKind,
    instance: InstanceId,
    node: &str,
) -> anyhow::Result<Announcement> {
    let update = PresenceUpdate { credits: 4, capacity: 4, models: vec![network().served()], hardware: None };
    let identity = Identity { service, instance, node: NodeId::new(node)? };
    Ok(bus.announce(identity, "0.1.0", move || update.clone()).await?)
}

fn executed(configuration: Configuration) -> ExecuteReply<'static> {
    let joules = |place, joules| EnergyEntry {
        place,
        source: EnergySource::Emulated,
        joules: Joules::saturating(joules),
    };
    let mut energy = vec![joules(Place::Edge, 1.0 + f64::from(configuration.cut.0))];
    if configuration.cut != Cut(LAST) {
        energy.push(joules(Place::Cloud, 1.0));
    }
    ExecuteReply {
        output: Tensor::from_f32(vec![1, 2], &[0.0, 1.0]).unwrap(),
        top: vec![Classification { index: 1, label: "cat".into(), probability: Share::saturating(0.9) }],
        configuration,
        fallback: None,
        cloud: None,
        sent_bytes: network().bytes_at(configuration.cut),
        stages: vec![StageTime {
            stage: Stage::Head,
            place: Place::Edge,
            time_ms: Millis::saturating(3.0),
            source: TimeSource::Measured,
        }],
        energy,
        breakdown: Vec::new(),
        profiles: Vec::new(),
    }
}
