//! Whether the services of a process live and are ready, for whoever starts and restarts them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::Bus;
use schemas::ServiceKind;
use serde::Serialize;

/// Where a service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LifeState {
    /// It connects, subscribes, loads and warms what it needs.
    Starting,
    /// It has subscribed and is announced.
    Started,
    /// It takes no new work.
    Leaving,
}

/// What a service says of its own health. Clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    inner: Arc<Inner>,
}

struct Inner {
    service: ServiceKind,
    bus: Bus,
    state: Mutex<LifeState>,
    needs: Mutex<Vec<Need>>,
}

/// Something without which a service is not ready, or not alive.
struct Need {
    what: &'static str,
    for_life: bool,
    is_there: Box<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("service", &self.service).finish_non_exhaustive()
    }
}

/// One service's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// The service.
    pub service: ServiceKind,
    /// Whether it is ready (or, where that was asked, alive).
    pub ok: bool,
    /// Where it is in its life.
    pub state: LifeState,
    /// What it lacks, in words.
    pub lacks: Vec<&'static str>,
}

/// A lock that a panicking holder poisoned still guards consistent data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Health {
    pub(crate) fn new(service: ServiceKind, bus: Bus) -> Self {
        let (state, needs) = (Mutex::new(LifeState::Starting), Mutex::default());
        Self { inner: Arc::new(Inner { service, bus, state, needs }) }
    }

    /// The service is not ready without this.
    pub fn needs(&self, what: &'static str, is_there: impl Fn() -> bool + Send + Sync + 'static) {
        lock(&self.inner.needs).push(Need { what, for_life: false, is_there: Box::new(is_there) });
    }

    /// The service has to be started anew without this.
    pub fn lives_by(&self, what: &'static str, is_there: impl Fn() -> bool + Send + Sync + 'static) {
        lock(&self.inner.needs).push(Need { what, for_life: true, is_there: Box::new(is_there) });
    }

    pub(crate) fn service(&self) -> ServiceKind {
        self.inner.service
    }

    pub(crate) fn becomes(&self, state: LifeState) {
        *lock(&self.inner.state) = state;
    }

    /// Whether it can be asked for work now: it has started, the broker is reachable, and what it needs is there.
    pub fn readiness(&self) -> HealthReport {
        let state = *lock(&self.inner.state);
        let mut lacks = self.lacks(|_| true);
        if !self.inner.bus.is_connected() {
            lacks.push("the broker");
        }
        let ok = state == LifeState::Started && lacks.is_empty();
        HealthReport { service: self.inner.service, ok, state, lacks }
    }

    /// Whether starting it anew would not help. A broker that is away is no reason: it reconnects by itself.
    pub fn liveness(&self) -> HealthReport {
        let lacks = self.lacks(|need| need.for_life);
        let state = *lock(&self.inner.state);
        HealthReport { service: self.inner.service, ok: lacks.is_empty(), state, lacks }
    }

    fn lacks(&self, counts: impl Fn(&Need) -> bool) -> Vec<&'static str> {
        let needs = lock(&self.inner.needs);
        needs.iter().filter(|need| counts(need) && !(need.is_there)()).map(|need| need.what).collect()
    }
}
