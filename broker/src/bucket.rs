//! Key-value buckets: created when missing, watched for ever.

use std::future::Future;
use std::time::Duration;

use async_nats::jetstream::kv::{Config, Entry, Operation, Store, UpdateErrorKind};
use async_nats::jetstream::{self, stream::StorageType};
use futures::StreamExt;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::bus::Bus;
use crate::error::BrokerError;
use crate::subjects::Store as Stored;

/// Longest a single operation on a bucket may take.
pub(crate) const OPERATION: Duration = Duration::from_secs(5);

/// Longest a change of a bucket may take, within an operation.
const UPDATING: Duration = Duration::from_secs(2);

/// Pause before a broken watch is begun again.
const PAUSE: Duration = Duration::from_millis(250);

/// A quiet watch is begun again after this time: it costs one round trip and heals a watch that died silently.
const QUIET: Duration = Duration::from_secs(10);

/// A bucket by name; `max_age` zero keeps entries for ever.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    bus: Bus,
    name: &'static str,
    max_age: Duration,
    /// Values of each key that are kept: the last one, and those before it.
    history: i64,
}

/// One change of a bucket.
pub(crate) enum Change {
    Put(String, bytes::Bytes),
    Removed(String),
}

impl Bucket {
    pub(crate) fn new(bus: &Bus, store: Stored, max_age: Duration) -> Self {
        Self { bus: bus.clone(), name: store.name(), max_age, history: 1 }
    }

    /// The same with so many values of each key kept; at most 64. A bucket that was made with fewer is changed.
    pub(crate) fn keeping(self, history: i64) -> Self {
        Self { history, ..self }
    }

    /// The bucket, made when it is missing. Two services may do so at once: both get the same.
    pub(crate) async fn open(&self) -> Result<Store, BrokerError> {
        let context = jetstream::new(self.bus.client().clone());
        let opening = async {
            let config = Config {
                bucket: self.name.to_owned(),
                history: self.history,
                max_age: self.max_age,
                storage: StorageType::File,
                ..Config::default()
            };
            if let Ok(store) = context.get_key_value(self.name).await {
                if store.stream.cached_info().config.max_messages_per_subject >= self.history {
                    return Ok(store);
                }
                // Who may only read leaves it as it is; a broker that refuses says nothing.
                let updated = timeout(UPDATING, context.update_key_value(config)).await;
                return Ok(updated.ok().and_then(Result::ok).unwrap_or(store));
            }
            match context.create_key_value(config).await {
                Ok(store) => Ok(store),
                Err(error) => context.get_key_value(self.name).await.map_err(|_| error.to_string()),
            }
        };
        let opened =
            timeout(OPERATION, opening).await.map_err(|_| BrokerError::TimedOut("opening a bucket"))?;
        opened.map_err(|reason| BrokerError::failed("opening a bucket", reason))
    }

    pub(crate) async fn put(&self, store: &Store, key: &str, value: Vec<u8>) -> Result<(), BrokerError> {
        let put = timeout(OPERATION, store.put(key, value.into())).await;
        let put = put.map_err(|_| BrokerError::TimedOut("writing to a bucket"))?;
        put.map(drop).map_err(|error| BrokerError::failed("writing to a bucket", error))
    }

    /// Removes a key; one that is not there is removed already.
    pub(crate) async fn remove(&self, store: &Store, key: &str) -> Result<(), BrokerError> {
        let removed = timeout(OPERATION, store.delete(key)).await;
        let removed = removed.map_err(|_| BrokerError::TimedOut("removing from a bucket"))?;
        removed.map_err(|error| BrokerError::failed("removing from a bucket", error))
    }

    /// Writes a value in place of the one at a revision (0: of none). Gives the new revision; `None` when another value
    /// is there.
    pub(crate) async fn replace(
        &self,
        store: &Store,
        key: &str,
        value: Vec<u8>,
        revision: u64,
    ) -> Result<Option<u64>, BrokerError> {
        let update = timeout(OPERATION, store.update(key, value.into(), revision)).await;
        match update.map_err(|_| BrokerError::TimedOut("writing to a bucket"))? {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
            Err(error) => Err(BrokerError::failed("writing to a bucket", error)),
        }
    }

    /// The last value of a key, `None` where it was removed, and its revision; 0 where there never was one.
    pub(crate) async fn last(&self, key: &str) -> Result<(Option<bytes::Bytes>, u64), BrokerError> {
        let reading = async {
            let store = self.open().await?;
            let entry = store.entry(key).await;
            entry.map_err(|error| BrokerError::failed("reading a bucket", error))
        };
        let entry =
            timeout(OPERATION, reading).await.map_err(|_| BrokerError::TimedOut("reading a bucket"))??;
        Ok(entry.map_or((None, 0), |entry| (put(&entry), entry.revision)))
    }

    /// Every value of a key that is kept, the oldest first.
    pub(crate) async fn history(&self, key: &str) -> Result<Vec<bytes::Bytes>, BrokerError> {
        let reading = async {
            let store = self.open().await?;
            let failed = |error: String| BrokerError::Failed { operation: "reading a bucket", reason: error };
            let mut kept = store.history(key).await.map_err(|error| failed(error.to_string()))?;
            let mut values = Vec::new();
            while let Some(entry) = kept.next().await {
                values.extend(put(&entry.map_err(|error| failed(error.to_string()))?));
            }
            Ok(values)
        };
        timeout(OPERATION, reading).await.map_err(|_| BrokerError::TimedOut("reading a bucket"))?
    }

    /// Everything in the bucket now.
    pub(crate) async fn entries(&self) -> Result<Vec<(String, bytes::Bytes)>, BrokerError> {
        let reading = async {
            let store = self.open().await?;
            let failed = |error: String| BrokerError::Failed { operation: "reading a bucket", reason: error };
            let mut keys = store.keys().await.map_err(|error| failed(error.to_string()))?;
            let mut entries = Vec::new();
            while let Some(key) = keys.next().await {
                let key = key.map_err(|error| failed(error.to_string()))?;
                if let Some(value) = store.get(&key).await.map_err(|error| failed(error.to_string()))? {
                    entries.push((key, value));
                }
            }
            Ok(entries)
        };
        timeout(OPERATION, reading).await.map_err(|_| BrokerError::TimedOut("reading a bucket"))?
    }

    /// Hears of every entry and every later change, for ever; an entry may be heard of more than once.
    pub(crate) async fn watch<F: Future<Output = ()>>(&self, mut heard: impl FnMut(Change) -> F) {
        loop {
            if let Err(error) = self.watch_once(&mut heard).await {
                warn!(bucket = self.name, %error, "watching again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn watch_once<F: Future<Output = ()>>(
        &self,
        heard: &mut impl FnMut(Change) -> F,
    ) -> Result<(), BrokerError> {
        let store = self.open().await?;
        let watching = timeout(OPERATION, store.watch_with_history(">")).await;
        let watching = watching.map_err(|_| BrokerError::TimedOut("watching a bucket"))?;
        let mut watch = watching.map_err(|error| BrokerError::failed("watching a bucket", error))?;
        while let Ok(entry) = timeout(QUIET, watch.next()).await {
            match entry {
                Some(Ok(entry)) => heard(change(entry)).await,
                Some(Err(error)) => return Err(BrokerError::failed("watching a bucket", error)),
                None => return Ok(()),
            }
        }
        debug!(bucket = self.name, "quiet, beginning the watch again");
        Ok(())
    }
}

/// The value, unless the entry says that it was removed.
fn put(entry: &Entry) -> Option<bytes::Bytes> {
    (entry.operation == Operation::Put).then(|| entry.value.clone())
}

fn change(entry: Entry) -> Change {
    match entry.operation {
        Operation::Put => Change::Put(entry.key, entry.value),
        Operation::Delete | Operation::Purge => Change::Removed(entry.key),
    }
}
