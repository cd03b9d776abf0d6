//! A `nats-server` of our own: found or fetched, started on loopback, ended with its owner.

mod locate;

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

pub use locate::{LocateError, locate};

/// Largest message, on every broker: a frontier of a large network, or a picture, fits.
const MAX_PAYLOAD: u32 = 16 << 20;

/// Bytes that may wait for a slow connection: sixteen of the largest messages.
const MAX_PENDING: u32 = 256 << 20;

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
    /// Returns when it listens.
    pub async fn start(port: Option<u16>, folder: &Path) -> Result<Self, ServerError> {
        let program = tokio::task::spawn_blocking(locate)
            .await
            .unwrap_or_else(|error| Err(LocateError::Fetch { reason: error.to_string() }))?;
        let port = match port {
            Some(port) => {
                free(port).map_err(|_| ServerError::PortTaken { port })?;
                port
            }
            None => free(0).map_err(|source| ServerError::Start { folder: folder.to_owned(), source })?,
        };
        let started = spawn(&program, port, folder);
        let child = started.map_err(|source| ServerError::Start { folder: folder.to_owned(), source })?;
        let mut server = Self { child, port };
        if server.listens().await {
            Ok(server)
        } else {
            Err(ServerError::NotListening { port, log: folder.join("nats-server.log") })
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

/// Whether nobody listens on the port; with 0, a port on which nobody does.
fn free(port: u16) -> std::io::Result<u16> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(listener.local_addr()?.port())
}

fn spawn(program: &Path, port: u16, folder: &Path) -> std::io::Result<Child> {
    std::fs::create_dir_all(folder)?;
    let file = folder.join("nats-server.conf");
    std::fs::write(&file, configuration(port, folder))?;
    Command::new(program)
        .arg("--config")
        .arg(&file)
        // Tensors make garbage quickly: collecting less often saves two thirds of the broker's CPU time at 600 KB.
        .env("GOGC", "400")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn configuration(port: u16, folder: &Path) -> String {
    let quoted = |path: PathBuf| serde_json::Value::from(path.to_string_lossy()).to_string();
    let mut text = String::new();
    let mut line = |key: &str, value: String| {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "{key}: {value}");
    };
    line("listen", format!("127.0.0.1:{port}"));
    line("server_name", format!("splinter-{port}"));
    line("max_payload", MAX_PAYLOAD.to_string());
    line("max_pending", MAX_PENDING.to_string());
    line("log_file", quoted(folder.join("nats-server.log")));
    line("jetstream", format!("{{ store_dir: {} }}", quoted(folder.join("jetstream"))));
    text
}
