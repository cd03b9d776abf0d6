//! A `nats-server` of our own: found or fetched, started on loopback, ended with its owner.

pub mod configuration;
mod locate;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use configuration::Configuration;
pub use locate::{LocateError, locate};

/// A server's log, in its folder.
const LOG: &str = "nats-server.log";

/// How long a server may take to listen; a second on an idle machine.
const STARTING: Duration = Duration::from_secs(20);

/// Pause between looks whether it listens.
const LOOK: Duration = Duration::from_millis(20);

/// Why no server could be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is no `nats-server`.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// The port is taken.
    #[error("port {port} is taken: choose another with --broker-port, or use the broker there with --broker")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// Its files cannot be written, or it cannot be run.
    #[error("cannot start nats-server with its files in {}", folder.display())]
    Start {
        /// Its folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended, or never listened.
    #[error("nats-server did not listen on port {port}; its log is {}", log.display())]
    NotListening {
        /// The port.
        port: u16,
        /// Its log.
        log: PathBuf,
    },
}

/// A running server on loopback, with JetStream. Killed when dropped.
#[derive(Debug)]
pub struct LocalServer {
    child: Child,
    port: u16,
}

impl LocalServer {
    /// Starts a server that keeps its configuration, log and JetStream files in `folder`; `None` takes a free port.
    /// Everyone on this machine may do everything. Returns when it listens.
    pub async fn start(port: Option<u16>, folder: &Path) -> Result<Self, ServerError> {
        let port = match port {
            Some(port) => free(port).map_err(|_| ServerError::PortTaken { port })?,
            None => any_port(folder)?,
        };
        let configuration = Configuration {
            name: format!("splinter-{port}"),
            port,
            log: Some(folder.join(LOG)),
            store: Some(folder.join("jetstream")),
            access: None,
        };
        let file = folder.join("nats-server.conf");
        let written =
            std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, configuration.text()));
        written.map_err(|source| ServerError::Start { folder: folder.to_owned(), source })?;
        let mut command = Command::new(program().await?);
        command.arg("--config").arg(&file);
        Self::run(command, port, folder).await
    }

    /// Starts a server with a configuration that is there, in its folder, such as those of `splinter keys`; its log goes to
    /// another one. `None` takes a free port instead of the configuration's. Returns when it listens.
    pub async fn start_configured(
        configuration: &Path,
        port: Option<u16>,
        folder: &Path,
    ) -> Result<Self, ServerError> {
        let port = match port {
            Some(port) => free(port).map_err(|_| ServerError::PortTaken { port })?,
            None => any_port(folder)?,
        };
        let mut command = Command::new(program().await?);
        command.arg("--config").arg(configuration).args(["--addr", "127.0.0.1", "--port", &port.to_string()]);
        command.arg("--log").arg(folder.join(LOG));
        if let Some(place) = configuration.parent() {
            command.current_dir(place);
        }
        Self::run(command, port, folder).await
    }

    async fn run(mut command: Command, port: u16, folder: &Path) -> Result<Self, ServerError> {
        // Tensors make garbage quickly: collecting less often saves two thirds of the broker's CPU time at 600 KB.
        command.env("GOGC", "400").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.spawn();
        let child = started.map_err(|source| ServerError::Start { folder: folder.to_owned(), source })?;
        let mut server = Self { child, port };
        if server.listens().await {
            Ok(server)
        } else {
            Err(ServerError::NotListening { port, log: folder.join(LOG) })
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    async fn listens(&mut self) -> bool {
        let deadline = Instant::now() + STARTING;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
                return true;
            }
            sleep(LOOK).await;
        }
        false
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        // A child that has ended already is what we want.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn program() -> Result<PathBuf, LocateError> {
    tokio::task::spawn_blocking(locate)
        .await
        .unwrap_or_else(|error| Err(LocateError::Fetch { reason: error.to_string() }))
}

fn any_port(folder: &Path) -> Result<u16, ServerError> {
    free(0).map_err(|source| ServerError::Start { folder: folder.to_owned(), source })
}

/// The port, when nobody listens on it; with 0, one on which nobody does.
fn free(port: u16) -> std::io::Result<u16> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(listener.local_addr()?.port())
}
