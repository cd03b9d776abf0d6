//! Key-value buckets: created when missing, watched for ever.

use std::future::Future;
use std::time::Duration;

use async_nats::jetstream::kv::{Config, Entry, Operation, Store};
use async_nats::jetstream::{self, stream::StorageType};
use futures::StreamExt;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::bus::Bus;
use crate::error::BrokerError;

/// Longest a single operation on a bucket may take.
pub(crate) const OPERATION: Duration = Duration::from_secs(5);

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
}

/// One change of a bucket.
pub(crate) enum Change {
    Put(String, bytes::Bytes),
    Removed(String),
}

impl Bucket {
    pub(crate) fn new(bus: &Bus, name: &'static str, max_age: Duration) -> Self {
        Self { bus: bus.clone(), name, max_age }
    }

    /// The bucket, made when it is missing. Two services may do so at once: both get the same.
    pub(crate) async fn open(&self) -> Result<Store, BrokerError> {
        let context = jetstream::new(self.bus.client().clone());
        let opening = async {
            if let Ok(store) = context.get_key_value(self.name).await {
                return Ok(store);
            }
            let config = Config {
                bucket: self.name.to_owned(),
                history: 1,
                max_age: self.max_age,
                storage: StorageType::File,
                ..Config::default()
            };
            match context.create_key_value(config).await {
                Ok(store) => Ok(store),
                Err(error) => context.get_key_value(self.name).await.map_err(|_| error.to_string()),
            }
        };
        let opened =
            timeout(OPERATION, opening).await.map_err(|_| BrokerError::TimedOut("opening a bucket"))?;
        opened.map_err(|reason| BrokerError::Failed { operation: "opening a bucket", reason })
    }

    pub(crate) async fn put(&self, store: &Store, key: &str, value: Vec<u8>) -> Result<(), BrokerError> {
        let put = timeout(OPERATION, store.put(key, value.into())).await;
        let put = put.map_err(|_| BrokerError::TimedOut("writing to a bucket"))?;
        put.map(drop).map_err(|error| BrokerError::failed("writing to a bucket", error))
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

fn change(entry: Entry) -> Change {
    match entry.operation {
        Operation::Put => Change::Put(entry.key, entry.value),
        Operation::Delete | Operation::Purge => Change::Removed(entry.key),
    }
}
