//! Every service with its own key at a site and its hub: all that each must do, each may do, and nothing is refused.

mod scripted;

use std::io::Cursor;
use std::time::Duration;

use async_nats::ConnectOptions;
use broker::{Bus, subjects};
use chassis::{Instruments, RunningService, ServiceContext, ServiceSettings, SettingsFile};
use image::{DynamicImage, ImageFormat};
use keys::{Member, Place};
use schemas::{
    InferReply, LabelledPicture, OptimizeReply, OptimizeRequest, PolicyChoice, PolicyName, Receipt,
    SearchWishes, ServiceKind, UnixMillis,
};
use testkit::wait_for;
use tokio::time::timeout;

use crate::deployment::{CLOUD, Deployment, EDGE, OPTIMIZER, PATIENCE};
use scripted::{INSTANCES, Machine, model};

fn picture() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(32, 24).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn settings(deployment: &Deployment, place: Place) -> SettingsFile {
    SettingsFile::defaults()
        .with("broker.url", deployment.broker(place).server.url())
        .with("broker.keys_dir", deployment.folder.file("services"))
        .with("broker.tls_ca_file", deployment.folder.file("ca/ca.pem"))
        .with("node.node", place.name())
        .with("tuner.emulate", "raspberry-pi-4")
        .with("gateway.http", "127.0.0.1:0")
}

/// Starts a service as its own binary would.
async fn start<S, R, E, F>(
    file: &SettingsFile,
    start: impl FnOnce(S, ServiceContext) -> F,
) -> anyhow::Result<R>
where
    S: ServiceSettings,
    E: std::error::Error + Send + Sync + 'static,
    F: Future<Output = Result<R, E>>,
{
    let instruments = Instruments::start(&file.table("telemetry")?).await?;
    let context = ServiceContext::connect(file, S::SERVICE, &instruments).await?;
    Ok(start(S::read(file)?, context).await?)
}

struct Site {
    deployment: Deployment,
    _gateway: gateway::Running,
    _scheduler: scheduler::Running,
    _tuner: tuner::Running,
    optimizer: optimizer::Running,
    _edge: Machine,
    _cloud: Machine,
    state: tempfile::TempDir,
}

impl Site {
    async fn start() -> anyhow::Result<Self> {
        let deployment = Deployment::start().await?;
        let state = tempfile::tempdir()?;
        let at_edge = settings(&deployment, Place::Edge);
        let at_hub = settings(&deployment, Place::Hub).with("optimizer.state_dir", state.path());
        let tuner = start(&at_edge, tuner::start).await?;
        let edge = Machine::edge(&deployment.connect(Place::Edge, EDGE).await?, "edge").await?;
        let cloud = Machine::cloud(&deployment.connect(Place::Hub, CLOUD).await?, "hub").await?;
        let scheduler = start(&at_edge, scheduler::start).await?;
        let gateway = start(&at_edge, gateway::start).await?;
        let optimizer = start(&at_hub, optimizer::start).await?;
        let site = Self {
            deployment,
            _gateway: gateway,
            _scheduler: scheduler,
            _tuner: tuner,
            optimizer,
            _edge: edge,
            _cloud: cloud,
            state,
        };
        let observer = site.connect(Place::Hub, Member::Observer).await?;
        let all = |kinds: &[schemas::Presence]| {
            ServiceKind::ALL.iter().all(|kind| kinds.iter().any(|presence| presence.service == *kind))
        };
        let deadline = UnixMillis::now().after(PATIENCE);
        observer.watch_presences().await?.wait_until(deadline, all).await?;
        Ok(site)
    }

    async fn connect(&self, place: Place, member: Member) -> anyhow::Result<Bus> {
        Ok(self.deployment.connect(place, member).await?)
    }

    /// Sends a picture as any NATS client with the client's key would.
    async fn infer(&self) -> Result<InferReply, String> {
        let seed = std::fs::read_to_string(self.deployment.folder.file("services/client.nk")).unwrap();
        let options = ConnectOptions::with_nkey(seed.trim().to_owned()).custom_inbox_prefix("_INBOX_client");
        let client = options.connect(self.deployment.edge.server.url()).await.unwrap();
        let asked = client.request(subjects::infer(&model()).to_string(), picture().into());
        let answer = timeout(PATIENCE, asked).await.unwrap().map_err(|error| error.to_string())?;
        serde_json::from_slice(&answer.payload)
            .map_err(|_| String::from_utf8_lossy(&answer.payload).into_owned())
    }

    async fn optimize(&self) -> OptimizeReply {
        let picture = |class| LabelledPicture { bytes: picture().into(), class: Some(class) };
        let request = OptimizeRequest {
            model: model(),
            pictures: vec![picture(1), picture(0)],
            samples: 1,
            most_samples: None,
            search: SearchWishes { strategy: Some("grid".into()), ..SearchWishes::default() },
        };
        let admin = self.connect(Place::Hub, Member::Admin).await.unwrap();
        let answer = admin.ask(subjects::optimize(&model()), 4 * PATIENCE, &request).await.unwrap();
        schemas::decode(&answer.body).unwrap()
    }
}

#[tokio::test]
async fn a_site_and_its_hub_do_everything_with_the_rights_they_have() {
    let site = Site::start().await.unwrap();
    let observer = site.connect(Place::Edge, Member::Observer).await.unwrap();
    let mut receipts = observer.subscribe(subjects::receipt_any()).await.unwrap();
    let mut metrics = observer.subscribe(subjects::metrics_any()).await.unwrap();

    // A request goes through gateway, scheduler and executor, and leaves a receipt.
    let reply = wait_for(PATIENCE, || site.infer()).await.unwrap();
    assert_eq!(reply.model, model());
    let receipt = timeout(PATIENCE, receipts.next()).await.unwrap().unwrap();
    let receipt: Receipt = schemas::decode(&receipt.body).unwrap();
    assert_eq!(receipt.id, reply.id);
    timeout(PATIENCE, metrics.next()).await.unwrap().unwrap();

    // The optimizer measures over the edge executor, the tuner and the cloud executor, and publishes the front.
    let fronts = site.connect(Place::Edge, Member::Service(ServiceKind::Gateway)).await.unwrap();
    let fronts = fronts.watch_fronts().await.unwrap();
    let measured = site.optimize().await;
    wait_for(PATIENCE, || async {
        let known = fronts.for_model(&model());
        let found = known.iter().any(|front| front.id == measured.front.id);
        if found { Ok(()) } else { Err(format!("{} fronts", known.len())) }
    })
    .await
    .unwrap();
    // The scheduler goes by it.
    let follows = async {
        loop {
            site.infer().await.unwrap();
            let receipt = receipts.next().await.unwrap();
            let receipt: Receipt = schemas::decode(&receipt.body).unwrap();
            if receipt.front == Some(measured.front.id) {
                return;
            }
        }
    };
    timeout(PATIENCE, follows).await.expect("plans go by the new front");

    people(&site).await;
    site.optimizer.leave(Duration::from_secs(1)).await;
    assert_eq!(site.deployment.violations(), Vec::<String>::new());
    assert!(site.state.path().exists());
}

/// What people do with the admin's and the observer's keys.
async fn people(site: &Site) {
    for place in Place::ALL {
        let admin = site.connect(place, Member::Admin).await.unwrap();
        let choice = PolicyChoice { policy: PolicyName::Energy, shadow: None };
        admin.choose_policy(choice).await.unwrap();
        let store = admin.model_store().await.unwrap();
        store.put(&model(), "model.toml", place.name().as_bytes().to_vec()).await.unwrap();
        store.put(&model(), "model.toml", place.name().as_bytes().to_vec()).await.unwrap();
        admin.ask(subjects::describe(&model()), PATIENCE, &()).await.unwrap();
        for (kind, instance) in INSTANCES {
            let instance = schemas::InstanceId::new(instance).unwrap();
            admin.presence_of(kind, &instance, PATIENCE).await.unwrap();
        }
        // Both executors read what was stored, from where they are.
        for (place, member) in [(Place::Edge, EDGE), (Place::Hub, CLOUD)] {
            let store = site.connect(place, member).await.unwrap().model_store().await.unwrap();
            assert_eq!(store.list().await.unwrap().len(), 1);
            assert!(store.get(&model(), "model.toml").await.unwrap().is_some());
        }
        let observer = site.connect(place, Member::Observer).await.unwrap();
        assert_eq!(observer.policy_choice().await.unwrap(), Some(choice));
        assert_eq!(observer.watch_fronts().await.unwrap().for_model(&model()).len(), 1);
        admin.forget_policy_choice().await.unwrap();
    }
    let optimizer = site.connect(Place::Hub, OPTIMIZER).await.unwrap();
    let front = optimizer.watch_fronts().await.unwrap().all().pop().unwrap();
    let kept = optimizer.front_revisions(&front.model, &front.edge, &front.cloud).await.unwrap();
    assert!(!kept.is_empty());
}
