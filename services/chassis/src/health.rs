use std::path::{Path, PathBuf};
use std::time::Duration;

use broker::Bus;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

/// How often a ready service shows that it lives.
const RENEWAL: Duration = Duration::from_secs(1);

/// A sign older than this is none: a broker that is being restarted may be gone for a renewal or two.
const LIFETIME: Duration = Duration::from_secs(5);

/// Why a service is not healthy, or cannot say that it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// No file is named.
    #[error(
        "no health file is set: set node.health_file (SPLINTER_NODE__HEALTH_FILE) for the service and for --check"
    )]
    NoFile,
    /// The file cannot be written.
    #[error("cannot write the health file {}: name one in a folder that may be written to", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The service is starting, leaving, or has ended.
    #[error("not ready: there is no health file {}", .0.display())]
    NotReady(PathBuf),
    /// It was ready, and has lost its broker or stands still.
    #[error("its last sign of life is {} s old: it has lost its broker or stands still", age.as_secs())]
    Silent {
        /// How long ago it was.
        age: Duration,
    },
}

/// A file that is written each second while the service is ready and reaches its broker; taken away when dropped.
#[derive(Debug)]
pub(crate) struct SignOfLife {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl SignOfLife {
    /// Shows the first sign before it returns.
    pub(crate) async fn show(path: PathBuf, bus: Bus) -> Result<Self, HealthError> {
        renew(&path).await.map_err(|source| HealthError::Unwritable { path: path.clone(), source })?;
        let file = path.clone();
        let task = tokio::spawn(async move {
            let mut renewals = interval(RENEWAL);
            renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                renewals.tick().await;
                if bus.is_connected()
                    && let Err(error) = renew(&file).await
                {
                    warn!(file = %file.display(), %error, "no sign of life is shown");
                }
            }
        });
        Ok(Self { path, task })
    }
}

impl Drop for SignOfLife {
    fn drop(&mut self) {
        self.task.abort();
        // One that is left behind is soon too old to count.
        drop(std::fs::remove_file(&self.path));
    }
}

async fn renew(path: &Path) -> std::io::Result<()> {
    tokio::fs::write(path, b"ready\n").await
}

/// Whether the service that shows its signs in this file is ready and reaches its broker.
pub(crate) fn check(path: Option<&Path>) -> Result<(), HealthError> {
    let path = path.ok_or(HealthError::NoFile)?;
    let shown = std::fs::metadata(path).and_then(|file| file.modified());
    let shown = shown.map_err(|_| HealthError::NotReady(path.to_path_buf()))?;
    // A clock that was set back makes it younger than now.
    let age = shown.elapsed().unwrap_or_default();
    if age < LIFETIME { Ok(()) } else { Err(HealthError::Silent { age }) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use testkit::{TestServer, wait_for};

    use super::*;

    /// Losing a sign takes its lifetime, coming back a reconnection.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_service_is_healthy_from_ready_to_leaving() {
        let (server, folder) = (TestServer::start().await.unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().join("health");
        assert!(matches!(check(Some(&path)), Err(HealthError::NotReady(_))));
        let sign = SignOfLife::show(path.clone(), server.connect("one").await.unwrap()).await.unwrap();
        check(Some(&path)).unwrap();
        drop(sign);
        assert!(matches!(check(Some(&path)), Err(HealthError::NotReady(_))));
    }

    #[tokio::test]
    async fn a_service_that_lost_its_broker_is_silent_and_comes_back() {
        let (mut server, folder) = (TestServer::start().await.unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().join("health");
        let _sign = SignOfLife::show(path.clone(), server.connect("one").await.unwrap()).await.unwrap();
        server.stop();
        let silent = || async {
            match check(Some(&path)) {
                Err(HealthError::Silent { .. }) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        };
        wait_for(PATIENCE, silent).await.unwrap();
        server.restart().await.unwrap();
        wait_for(PATIENCE, || async { check(Some(&path)).map_err(|e| e.to_string()) }).await.unwrap();
    }

    #[test]
    fn an_old_sign_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("health");
        let file = File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - LIFETIME).unwrap();
        assert!(check(Some(&path)).unwrap_err().to_string().contains("5 s old"));
        assert!(matches!(check(None), Err(HealthError::NoFile)));
    }
}
