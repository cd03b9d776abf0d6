//! A broker, an edge executor with the shipped network, and cloud executors as each test wants them.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use broker::{Bus, Call, CallError, Endpoint, Request, Response, Serving, subjects};
use chassis::ServiceContext;
use demo_network::pictures;
use models::{Accelerator, Bundle, Network};
use schemas::{
    Configuration, Cut, ExecuteReply, ExecuteRequest, Fault, Input, InstanceId, ModelName, NodeId, RequestId,
    ServiceKind, Tensor,
};
use testkit::TestServer;

/// Longer than anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Site {
    pub server: TestServer,
    pub bus: Bus,
    pub network: Network,
    pub bundle: Bundle,
}

/// The folder of bundles with the network that ships with the project.
fn models_dir() -> Option<PathBuf> {
    Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/demo")))
}

pub fn model() -> ModelName {
    ModelName::new("shapes10").unwrap()
}

pub fn picture(index: u64) -> Vec<u8> {
    pictures::draw(5, index).to_png()
}

impl Site {
    pub async fn start() -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let bundle = Bundle::open(&models_dir().unwrap().join("bundle"))?;
        let network = Network::load(&bundle, Accelerator::Cpu)?;
        Ok(Self { bus: server.connect("test").await?, server, network, bundle })
    }

    async fn context(&self, name: &str) -> anyhow::Result<ServiceContext> {
        Ok(ServiceContext::new(
            ServiceKind::EdgeExecutor,
            self.server.connect(name).await?,
            NodeId::new(name)?,
            InstanceId::new(name)?,
            Duration::from_secs(5),
        ))
    }

    pub async fn edge(&self) -> anyhow::Result<edge_executor::Running> {
        self.edge_with(edge_executor::Settings::default()).await
    }

    pub async fn edge_with(
        &self,
        settings: edge_executor::Settings,
    ) -> anyhow::Result<edge_executor::Running> {
        let settings = edge_executor::Settings { models_dir: models_dir(), ..settings };
        Ok(edge_executor::start(settings, self.context("edge").await?).await?)
    }

    /// The tuner of the edge's node.
    pub async fn tuner(&self, settings: tuner::Settings) -> anyhow::Result<tuner::Running> {
        let mut context = self.context("tuner").await?;
        context.node = NodeId::new("edge")?;
        Ok(tuner::start(settings, context).await?)
    }

    /// An edge executor of the networks in the model store.
    pub async fn edge_from_store(&self) -> anyhow::Result<edge_executor::Running> {
        Ok(edge_executor::start(edge_executor::Settings::default(), self.context("edge").await?).await?)
    }

    /// A cloud executor of the networks in a folder and in the model store.
    pub async fn cloud_of(&self, models_dir: Option<PathBuf>) -> anyhow::Result<cloud_executor::Running> {
        let settings = cloud_executor::Settings { models_dir, ..Default::default() };
        Ok(cloud_executor::start(settings, self.context("cloud").await?).await?)
    }

    pub async fn cloud(&self) -> anyhow::Result<cloud_executor::Running> {
        self.cloud_of(models_dir()).await
    }

    /// Serves the subject that all cloud executors share with a handler of the test's.
    pub async fn cloud_that<F>(
        &self,
        answers: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> anyhow::Result<Serving>
    where
        F: Future<Output = Result<Response, Fault>> + Send + 'static,
    {
        let bus = self.server.connect("stand-in").await?;
        Ok(bus.serve(Endpoint::new(16).shared(subjects::execute_cloud(&model())), answers).await?)
    }

    /// What the whole network makes of a picture.
    pub fn whole(&self, picture: &[u8]) -> Tensor<'static> {
        let input = Input::Encoded { bytes: picture.into() };
        self.network.run(&models::preprocess(self.bundle.preprocessing(), &input).unwrap()).unwrap()
    }

    pub async fn execute(
        &self,
        cut: u16,
        input: Input<'_>,
        within: Duration,
    ) -> Result<ExecuteReply<'static>, CallError> {
        self.send(request(cut, input), within).await
    }

    pub async fn send(
        &self,
        request: ExecuteRequest<'_>,
        within: Duration,
    ) -> Result<ExecuteReply<'static>, CallError> {
        let body = schemas::encode(&request).unwrap();
        let call = Call { id: request.id, ..Call::new(vec![subjects::execute_edge(&model())], within, body) };
        let answer = self.bus.call(call).await?;
        let reply: ExecuteReply<'_> = schemas::decode(&answer.body).unwrap();
        Ok(ExecuteReply { output: reply.output.into_owned(), ..reply })
    }

    /// One picture at a cut, with all the time it needs.
    pub async fn classify(&self, cut: u16, picture: &[u8]) -> ExecuteReply<'static> {
        self.execute(cut, Input::Encoded { bytes: picture.into() }, PATIENCE).await.unwrap()
    }
}

pub fn request(cut: u16, input: Input<'_>) -> ExecuteRequest<'_> {
    ExecuteRequest {
        id: RequestId::fresh(),
        model: model(),
        input,
        configuration: Configuration::at(Cut(cut)),
        cloud: None,
        profile: false,
    }
}
