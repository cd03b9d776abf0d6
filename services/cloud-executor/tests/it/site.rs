//! A broker and a cloud executor with the shipped network.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use broker::{Bus, Call, CallError, subjects};
use chassis::ServiceContext;
use cloud_executor::Settings;
use demo_network::pictures;
use models::{Accelerator, Bundle, Network};
use schemas::{
    Cut, Fault, Input, InstanceId, ModelName, NodeId, RequestId, ServiceKind, TailPayload, TailRequest,
    Tensor,
};
use testkit::TestServer;

/// Longer than anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Site {
    _server: TestServer,
    pub bus: Bus,
    pub bundle: Bundle,
    pub network: Network,
    _cloud: cloud_executor::Running,
}

pub fn model() -> ModelName {
    ModelName::new("shapes10").unwrap()
}

pub fn picture(index: u64) -> Vec<u8> {
    pictures::draw(9, index).to_png()
}

impl Site {
    pub async fn start(capacity: u32) -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let models_dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/demo"));
        let bundle = Bundle::open(&models_dir.join("bundle"))?;
        let network = Network::load(&bundle, Accelerator::Cpu)?;
        let context = ServiceContext::new(
            ServiceKind::CloudExecutor,
            server.connect("cloud").await?,
            NodeId::new("server")?,
            InstanceId::new("cloud")?,
            Duration::from_secs(5),
        );
        let capacity = NonZeroU32::new(capacity).unwrap();
        let settings = Settings { models_dir: Some(models_dir), capacity, ..Settings::default() };
        let cloud = cloud_executor::start(settings, context).await?;
        Ok(Self { bus: server.connect("test").await?, _server: server, bundle, network, _cloud: cloud })
    }

    /// The network's input for a picture.
    pub fn input(&self, picture: &[u8]) -> Tensor<'static> {
        let input = Input::Encoded { bytes: picture.into() };
        models::preprocess(self.bundle.preprocessing(), &input).unwrap()
    }

    pub fn request<'a>(&self, cut: u16, payload: TailPayload<'a>) -> TailRequest<'a> {
        let digest = self.bundle.digest().clone();
        TailRequest {
            id: RequestId::fresh(),
            model: model(),
            digest,
            cut: Cut(cut),
            accelerator: Default::default(),
            profile: false,
            payload,
        }
    }

    pub async fn run(&self, request: &TailRequest<'_>) -> Result<Vec<u8>, CallError> {
        self.send(request.id, schemas::encode(request).unwrap()).await
    }

    pub async fn send(&self, id: RequestId, body: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let target = subjects::execute_cloud(&model());
        let call = Call { id, ..Call::new(vec![target], PATIENCE, body) };
        Ok(self.bus.call(call).await?.body.to_vec())
    }

    pub async fn refused(&self, request: &TailRequest<'_>) -> Fault {
        match self.run(request).await {
            Err(CallError::Fault(fault)) => fault,
            other => panic!("not refused: {other:?}"),
        }
    }
}
