//! The published fronts: bucket `splinter-fronts`, one entry a model, edge and cloud machine.

mod content;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemas::{Front, ModelName, NodeId};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::{info, warn};

use crate::bucket::{Bucket, Change};
use crate::bus::Bus;
use crate::error::BrokerError;
use crate::subjects::Store;

pub use content::{is_intact, sealed};

const BUCKET: Store = Store::Fronts;

/// Fronts stay until they are replaced.
const FOR_EVER: Duration = Duration::ZERO;

/// Revisions of a front that are kept: a front is some ten kilobytes, and a bucket keeps 64 at most.
const REVISIONS: i64 = 32;

type Known = BTreeMap<String, Arc<Front>>;

/// Every front, the last good one of each.
#[derive(Debug)]
pub struct Fronts {
    known: watch::Receiver<Known>,
    watcher: AbortHandle,
}

impl Fronts {
    /// The fronts of a model, one for each pair of machines.
    pub fn for_model(&self, model: &ModelName) -> Vec<Arc<Front>> {
        self.known.borrow().values().filter(|front| front.model == *model).cloned().collect()
    }

    /// All fronts, by model and machines.
    pub fn all(&self) -> Vec<Arc<Front>> {
        self.known.borrow().values().cloned().collect()
    }

    /// Waits for the next change.
    pub async fn changed(&mut self) -> Result<(), BrokerError> {
        self.known.changed().await.map_err(|error| BrokerError::failed("watching fronts", error))
    }
}

impl Drop for Fronts {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

/// What is published now of a model on two machines.
#[derive(Debug, Clone)]
pub struct PublishedFront {
    /// The front; `None` where there is none, or none that can be read.
    pub front: Option<Front>,
    /// The entry that a new front replaces.
    pub entry: FrontEntry,
}

/// An entry of the fronts' bucket, for [`Bus::replace_front`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrontEntry(u64);

impl Bus {
    /// Publishes a front in place of the last one of the same model and machines, whatever that is.
    pub async fn publish_front(&self, front: &Front) -> Result<(), BrokerError> {
        let bucket = fronts(self);
        let store = bucket.open().await?;
        bucket.put(&store, &key(front), schemas::encode(front)?).await
    }

    /// Publishes a front in place of the entry that was read before. `None` when somebody else published one since: then
    /// nothing is written.
    pub async fn replace_front(
        &self,
        front: &Front,
        read: FrontEntry,
    ) -> Result<Option<FrontEntry>, BrokerError> {
        let bucket = fronts(self);
        let store = bucket.open().await?;
        let replaced = bucket.replace(&store, &key(front), schemas::encode(front)?, read.0).await?;
        Ok(replaced.map(FrontEntry))
    }

    /// What is published now of a model on two machines.
    pub async fn published_front(
        &self,
        model: &ModelName,
        edge: &NodeId,
        cloud: &NodeId,
    ) -> Result<PublishedFront, BrokerError> {
        let key = key_of(model, edge, cloud);
        let (value, revision) = fronts(self).last(&key).await?;
        let front = value.and_then(|value| {
            let refused = |problem: &String| warn!(key, problem, "the published front is not readable");
            read(&key, &value).inspect_err(refused).ok()
        });
        Ok(PublishedFront { front, entry: FrontEntry(revision) })
    }

    /// The revisions that are kept of a model's front on two machines, the oldest first. Those that are not readable are
    /// left out with a warning.
    pub async fn front_revisions(
        &self,
        model: &ModelName,
        edge: &NodeId,
        cloud: &NodeId,
    ) -> Result<Vec<Front>, BrokerError> {
        let key = key_of(model, edge, cloud);
        let kept = fronts(self).history(&key).await?;
        let readable = kept.iter().filter_map(|value| {
            let refused = |problem: &String| warn!(key, problem, "a kept front is not readable");
            read(&key, value).inspect_err(refused).ok()
        });
        Ok(readable.collect())
    }

    /// Watches the fronts; those published already are there when this returns. An entry that is empty, stale (an
    /// earlier revision, measured earlier), contradicts itself or its digest, or does not decode is refused with a
    /// warning, and the last good one stays.
    pub async fn watch_fronts(&self) -> Result<Fronts, BrokerError> {
        let bucket = fronts(self);
        let mut first = Known::new();
        for (key, value) in bucket.entries().await? {
            apply(&mut first, Change::Put(key, value));
        }
        let (publish, known) = watch::channel(first);
        let watching = async move {
            bucket
                .watch(|change| {
                    publish.send_if_modified(|known| apply(known, change));
                    std::future::ready(())
                })
                .await;
        };
        Ok(Fronts { known, watcher: tokio::spawn(watching).abort_handle() })
    }
}

fn fronts(bus: &Bus) -> Bucket {
    Bucket::new(bus, BUCKET, FOR_EVER).keeping(REVISIONS)
}

fn key(front: &Front) -> String {
    key_of(&front.model, &front.edge, &front.cloud)
}

fn key_of(model: &ModelName, edge: &NodeId, cloud: &NodeId) -> String {
    format!("{model}.{edge}.{cloud}")
}

/// Returns whether something changed.
fn apply(known: &mut Known, change: Change) -> bool {
    match change {
        Change::Removed(key) => known.remove(&key).is_some(),
        Change::Put(key, value) => match read(&key, &value) {
            Ok(front) if known.get(&key).is_some_and(|known| known.id == front.id) => false,
            Ok(front) if known.get(&key).is_some_and(|known| is_stale(&front, known)) => {
                let problem =
                    format!("it is revision {}, measured before the one that is known", front.revision);
                warn!(key, problem, "a front was refused, the last good one stays");
                false
            }
            Ok(front) => {
                info!(key, front = %front.id, points = front.points.len(), "a front arrived");
                known.insert(key, Arc::new(front));
                true
            }
            Err(problem) => {
                warn!(key, problem, "a front was refused, the last good one stays");
                false
            }
        },
    }
}

/// Whether a front is an earlier one than that which is known. A lower revision alone is none: where the broker lost its
/// data, counting begins anew with what is measured now.
fn is_stale(front: &Front, known: &Front) -> bool {
    front.revision < known.revision && front.ended_at <= known.ended_at
}

fn read(entry: &str, value: &[u8]) -> Result<Front, String> {
    let front: Front = schemas::decode(value).map_err(|error| error.to_string())?;
    if key(&front) != entry {
        return Err(format!("it is of {}", key(&front)));
    }
    if front.points.is_empty() {
        return Err("it has no point".into());
    }
    if !is_intact(&front) {
        return Err("it is not what its digest says: it was changed after it was measured".into());
    }
    let measured = front.points.iter().chain(&front.tied).chain([&front.all_cloud, &front.all_edge]);
    let greatest = measured.map(|point| point.configuration.cut).max();
    match greatest.filter(|cut| *cut > front.last_cut) {
        Some(cut) => Err(format!("cut {cut} lies behind the last cut {}", front.last_cut)),
        None => Ok(front),
    }
}
