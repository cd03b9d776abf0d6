//! Who may compute at which clock. Requests that want the same clock share it; one that wants another waits until
//! those before it are done, in order of arrival, and then has it set.

use std::sync::Arc;
use std::time::{Duration, Instant};

use schemas::{HardwareReport, KiloHertz};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tracing::warn;

use crate::hardware::Hardware;

/// The clock of this machine's processor. The lock's queue is fair: nobody is overtaken for ever.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    hardware: Hardware,
    lock: Arc<RwLock<()>>,
}

/// The clock stays as it is while this is held.
#[derive(Debug)]
pub(crate) struct ClockLease {
    /// The machine as it is set; `None` when no tuner has spoken yet.
    pub report: Option<HardwareReport>,
    /// How long setting the clock took; `None` when nothing was changed.
    pub changed_in: Option<Duration>,
    /// Whether the clock is the one asked for.
    pub as_wanted: bool,
    #[allow(dead_code, reason = "held, not read")]
    guard: OwnedRwLockReadGuard<()>,
}

impl Clock {
    pub(crate) fn new(hardware: Hardware) -> Self {
        Self { hardware, lock: Arc::default() }
    }

    /// Waits for its turn and has the clock set when it differs. A clock that cannot be set is no error: the lease
    /// says so, and the request runs with the settings as they are.
    pub(crate) async fn lease(&self, wanted: Option<KiloHertz>) -> ClockLease {
        let shared = self.lock.clone().read_owned().await;
        if self.is_set(wanted) {
            return self.grant(shared, None, true);
        }
        drop(shared);
        let alone = self.lock.clone().write_owned().await;
        let start = Instant::now();
        let as_wanted = self.set(wanted).await;
        let changed_in = matches!(as_wanted, Some(true)).then(|| start.elapsed());
        self.grant(OwnedRwLockWriteGuard::downgrade(alone), changed_in, as_wanted.is_some())
    }

    /// Asks the tuner how things are, when nobody is changing them.
    pub(crate) async fn refresh(&self) {
        let _steady = self.lock.read().await;
        self.hardware.refresh().await;
    }

    fn is_set(&self, wanted: Option<KiloHertz>) -> bool {
        wanted
            .is_none_or(|wanted| self.hardware.last().and_then(|report| report.frequency_khz) == Some(wanted))
    }

    /// `Some(changed)` when the clock is the one wanted now, `None` when it could not be set.
    async fn set(&self, wanted: Option<KiloHertz>) -> Option<bool> {
        let Some(wanted) = wanted.filter(|wanted| !self.is_set(Some(*wanted))) else { return Some(false) };
        match self.hardware.set(wanted).await {
            Ok(changed) => self.is_set(Some(wanted)).then_some(changed),
            Err(error) => {
                warn!(%wanted, %error, "the clock cannot be set; running with it as it is");
                None
            }
        }
    }

    fn grant(
        &self,
        guard: OwnedRwLockReadGuard<()>,
        changed_in: Option<Duration>,
        as_wanted: bool,
    ) -> ClockLease {
        ClockLease { report: self.hardware.last(), changed_in, as_wanted, guard }
    }
}
