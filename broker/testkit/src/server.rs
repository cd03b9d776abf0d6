use std::path::Path;

use anyhow::Context;
use broker::server::LocalServer;
use broker::{BrokerSettings, Bus};
use tempfile::TempDir;

/// A `nats-server` of one test: free port, JetStream in a temporary folder, ended with the test.
#[derive(Debug)]
pub struct TestServer {
    running: Option<LocalServer>,
    port: u16,
    folder: TempDir,
}

impl TestServer {
    /// Starts a server; fails loudly when there is none.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let running = LocalServer::start(None, folder.path()).await?;
        let port = running.port();
        Ok(Self { running: Some(running), port, folder })
    }

    /// Its address; the same after a restart.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its configuration, log and JetStream files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Connects to it.
    pub async fn connect(&self, name: &str) -> anyhow::Result<Bus> {
        connect(&self.url(), name).await
    }

    /// Kills it (`SIGKILL`).
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Starts it again on the same port with the same files.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop();
        self.running = Some(LocalServer::start(Some(self.port), self.folder.path()).await?);
        Ok(())
    }
}

pub(crate) async fn connect(url: &str, name: &str) -> anyhow::Result<Bus> {
    let settings = BrokerSettings { url: url.to_owned(), ..BrokerSettings::default() };
    Ok(Bus::connect(&settings, name).await?)
}
