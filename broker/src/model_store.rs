//! Networks in the object store `splinter-models`: one object a file, named `<model>/<file>`.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::object_store::{Config, ObjectStore};
use async_nats::jetstream::{self};
use futures::StreamExt;
use schemas::{ByteCount, ModelName};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::bucket::OPERATION;
use crate::bus::Bus;
use crate::error::BrokerError;
use crate::subjects::Store;

const BUCKET: Store = Store::Models;

/// A network of this size is read into memory at most.
const GREATEST_FILE: u64 = 2 << 30;

/// Bytes read at once: a chunk of the object store.
const PIECE: usize = 128 << 10;

/// A large network over a slow link.
const TRANSFER: Duration = Duration::from_secs(600);

/// Between two pieces; many times what one takes at a megabit a second. A consumer made over a leaf connection that has just
/// been joined may never get its first message, and the client's reader waits for it without an end.
const SILENCE: Duration = Duration::from_secs(10);

const READING: &str = "reading the model store";

/// The model store of a broker.
#[derive(Clone)]
pub struct ModelStore {
    store: ObjectStore,
}

impl fmt::Debug for ModelStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelStore").field("bucket", &BUCKET.name()).finish_non_exhaustive()
    }
}

/// A file in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The network it belongs to.
    pub model: ModelName,
    /// Its name, such as `model.onnx`.
    pub file: String,
    /// Its size.
    pub size: ByteCount,
    /// The broker's digest of its bytes: another one means that it was replaced.
    pub digest: Option<String>,
}

impl Bus {
    /// Opens the model store, made when it is missing.
    pub async fn model_store(&self) -> Result<ModelStore, BrokerError> {
        let context = jetstream::new(self.client().clone());
        let opening = async {
            if let Ok(store) = context.get_object_store(BUCKET.name()).await {
                return Ok(store);
            }
            let config = Config { bucket: BUCKET.name().to_owned(), ..Config::default() };
            match context.create_object_store(config).await {
                Ok(store) => Ok(store),
                // Another service may have made it meanwhile.
                Err(error) => context.get_object_store(BUCKET.name()).await.map_err(|_| error.to_string()),
            }
        };
        let opened = timeout(OPERATION, opening)
            .await
            .map_err(|_| BrokerError::TimedOut("opening the model store"))?;
        let store = opened.map_err(|reason| BrokerError::failed("opening the model store", reason))?;
        Ok(ModelStore { store })
    }
}

impl ModelStore {
    /// Puts a file of a network, in place of one of that name.
    pub async fn put(&self, model: &ModelName, file: &str, bytes: Vec<u8>) -> Result<(), BrokerError> {
        let name = format!("{model}/{file}");
        let mut reader = bytes.as_slice();
        let put = timeout(TRANSFER, self.store.put(name.as_str(), &mut reader)).await;
        let put = put.map_err(|_| BrokerError::TimedOut("storing a model"))?;
        put.map(drop).map_err(|error| BrokerError::failed("storing a model", error))
    }

    /// Gets a file of a network; `None` when there is none. The bytes are checked against the store's SHA-256.
    pub async fn get(&self, model: &ModelName, file: &str) -> Result<Option<Vec<u8>>, BrokerError> {
        let mut bytes = Vec::new();
        Ok(self.copy(model, file, &mut bytes).await?.map(|_| bytes))
    }

    /// Copies a file of a network into a temporary one, piece by piece, and says how many bytes it has; `None` when there is none. What was
    /// written is of no use when this fails: the bytes are checked against the store's SHA-256 at their end.
    ///
    /// # Errors
    /// [`BrokerError::TimedOut`] when nothing comes for ten seconds: worth trying again.
    pub async fn copy(
        &self,
        model: &ModelName,
        file: &str,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Option<ByteCount>, BrokerError> {
        let name = format!("{model}/{file}");
        let copying = self.copy_named(&name, to);
        timeout(TRANSFER, copying).await.map_err(|_| BrokerError::TimedOut(READING))?
    }

    async fn copy_named(
        &self,
        name: &str,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Option<ByteCount>, BrokerError> {
        use async_nats::jetstream::object_store::GetErrorKind;
        let damaged = |reason: String| BrokerError::Damaged { name: name.to_owned(), reason };
        let silent = |_| BrokerError::TimedOut(READING);
        let mut object = match timeout(SILENCE, self.store.get(name)).await.map_err(silent)? {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BrokerError::failed(READING, error)),
        };
        let size = object.info().size as u64;
        if size > GREATEST_FILE {
            return Err(damaged(format!("{size} bytes are more than the {GREATEST_FILE} accepted")));
        }
        let mut arrived = 0;
        // Not `read_to_end`: the client's reader reports a wrong digest after it has filled the buffer, on which
        // tokio's panics.
        let mut piece = vec![0; PIECE];
        loop {
            let read = timeout(SILENCE, object.read(&mut piece)).await.map_err(silent)?;
            match read.map_err(|error| damaged(error.to_string()))? {
                0 => break,
                length => {
                    arrived += length as u64;
                    let written = to.write_all(&piece[..length]).await;
                    written.map_err(|error| BrokerError::temporary_file(&error))?;
                }
            }
        }
        to.flush().await.map_err(|error| BrokerError::temporary_file(&error))?;
        if arrived == size {
            Ok(Some(ByteCount(size)))
        } else {
            Err(damaged(format!("{arrived} bytes arrived of {size}")))
        }
    }

    /// Every file in the store whose name is `<model>/<file>`.
    pub async fn list(&self) -> Result<Vec<StoredFile>, BrokerError> {
        let listing = async {
            let failed =
                |error: String| BrokerError::Failed { operation: "listing the models", reason: error };
            let mut objects = self.store.list().await.map_err(|error| failed(error.to_string()))?;
            let mut files = Vec::new();
            while let Some(object) = objects.next().await {
                let object = object.map_err(|error| failed(error.to_string()))?;
                let Some((model, file)) = object.name.split_once('/') else { continue };
                let Ok(model) = ModelName::new(model) else { continue };
                files.push(StoredFile {
                    model,
                    file: file.to_owned(),
                    size: ByteCount(object.size as u64),
                    digest: object.digest.clone(),
                });
            }
            Ok(files)
        };
        timeout(OPERATION, listing).await.map_err(|_| BrokerError::TimedOut("listing the models"))?
    }
}
