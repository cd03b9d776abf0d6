//! A broker, and bundles made of the network that ships with the project.

use std::path::Path;
use std::time::Duration;

use broker::Bus;
use model_host::{Catalogue, HostSettings};
use models::Bundle;
use schemas::ModelName;
use testkit::{TestServer, wait_for};

/// Longer than anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Site {
    pub bus: Bus,
    _server: TestServer,
}

impl Site {
    pub async fn start() -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        Ok(Self { bus: server.connect("host").await?, _server: server })
    }

    pub async fn host(&self, folder: Option<&Path>, wanted: &[&str]) -> anyhow::Result<Catalogue> {
        let models = wanted.iter().map(|wanted| name(wanted)).collect();
        let settings =
            HostSettings { models_dir: folder.map(Path::to_path_buf), models, ..HostSettings::default() };
        Ok(Catalogue::open(settings, &self.bus).await?)
    }

    /// Puts a bundle into the model store.
    pub async fn store(&self, bundle: &Bundle) -> anyhow::Result<()> {
        let store = self.bus.model_store().await?;
        for (file, bytes) in bundle.files()? {
            store.put(bundle.name(), &file, bytes).await?;
        }
        Ok(())
    }
}

pub fn name(text: &str) -> ModelName {
    ModelName::new(text).unwrap()
}

/// The shipped network under a name.
pub fn bundle(called: &str) -> Bundle {
    let shipped = demo_network::bundle();
    let bundle = Bundle::from_files(shipped.model_toml, shipped.onnx.to_vec(), Some(shipped.labels)).unwrap();
    bundle.renamed(name(called))
}

/// The same network in another file: a producer's version more in its header.
pub fn newer(called: &str) -> Bundle {
    let shipped = demo_network::bundle();
    let mut onnx = shipped.onnx.to_vec();
    // Field 3 of an ONNX ModelProto, a text of one letter.
    onnx.extend([0x1a, 1, b'2']);
    let without_digest: String = shipped
        .model_toml
        .lines()
        .filter(|line| !line.contains("onnx_sha256"))
        .flat_map(|line| [line, "\n"])
        .collect();
    Bundle::from_files(&without_digest, onnx, Some(shipped.labels)).unwrap().renamed(name(called))
}

/// The names served now, in order.
pub fn served(catalogue: &Catalogue) -> Vec<String> {
    catalogue.served().into_iter().map(|served| served.name.to_string()).collect()
}

/// Waits until the network is served from that very file.
pub async fn becomes_served(catalogue: &Catalogue, bundle: &Bundle) -> anyhow::Result<()> {
    wait_for(PATIENCE, || async {
        match catalogue.get(bundle.name()) {
            Some(hosted) if hosted.bundle.digest() == bundle.digest() => Ok(()),
            Some(_) => Err("another file is served".to_owned()),
            None => Err("not served".to_owned()),
        }
    })
    .await
}
