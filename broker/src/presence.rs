//! Who is there: an entry an instance in the bucket `splinter-nodes`, renewed each second, gone after three.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use schemas::{
    HardwareReport, InstanceId, NodeId, Presence, ServedModel, ServiceKind, ServiceState, UnixMillis,
};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use tracing::{debug, warn};

use crate::bucket::{Bucket, Change};
use crate::bus::Bus;
use crate::error::BrokerError;
use crate::registration::Registration;
use crate::serve::Credits;
use crate::subjects::{self, Store};

const BUCKET: Store = Store::Nodes;

/// How often an instance says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// An instance that said nothing for so long is gone: two missed heartbeats and the time a third may take.
const LIFETIME: Duration = Duration::from_secs(3);

/// How often a watcher looks for instances whose time is up.
const SWEEP: Duration = Duration::from_millis(250);

/// Who a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub service: ServiceKind,
    /// Which one it is.
    pub instance: InstanceId,
    /// The machine it runs on.
    pub node: NodeId,
}

impl Identity {
    fn key(&self) -> String {
        format!("{}.{}", self.service, self.instance)
    }
}

/// The part of a presence that changes.
#[derive(Debug, Clone, Default)]
pub struct PresenceUpdate {
    /// Requests it would take now.
    pub credits: u32,
    /// Requests it takes at most at once.
    pub capacity: u32,
    /// The networks it serves.
    pub models: Vec<ServedModel>,
    /// The machine's hardware; tuners only.
    pub hardware: Option<HardwareReport>,
}

impl From<&Credits> for PresenceUpdate {
    /// The credits; no networks and no hardware.
    fn from(credits: &Credits) -> Self {
        Self { credits: credits.free(), capacity: credits.capacity(), ..Self::default() }
    }
}

/// An instance that announces itself. Dropped, it falls silent, as in a crash.
#[derive(Debug)]
pub struct Announcement {
    state: watch::Sender<ServiceState>,
    said: watch::Receiver<Option<ServiceState>>,
    bucket: Bucket,
    key: String,
    task: JoinHandle<()>,
}

impl Announcement {
    /// Leaves in order: says so, waits until the instance has `finished` its work, takes the entry away.
    pub async fn leave(mut self, finished: impl Future<Output = ()>) {
        self.withdraw().await;
        finished.await;
        self.remove().await;
    }

    /// Says that the instance is leaving, and returns when that is known to the broker (or after two seconds).
    async fn withdraw(&mut self) {
        self.state.send_replace(ServiceState::Draining);
        let known = self.said.wait_for(|said| *said == Some(ServiceState::Draining));
        if timeout(2 * HEARTBEAT, known).await.is_err() {
            warn!(key = self.key, "the withdrawal did not reach the broker in time");
        }
    }

    async fn remove(self) {
        self.task.abort();
        let removing = async {
            let store = self.bucket.open().await?;
            store.delete(&self.key).await.map_err(|error| BrokerError::failed("leaving", error))
        };
        if let Err(error) =
            timeout(2 * HEARTBEAT, removing).await.unwrap_or(Err(BrokerError::TimedOut("leaving")))
        {
            debug!(key = self.key, %error, "the entry ends by its age instead");
        }
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bus {
    /// Announces an instance, each second with what `update` says then, and registers it with the NATS services
    /// framework. Returns when the first entry is written.
    pub async fn announce(
        &self,
        identity: Identity,
        version: &str,
        update: impl Fn() -> PresenceUpdate + Send + Sync + 'static,
    ) -> Result<Announcement, BrokerError> {
        let bucket = Bucket::new(self, BUCKET, LIFETIME);
        let key = identity.key();
        let (state, orders) = watch::channel(ServiceState::Ready);
        let (saying, mut said) = watch::channel(None);
        let version = version.to_owned();
        let current = Arc::new(move |state| presence(&identity, &version, state, update()));
        let registration = Registration::start(self, &current(ServiceState::Ready), current.clone()).await?;
        let task = tokio::spawn(announce(bucket.clone(), key.clone(), orders, saying, current, registration));
        let first = timeout(LIFETIME, said.wait_for(Option::is_some)).await;
        if !first.is_ok_and(|said| said.is_ok()) {
            task.abort();
            return Err(BrokerError::TimedOut("announcing"));
        }
        Ok(Announcement { state, said, bucket, key, task })
    }

    /// What an instance says of itself now, in one question and answer: younger than what it last announced.
    ///
    /// # Errors
    /// When nobody answers within the time, or not with a presence.
    pub async fn presence_of(
        &self,
        service: ServiceKind,
        instance: &InstanceId,
        within: Duration,
    ) -> Result<Presence, BrokerError> {
        let subject = subjects::info(service, instance);
        let asking = self.client().request(subject.as_str().to_owned(), Vec::new().into());
        let answer =
            timeout(within, asking).await.map_err(|_| BrokerError::TimedOut("asking an instance"))?;
        let answer = answer.map_err(|error| BrokerError::failed("asking an instance", error))?;
        serde_json::from_slice(&answer.payload)
            .map_err(|error| BrokerError::failed("reading an instance's answer", error))
    }

    /// Watches who is there; the snapshot is filled when this returns.
    pub async fn watch_presences(&self) -> Result<Presences, BrokerError> {
        let bucket = Bucket::new(self, BUCKET, LIFETIME);
        let mut seen = Seen::default();
        for (key, value) in bucket.entries().await? {
            seen.hear(Change::Put(key, value));
        }
        let (publish, snapshot) = watch::channel(Arc::new(seen.alive()));
        let task = tokio::spawn(follow(bucket, seen, publish)).abort_handle();
        Ok(Presences { snapshot, watcher: Arc::new(Watcher(task)) })
    }
}

fn presence(identity: &Identity, version: &str, state: ServiceState, update: PresenceUpdate) -> Presence {
    Presence {
        service: identity.service,
        instance: identity.instance.clone(),
        node: identity.node.clone(),
        version: version.to_owned(),
        state,
        credits: update.credits,
        capacity: update.capacity,
        models: update.models,
        hardware: update.hardware,
        at: UnixMillis::now(),
    }
}

async fn announce(
    bucket: Bucket,
    key: String,
    mut orders: watch::Receiver<ServiceState>,
    saying: watch::Sender<Option<ServiceState>>,
    current: Arc<impl Fn(ServiceState) -> Presence>,
    _registration: Registration,
) {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut opened = None;
    loop {
        tokio::select! {
            _ = heartbeat.tick() => {}
            changed = orders.changed() => if changed.is_err() { return },
        }
        let state = *orders.borrow_and_update();
        let saying_it = async {
            let store = match opened.take() {
                Some(store) => store,
                None => bucket.open().await?,
            };
            bucket.put(&store, &key, schemas::encode(&current(state))?).await?;
            Ok::<_, BrokerError>(store)
        };
        match timeout(LIFETIME, saying_it).await.unwrap_or(Err(BrokerError::TimedOut("announcing"))) {
            Ok(store) => {
                opened = Some(store);
                saying.send_replace(Some(state));
            }
            Err(error) => warn!(key, %error, "not announced"),
        }
    }
}

/// The entries heard of, with the time of the last word of each.
#[derive(Default)]
struct Seen(HashMap<String, (Presence, Instant)>);

impl Seen {
    fn hear(&mut self, change: Change) {
        match change {
            Change::Removed(key) => drop(self.0.remove(&key)),
            Change::Put(key, value) => match schemas::decode::<Presence>(&value) {
                // Hearing the same entry again is no sign of life.
                Ok(new) if self.0.get(&key).is_some_and(|(known, _)| known.at >= new.at) => {}
                Ok(new) => drop(self.0.insert(key, (new, Instant::now()))),
                Err(error) => warn!(key, %error, "an unreadable presence"),
            },
        }
    }

    fn alive(&mut self) -> Vec<Presence> {
        self.0.retain(|_, (_, last)| last.elapsed() < LIFETIME);
        let mut alive: Vec<Presence> = self.0.values().map(|(presence, _)| presence.clone()).collect();
        alive.sort_by(|a, b| (a.service, &a.instance).cmp(&(b.service, &b.instance)));
        alive
    }
}

async fn follow(bucket: Bucket, seen: Seen, publish: watch::Sender<Arc<Vec<Presence>>>) {
    let seen = std::sync::Mutex::new(seen);
    let lock = || seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let refresh = |change: Option<Change>| {
        let mut seen = lock();
        if let Some(change) = change {
            seen.hear(change);
        }
        let alive = seen.alive();
        publish.send_if_modified(|known| {
            let differs = **known != alive;
            if differs {
                *known = Arc::new(alive);
            }
            differs
        });
    };
    let sweeping = async {
        let mut sweep = interval(SWEEP);
        loop {
            sweep.tick().await;
            refresh(None);
        }
    };
    let watching = bucket.watch(|change| {
        refresh(Some(change));
        std::future::ready(())
    });
    tokio::join!(sweeping, watching);
}

#[derive(Debug)]
struct Watcher(AbortHandle);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Who is there now. Clones share one watch.
#[derive(Debug, Clone)]
pub struct Presences {
    snapshot: watch::Receiver<Arc<Vec<Presence>>>,
    #[allow(dead_code, reason = "held so that the watch ends with the last clone")]
    watcher: Arc<Watcher>,
}

impl Presences {
    /// Every instance heard of within the last three seconds, by service and id; leaving ones included.
    pub fn snapshot(&self) -> Arc<Vec<Presence>> {
        self.snapshot.borrow().clone()
    }

    /// Waits until the presences are as wanted, at the latest until the deadline.
    pub async fn wait_until(
        &self,
        deadline: UnixMillis,
        wanted: impl Fn(&[Presence]) -> bool,
    ) -> Result<Arc<Vec<Presence>>, BrokerError> {
        let mut snapshot = self.snapshot.clone();
        let until = Instant::now() + deadline.remaining();
        let waiting = snapshot.wait_for(|presences| wanted(presences));
        match timeout_at(until, waiting).await {
            Ok(Ok(presences)) => Ok(presences.clone()),
            _ => Err(BrokerError::TimedOut("waiting for services")),
        }
    }
}
