//! The published fronts: bucket `splinter-fronts`, one entry a model, edge and cloud machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemas::{Front, ModelName};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::{info, warn};

use crate::bucket::{Bucket, Change};
use crate::bus::Bus;
use crate::error::BrokerError;

const BUCKET: &str = "splinter-fronts";

/// Fronts stay until they are replaced.
const FOR_EVER: Duration = Duration::ZERO;

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

impl Bus {
    /// Publishes a front, in place of the last one of the same model and machines.
    pub async fn publish_front(&self, front: &Front) -> Result<(), BrokerError> {
        let bucket = Bucket::new(self, BUCKET, FOR_EVER);
        let store = bucket.open().await?;
        bucket.put(&store, &key(front), schemas::encode(front)?).await
    }

    /// Watches the fronts; those published already are there when this returns. An entry that is empty,
    /// contradicts itself or does not decode is refused with a warning, and the last good one stays.
    pub async fn watch_fronts(&self) -> Result<Fronts, BrokerError> {
        let bucket = Bucket::new(self, BUCKET, FOR_EVER);
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

fn key(front: &Front) -> String {
    format!("{}.{}.{}", front.model, front.edge, front.cloud)
}

/// Returns whether something changed.
fn apply(known: &mut Known, change: Change) -> bool {
    match change {
        Change::Removed(key) => known.remove(&key).is_some(),
        Change::Put(key, value) => match read(&key, &value) {
            Ok(front) if known.get(&key).is_some_and(|known| known.id == front.id) => false,
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

fn read(entry: &str, value: &[u8]) -> Result<Front, String> {
    let front: Front = schemas::decode(value).map_err(|error| error.to_string())?;
    if key(&front) != entry {
        return Err(format!("it is of {}", key(&front)));
    }
    if front.points.is_empty() {
        return Err("it has no point".into());
    }
    let measured = front.points.iter().chain([&front.all_cloud, &front.all_edge]);
    let greatest = measured.map(|point| point.configuration.cut).max();
    match greatest.filter(|cut| *cut > front.last_cut) {
        Some(cut) => Err(format!("cut {cut} lies behind the last cut {}", front.last_cut)),
        None => Ok(front),
    }
}
