use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use broker::{BrokerError, Bus, ModelStore};
use models::{Accelerator, Bundle};
use schemas::{ModelName, ServedModel};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::hosted::Hosted;

/// How often the model store is looked at for new and replaced networks.
const LOOK: Duration = Duration::from_secs(2);

/// How often the model store is tried at the start where only the time runs out, as on a link that has just been joined.
const FIRST_TRIES: u32 = 3;

/// How long a network that could not be fetched is left alone at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

const MANIFEST: &str = "model.toml";
const NETWORK: &str = "model.onnx";
const LABELS: &str = "labels.txt";

/// Which networks an executor hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostSettings {
    /// A folder of bundle folders, besides the model store.
    pub models_dir: Option<PathBuf>,
    /// Only these; all when empty.
    pub models: Vec<ModelName>,
    /// What to run them on besides the processor, where it is there.
    pub accelerators: Vec<Accelerator>,
}

/// Why no networks can be hosted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The folder of bundles cannot be read.
    #[error("cannot read the folder of models {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The model store cannot be reached.
    #[error("the model store cannot be used")]
    Store(#[source] BrokerError),
}

type Networks = BTreeMap<ModelName, Arc<Hosted>>;

/// The networks that are warm now. Clones share one catalogue.
#[derive(Debug, Clone)]
pub struct Catalogue {
    networks: watch::Receiver<Networks>,
    #[allow(dead_code, reason = "held so that the look-out ends with the last clone")]
    lookout: Arc<Lookout>,
}

#[derive(Debug)]
struct Lookout(AbortHandle);

impl Drop for Lookout {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Catalogue {
    /// Loads what the folder and the model store hold, and from then on what the store gains.
    pub async fn open(settings: HostSettings, bus: &Bus) -> Result<Self, HostError> {
        let store = bus.model_store().await.map_err(HostError::Store)?;
        let (publish, networks) = watch::channel(Networks::new());
        let mut search = Search {
            wanted: settings.models,
            accelerators: settings.accelerators,
            store,
            seen: BTreeMap::new(),
            failures: BTreeMap::new(),
            publish,
        };
        if let Some(folder) = &settings.models_dir {
            for bundle_folder in bundle_folders(folder)? {
                search.load_folder(&bundle_folder).await;
            }
        }
        search.look_first().await.map_err(HostError::Store)?;
        let lookout = tokio::spawn(search.keep_looking()).abort_handle();
        Ok(Self { networks, lookout: Arc::new(Lookout(lookout)) })
    }

    /// A network by name.
    pub fn get(&self, name: &ModelName) -> Option<Arc<Hosted>> {
        self.networks.borrow().get(name).cloned()
    }

    /// How many networks are warm.
    pub fn len(&self) -> usize {
        self.networks.borrow().len()
    }

    /// Whether no network is warm.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries for the presence.
    pub fn served(&self) -> Vec<ServedModel> {
        self.networks.borrow().values().map(|hosted| hosted.served()).collect()
    }

    /// The names now, and a receiver that hears of every change.
    pub(crate) fn names(&self) -> (Vec<ModelName>, watch::Receiver<Networks>) {
        let mut changes = self.networks.clone();
        let names = changes.borrow_and_update().keys().cloned().collect();
        (names, changes)
    }
}

fn bundle_folders(folder: &Path) -> Result<Vec<PathBuf>, HostError> {
    let unreadable = |source| HostError::Folder { path: folder.to_path_buf(), source };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.join(MANIFEST).is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Looks for networks and publishes them when they are warm.
struct Search {
    wanted: Vec<ModelName>,
    accelerators: Vec<Accelerator>,
    store: ModelStore,
    /// What was last tried of each stored network, so that a bad one is tried and complained of only once.
    seen: BTreeMap<ModelName, Vec<(String, Option<String>)>>,
    failures: BTreeMap<ModelName, Failure>,
    publish: watch::Sender<Networks>,
}

/// A network that could not be fetched. Each try may cost the link all its bytes, as when there is no room for them here.
#[derive(Debug, Clone, Copy)]
struct Failure {
    times: u32,
    /// Until then it is left alone.
    until: Instant,
}

impl Failure {
    /// One more, after those before it: each pause is twice the last one.
    fn after(before: Option<Self>, now: Instant) -> Self {
        let times = before.map_or(0, |before| before.times) + 1;
        let pause = LOOK.saturating_mul(1 << times.min(16)).min(LONGEST_PAUSE);
        Self { times, until: now + pause }
    }
}

impl Search {
    async fn keep_looking(mut self) {
        let mut next = interval(LOOK);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            next.tick().await;
            if let Err(error) = self.look().await {
                warn!(%error, "the model store cannot be looked at; what is loaded stays");
            }
        }
    }

    /// Loads what is there, and tries again where only the time ran out.
    async fn look_first(&mut self) -> Result<(), BrokerError> {
        let mut tries = 1;
        loop {
            match self.look().await {
                Err(error @ BrokerError::TimedOut(_)) if tries < FIRST_TRIES => {
                    warn!(%error, "trying again");
                    self.failures.clear();
                    tries += 1;
                }
                looked => return looked,
            }
        }
    }

    /// Loads what is new. One that cannot be fetched keeps no other from being loaded; the first problem is given.
    async fn look(&mut self) -> Result<(), BrokerError> {
        let mut stored: BTreeMap<ModelName, Vec<(String, Option<String>)>> = BTreeMap::new();
        for file in self.store.list().await? {
            stored.entry(file.model).or_default().push((file.file, file.digest));
        }
        let mut looked = Ok(());
        for (name, mut files) in stored {
            files.sort();
            // A network is whole when its manifest is there, which is stored last.
            let whole = files.iter().any(|(file, _)| file == MANIFEST);
            if !self.wants(&name) || !whole || self.seen.get(&name) == Some(&files) {
                continue;
            }
            let failure = self.failures.get(&name).copied();
            if failure.is_some_and(|failure| Instant::now() < failure.until) {
                continue;
            }
            match self.load_stored(&name).await {
                Ok(()) => {
                    self.failures.remove(&name);
                    self.seen.insert(name, files);
                }
                Err(error) => {
                    self.failures.insert(name, Failure::after(failure, Instant::now()));
                    looked = looked.and(Err(error));
                }
            }
        }
        looked
    }

    fn wants(&self, name: &ModelName) -> bool {
        self.wanted.is_empty() || self.wanted.contains(name)
    }

    async fn load_stored(&self, name: &ModelName) -> Result<(), BrokerError> {
        let manifest = self.text(name, MANIFEST).await?;
        let labels = self.text(name, LABELS).await?;
        let (Some(manifest), Some(onnx)) = (manifest, self.spool(name).await?) else {
            warn!(model = %name, "the model store lacks a file of it");
            return Ok(());
        };
        let (name, accelerators) = (name.clone(), self.accelerators.clone());
        self.load(&name.clone(), move || {
            let bundle = Bundle::from_file(&manifest, &onnx, labels.as_deref())?;
            // The name in the store is the one it was added under.
            Hosted::load(bundle.renamed(name), &accelerators)
        })
        .await;
        Ok(())
    }

    /// Copies a network's ONNX file into a temporary one, so that its weights are in memory only once, as the network's.
    async fn spool(&self, name: &ModelName) -> Result<Option<TempPath>, BrokerError> {
        let made = tokio::task::spawn_blocking(NamedTempFile::new).await;
        let made = made.unwrap_or_else(|panic| Err(panic.into()));
        let (file, path) = made.map_err(|error| BrokerError::temporary_file(&error))?.into_parts();
        let copied = self.store.copy(name, NETWORK, &mut tokio::fs::File::from_std(file)).await?;
        Ok(copied.map(|_| path))
    }

    async fn text(&self, name: &ModelName, file: &str) -> Result<Option<String>, BrokerError> {
        let bytes = self.store.get(name, file).await?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn load_folder(&self, folder: &Path) {
        let path = folder.to_path_buf();
        let (shown, accelerators) = (path.display().to_string(), self.accelerators.clone());
        self.load(&shown, move || Hosted::load(Bundle::open(&path)?, &accelerators)).await;
    }

    /// Loads on a blocking thread; requests for other networks go on meanwhile.
    async fn load(
        &self,
        source: &(impl std::fmt::Display + ?Sized),
        loading: impl FnOnce() -> Result<Hosted, models::ModelError> + Send + 'static,
    ) {
        match tokio::task::spawn_blocking(loading).await {
            Ok(Ok(hosted)) if self.wants(hosted.bundle.name()) => self.add(hosted),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let fault = crate::model_fault(&error);
                warn!(%source, problem = fault.message, "a network is left out");
            }
            Err(panic) => warn!(%source, %panic, "a network is left out: loading it failed badly"),
        }
    }

    fn add(&self, hosted: Hosted) {
        let name = hosted.bundle.name().clone();
        info!(model = %name, digest = %hosted.bundle.digest(), whole_ms = hosted.whole_time.get(), "a network is warm");
        self.publish.send_modify(|networks| drop(networks.insert(name, Arc::new(hosted))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let now = Instant::now();
        let mut failure = None;
        let pauses = (0..40).map(|_| {
            failure = Some(Failure::after(failure, now));
            failure.map_or(0, |failure| (failure.until - now).as_secs())
        });
        let pauses: Vec<u64> = pauses.collect();
        assert_eq!(pauses[..6], [4, 8, 16, 32, 60, 60]);
        assert!(pauses[6..].iter().all(|pause| *pause == 60));
    }
}
