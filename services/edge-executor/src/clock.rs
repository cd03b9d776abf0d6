//! Who may compute at which clock. Requests that want the same clock share it; one that wants another waits until
//! those before it are done, in order of arrival, and then has it set.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use broker::TraceContext;
use schemas::{DevicePower, HardwareReport, KiloHertz, RequestId, UnixMillis};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tracing::warn;

use crate::energy::{Busy, PowerBook};
use crate::hardware::Hardware;

/// The clock of this machine's processor. The lock's queue is fair: nobody is overtaken for ever.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    hardware: Hardware,
    lock: Arc<RwLock<()>>,
    /// How often a change of the clock began or ended.
    changes: Arc<AtomicU64>,
    book: Arc<Mutex<PowerBook>>,
}

/// What a request needs of the clock.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub id: RequestId,
    /// `None` where any clock will do.
    pub frequency: Option<KiloHertz>,
    pub deadline: UnixMillis,
    pub trace: Option<TraceContext>,
}

/// The clock stays as it is while this is held.
#[derive(Debug)]
pub(crate) struct ClockLease {
    /// The machine as it is set; `None` when no tuner has spoken yet.
    pub report: Option<HardwareReport>,
    /// What the machine draws as it is set; `None` when nothing measures, models or emulates it.
    pub power: Option<DevicePower>,
    /// How long setting the clock took; `None` when nothing was changed.
    pub changed_in: Option<Duration>,
    /// Whether the clock is the one asked for.
    pub as_wanted: bool,
    #[allow(dead_code, reason = "held, not read")]
    guard: OwnedRwLockReadGuard<()>,
}

impl Clock {
    pub(crate) fn new(hardware: Hardware) -> Self {
        Self { hardware, lock: Arc::default(), changes: Arc::default(), book: Arc::default() }
    }

    /// Waits for its turn and has the clock set when it differs. A clock that cannot be set is no error: the lease
    /// says so, and the request runs with the settings as they are. The tuner is waited for at most half of the time to
    /// the deadline.
    pub(crate) async fn lease(&self, need: Need) -> ClockLease {
        let shared = self.lock.clone().read_owned().await;
        if self.is_set(need.frequency) {
            return self.grant(shared, None, true);
        }
        drop(shared);
        let alone = self.lock.clone().write_owned().await;
        let start = Instant::now();
        let as_wanted = self.set(need).await;
        let changed_in = matches!(as_wanted, Some(true)).then(|| start.elapsed());
        self.grant(OwnedRwLockWriteGuard::downgrade(alone), changed_in, as_wanted.is_some())
    }

    /// Asks the tuner how things are, and learns from its meter what computing draws. Requests do not wait for it, not even
    /// when the tuner hangs; an answer from before a change is left out.
    pub(crate) async fn refresh(&self, busy: &Busy) {
        let changes = || self.changes.load(Ordering::Acquire);
        let before = changes();
        let Some(report) = self.hardware.ask_how_it_is().await else { return };
        if changes() == before {
            self.book().note(&report, busy.total(), before);
            self.hardware.keep(report);
        }
    }

    /// Nobody computes any more: the clock goes back to what it was.
    pub(crate) async fn release(&self) {
        let _alone = self.lock.write().await;
        self.hardware.release().await;
    }

    fn book(&self) -> MutexGuard<'_, PowerBook> {
        // What a panic left behind is still what was learned before.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_set(&self, wanted: Option<KiloHertz>) -> bool {
        wanted
            .is_none_or(|wanted| self.hardware.last().and_then(|report| report.frequency_khz) == Some(wanted))
    }

    /// `Some(changed)` when the clock is the one wanted now, `None` when it could not be set.
    async fn set(&self, need: Need) -> Option<bool> {
        let Need { id, frequency: wanted, deadline, trace } = need;
        let at_most = deadline.remaining() / 2;
        let Some(wanted) = wanted.filter(|wanted| !self.is_set(Some(*wanted))) else { return Some(false) };
        // Counted before and after: a report that was asked for meanwhile may be of either.
        self.changes.fetch_add(1, Ordering::AcqRel);
        let set = self.hardware.set(wanted, at_most, trace).await;
        self.changes.fetch_add(1, Ordering::AcqRel);
        match set {
            Ok(changed) => self.is_set(Some(wanted)).then_some(changed),
            Err(error) => {
                warn!(%id, %wanted, %error, "the clock cannot be set; running with it as it is");
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
        let report = self.hardware.last();
        let power = report.as_ref().and_then(|report| self.book().power(report));
        ClockLease { report, power, changed_in, as_wanted, guard }
    }
}
