//! Both brokers of a deployment, with the configurations that were made.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use broker::server::LocalServer;
use broker::{BrokerError, BrokerSettings, Bus};
use keys::{Authority, Issued, Member, Place, Request};
use schemas::ServiceKind;
use tempfile::TempDir;
use testkit::wait_for;

/// Longer than anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const OPTIMIZER: Member = Member::Service(ServiceKind::Optimizer);
pub const CLOUD: Member = Member::Service(ServiceKind::CloudExecutor);
pub const EDGE: Member = Member::Service(ServiceKind::EdgeExecutor);
pub const GATEWAY: Member = Member::Service(ServiceKind::Gateway);

/// What a broker's log says when a leaf connection is begun.
pub const JOINED: &str = "Leafnode connection created";

/// A folder made for brokers on this machine, on free ports.
pub struct Folder {
    pub keys: TempDir,
}

impl Folder {
    pub fn make() -> anyhow::Result<Self> {
        let leaf_port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = Self { keys: tempfile::tempdir()? };
        folder.make_again(Request {
            hub_hosts: vec!["127.0.0.1".into()],
            leaf_port: Some(leaf_port),
            ..Request::default()
        })?;
        Ok(folder)
    }

    pub fn make_again(&self, request: Request) -> anyhow::Result<keys::Report> {
        Ok(keys::make(self.keys.path(), &request)?)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.keys.path().join(name)
    }

    pub fn authority(&self) -> Authority {
        let read = |name| std::fs::read_to_string(self.file(name)).unwrap();
        Authority::read(&read("ca/ca.pem"), &read("ca/ca-key.pem")).unwrap()
    }

    /// Gives a broker another certificate.
    pub fn put_certificate(&self, place: Place, issued: &Issued) {
        let (folder, name) = (self.file(place.name()), place.name());
        std::fs::write(folder.join(format!("{name}.pem")), &issued.certificate).unwrap();
        std::fs::write(folder.join(format!("{name}-key.pem")), &issued.key).unwrap();
    }

    pub async fn start(&self, place: Place) -> anyhow::Result<Broker> {
        Broker::start(&self.file(place.name()).join("nats.conf")).await
    }
}

/// A broker with a configuration of the folder, its files elsewhere.
pub struct Broker {
    pub server: LocalServer,
    pub data: TempDir,
}

impl Broker {
    pub async fn start(configuration: &Path) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        Ok(Self { server: LocalServer::start_configured(configuration, None, data.path()).await?, data })
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("nats-server.log")).unwrap_or_default()
    }

    /// Waits until the log says something.
    pub async fn says(&self, text: &str) -> anyhow::Result<()> {
        wait_for(PATIENCE, || async {
            let log = self.log();
            if log.contains(text) { Ok(()) } else { Err(format!("no {text:?} in the broker's log:\n{log}")) }
        })
        .await
    }
}

/// An edge site and its hub, joined.
pub struct Deployment {
    pub folder: Folder,
    pub hub: Broker,
    pub edge: Broker,
}

impl Deployment {
    pub async fn start() -> anyhow::Result<Self> {
        let folder = Folder::make()?;
        let (hub, edge) = (folder.start(Place::Hub).await?, folder.start(Place::Edge).await?);
        let deployment = Self { folder, hub, edge };
        // A log tells of connections that were tried, too: joined are sites of which one finds what the other stores.
        let admin = deployment.connect(Place::Hub, Member::Admin).await?;
        let find = || async { admin.policy_choice().await.map_err(|error| error.to_string()) };
        wait_for(PATIENCE, find).await?;
        Ok(deployment)
    }

    pub fn broker(&self, place: Place) -> &Broker {
        match place {
            Place::Hub => &self.hub,
            Place::Edge => &self.edge,
        }
    }

    pub fn settings(&self, place: Place, member: Member) -> BrokerSettings {
        BrokerSettings {
            url: self.broker(place).server.url(),
            user: Some(member.name().to_owned()),
            nkey_seed_file: Some(self.folder.file(&format!("services/{}.nk", member.name()))),
            ..BrokerSettings::default()
        }
    }

    pub async fn connect(&self, place: Place, member: Member) -> Result<Bus, BrokerError> {
        Bus::connect(&self.settings(place, member), member.name()).await
    }

    /// What the brokers refused.
    pub fn violations(&self) -> Vec<String> {
        let logs = [self.hub.log(), self.edge.log()];
        let lines = logs.iter().flat_map(|log| log.lines());
        lines.filter(|line| line.contains("Violation")).map(ToOwned::to_owned).collect()
    }
}
