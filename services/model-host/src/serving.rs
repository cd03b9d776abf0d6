use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::{BrokerError, Bus, Credits, Endpoint, Request, Response, Serving, Subject, subjects};
use futures::future::{BoxFuture, join_all};
use schemas::{Fault, FaultKind, ModelName};
use tokio::task::AbortHandle;
use tracing::error;

use crate::catalogue::Catalogue;

/// Descriptions asked for at once; each is a lookup.
const DESCRIPTIONS: u32 = 16;

type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Result<Response, Fault>> + Send + Sync>;

/// The subjects that an executor serves for each network it hosts.
pub struct ExecutorSubjects {
    /// Shared with the other executors of that network.
    pub shared: fn(&ModelName) -> Subject,
    /// This instance's own.
    pub own: Box<dyn Fn(&ModelName) -> Subject + Send + Sync>,
}

/// Every hosted network's endpoints. A network that becomes warm later is served from then on.
pub struct ServedNetworks {
    servings: Arc<Mutex<BTreeMap<ModelName, Vec<Serving>>>>,
    follower: AbortHandle,
}

impl std::fmt::Debug for ServedNetworks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServedNetworks").finish_non_exhaustive()
    }
}

impl ServedNetworks {
    /// Serves every network of the catalogue with the handler, all with the same credits.
    pub async fn start<F>(
        bus: &Bus,
        catalogue: &Catalogue,
        credits: &Credits,
        subjects: ExecutorSubjects,
        handler: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> Result<Self, BrokerError>
    where
        F: Future<Output = Result<Response, Fault>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |request| Box::pin(handler(request)));
        let server = Server {
            bus: bus.clone(),
            catalogue: catalogue.clone(),
            credits: credits.clone(),
            subjects,
            handler,
        };
        let servings = Arc::new(Mutex::new(BTreeMap::new()));
        let (names, mut changes) = catalogue.names();
        for name in names {
            let serving = server.serve(&name).await?;
            lock(&servings).insert(name, serving);
        }
        let known = servings.clone();
        let following = async move {
            while changes.changed().await.is_ok() {
                let names: Vec<ModelName> = changes.borrow_and_update().keys().cloned().collect();
                for name in names {
                    if lock(&known).contains_key(&name) {
                        continue;
                    }
                    match server.serve(&name).await {
                        Ok(serving) => drop(lock(&known).insert(name, serving)),
                        Err(problem) => error!(model = %name, %problem, "a warm network cannot be served"),
                    }
                }
            }
        };
        Ok(Self { servings, follower: tokio::spawn(following).abort_handle() })
    }

    /// Leaves every endpoint in order, all at once.
    pub async fn leave(self, grace: Duration) {
        self.follower.abort();
        let servings = std::mem::take(&mut *lock(&self.servings));
        join_all(servings.into_values().flatten().map(|serving| serving.leave(grace))).await;
    }
}

impl Drop for ServedNetworks {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// No code panics while it holds the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Server {
    bus: Bus,
    catalogue: Catalogue,
    credits: Credits,
    subjects: ExecutorSubjects,
    handler: Handler,
}

impl Server {
    async fn serve(&self, name: &ModelName) -> Result<Vec<Serving>, BrokerError> {
        let work = Endpoint::with_credits(&self.credits).shared((self.subjects.shared)(name)).own((self
            .subjects
            .own)(
            name
        ));
        let handler = self.handler.clone();
        let working = self.bus.serve(work, move |request| handler(request)).await?;
        let questions = Endpoint::new(DESCRIPTIONS).shared(subjects::describe(name));
        let (catalogue, name) = (self.catalogue.clone(), name.clone());
        let describing =
            self.bus.serve(questions, move |_| std::future::ready(describe(&catalogue, &name))).await?;
        Ok(vec![working, describing])
    }
}

fn describe(catalogue: &Catalogue, name: &ModelName) -> Result<Response, Fault> {
    let gone = || Fault::new(FaultKind::UnknownModel, format!("{name} is not served here"));
    Response::messagepack(&catalogue.get(name).ok_or_else(gone)?.description)
}
