//! The shell: takes requests to measure, one at a time, and publishes fronts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::{
    Announcement, Bus, Endpoint, Fronts, Identity, PresenceUpdate, Presences, Request, Response, Serving,
    Subscription, subjects,
};
use chassis::metrics::OptimizerMetrics;
use chassis::{ProcessEnvironment, RunningService, ServiceContext, ServiceSettings};
use schemas::{
    Configuration, Fault, FaultKind, Millis, ModelDescription, ModelName, OptimizeReply, OptimizeRequest,
    OptimizeTask, Receipt, ServiceKind, UnixMillis,
};
use tokio::task::AbortHandle;
use tracing::warn;

use crate::drift;
use crate::error::Error;
use crate::idle::{self, Errands};
use crate::receipts::Receipts;
use crate::settings::Settings;
use crate::site;

/// Requests at once: one is worked on, the others are refused with the reason, for which each needs a place.
const CAPACITY: u32 = 8;
/// When to ask again while another network is measured; measuring takes minutes.
const RETRY_AFTER_MS: f64 = 10_000.0;
/// How long an executor may take to describe a network.
const DESCRIBING: Duration = Duration::from_secs(5);
/// How long executors that have just started are waited for.
const APPEARING: Duration = Duration::from_secs(3);
/// The most samples of one configuration.
const GREATEST_SAMPLES: u32 = 1_000;

/// An optimizer that answers. Dropped, it falls silent as in a crash.
#[derive(Debug)]
pub struct Running {
    announcement: Announcement,
    serving: Serving,
    _tasks: Tasks,
}

/// What goes on beside the requests; it ends with the service.
#[derive(Debug)]
struct Tasks([AbortHandle; 2]);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Starts an optimizer; when this returns, it answers and is announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, Error> {
    settings.check()?;
    let ServiceContext { bus, node, instance, metrics, .. } = context;
    let at = |step| move |source| Error::Broker { step, source };
    let presences = bus.watch_presences().await.map_err(at("watching who is there"))?;
    let fronts = bus.watch_fronts().await.map_err(at("watching the fronts"))?;
    let receipts = bus.subscribe(subjects::receipt_any()).await.map_err(at("subscribing to receipts"))?;
    let errands = Errands::in_folder(errands_folder(&settings)).await;
    let optimizer = Arc::new(Optimizer {
        bus: bus.clone(),
        presences,
        settings,
        measuring: Mutex::new(None),
        receipts: Mutex::default(),
        errands,
        metrics: OptimizerMetrics::new(&metrics),
        fronts,
    });
    metrics.read_from(&optimizer, Optimizer::read_drift);
    let following = tokio::spawn(follow(receipts, optimizer.clone())).abort_handle();
    let waiting = tokio::spawn(idle::run(optimizer.clone())).abort_handle();
    let handler = move |request: Request| {
        let optimizer = optimizer.clone();
        async move { optimizer.answer(&request).await }
    };
    let endpoint = Endpoint::new(CAPACITY).shared(subjects::optimize_any());
    let serving = bus.serve(endpoint, handler).await.map_err(at("serving requests"))?;
    let credits = serving.credits().clone();
    metrics.follow_credits(ServiceKind::Optimizer, &credits);
    let identity = Identity { service: ServiceKind::Optimizer, instance, node };
    let update = move || PresenceUpdate::from(&credits);
    let announcement =
        bus.announce(identity, env!("CARGO_PKG_VERSION"), update).await.map_err(at("announcing itself"))?;
    Ok(Running { announcement, serving, _tasks: Tasks([following, waiting]) })
}

impl RunningService for Running {
    async fn leave(self, grace: Duration) {
        self.announcement.leave(self.serving.leave(grace)).await;
    }
}

/// Where requests are kept for refreshing in idle time; nowhere where that is switched off: they hold people's pictures.
fn errands_folder(settings: &Settings) -> Option<PathBuf> {
    let wanted = !settings.refresh_idle_ms.to_duration().is_zero();
    settings.state_folder(&ProcessEnvironment).filter(|_| wanted).map(|folder| folder.join("requests"))
}

/// Takes in what live requests cost.
async fn follow(mut receipts: Subscription, optimizer: Arc<Optimizer>) {
    while let Some(message) = receipts.next().await {
        match schemas::decode::<Receipt>(&message.body) {
            Ok(receipt) => {
                optimizer.errands.heard();
                optimizer.metrics.receipts.count([]);
                lock(&optimizer.receipts).note(&receipt, &optimizer.presences.snapshot());
            }
            Err(error) => warn!(subject = %message.subject, %error, "an unreadable receipt"),
        }
    }
}

pub(crate) struct Optimizer {
    pub(crate) bus: Bus,
    pub(crate) presences: Presences,
    pub(crate) settings: Settings,
    /// The network that is measured now. Two at once would measure each other.
    measuring: Mutex<Option<ModelName>>,
    /// What live requests cost lately.
    pub(crate) receipts: Mutex<Receipts>,
    pub(crate) errands: Errands,
    pub(crate) metrics: OptimizerMetrics,
    /// What is decided by now.
    fronts: Fronts,
}

impl Optimizer {
    async fn answer(&self, request: &Request) -> Result<Response, Fault> {
        let asked: OptimizeRequest<'_> = schemas::decode(&request.body)
            .map_err(|error| refused(format!("the body is not a MessagePack OptimizeRequest: {error}")))?;
        check(&asked, request.subject.last_token())?;
        let reply = self.serve(&asked, request.deadline).await?;
        self.errands.remember(asked.model.clone(), request.body.clone()).await;
        if request.plain { Response::json(&reply) } else { Response::messagepack(&reply) }
    }

    /// Does what is asked, alone.
    pub(crate) async fn serve(
        &self,
        asked: &OptimizeRequest<'_>,
        deadline: UnixMillis,
    ) -> Result<OptimizeReply, Fault> {
        let ended = self.serve_alone(asked, deadline).await;
        self.metrics.answered(&asked.model, asked.search.task, ended.as_ref().err());
        ended
    }

    async fn serve_alone(
        &self,
        asked: &OptimizeRequest<'_>,
        deadline: UnixMillis,
    ) -> Result<OptimizeReply, Fault> {
        let _turn = self.take_turn(&asked.model)?;
        let description = self.describe(&asked.model, deadline).await?;
        match asked.search.task {
            OptimizeTask::Refresh => self.refresh(asked, &description, deadline).await,
            _ => self.measure(asked, &description, deadline).await,
        }
    }

    /// Takes the one place; it is given back when the turn is dropped, however the measuring ends.
    fn take_turn(&self, model: &ModelName) -> Result<Turn<'_>, Fault> {
        let mut measuring = lock(&self.measuring);
        if let Some(other) = measuring.as_ref() {
            let message = format!("{other} is being measured now, and two would disturb each other");
            return Err(Fault {
                retry_after_ms: Some(Millis::saturating(RETRY_AFTER_MS)),
                ..Fault::new(FaultKind::Overloaded, message)
            });
        }
        *measuring = Some(model.clone());
        self.metrics.begins(model);
        Ok(Turn(self))
    }

    /// Says how much of each front has drifted by what was heard of late, whenever somebody reads the metrics.
    fn read_drift(&self) {
        let fronts = self.fronts.all();
        let receipts = lock(&self.receipts);
        let judged = fronts.iter().map(|front| {
            let costs = |configuration: &Configuration| receipts.of(front, configuration);
            let drifted = drift::drifts(front, costs, self.settings.drift).len();
            (&**front, drifted, receipts.count(front).0)
        });
        self.metrics.drift(judged);
    }

    async fn describe(&self, model: &ModelName, deadline: UnixMillis) -> Result<ModelDescription, Fault> {
        let appearing = UnixMillis::now().after(APPEARING).min(deadline);
        let wanted = |presences: &[schemas::Presence]| site::serves(presences, model).is_ok();
        if self.presences.wait_until(appearing, wanted).await.is_err() {
            site::serves(&self.presences.snapshot(), model)?;
        }
        let within = DESCRIBING.min(deadline.remaining());
        let answer = self.bus.ask(subjects::describe(model), within, &());
        let answer = answer.await.map_err(|error| {
            let fault = error.to_fault();
            Fault { message: format!("describing {model}: {}", fault.message), ..fault }
        })?;
        schemas::decode(&answer.body)
            .map_err(|error| Fault::new(FaultKind::Internal, format!("the description of {model}: {error}")))
    }
}

/// The right to measure.
struct Turn<'a>(&'a Optimizer);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut measuring = lock(&self.0.measuring);
        self.0.metrics.ended();
        *measuring = None;
    }
}

/// A lock that a panicking holder poisoned still guards consistent data: no code panics while it holds one.
pub(crate) fn lock<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(asked: &OptimizeRequest<'_>, subject_model: &str) -> Result<(), Fault> {
    if asked.model.as_str() != subject_model {
        return Err(refused(format!("{} was asked for on the subject of {subject_model}", asked.model)));
    }
    if asked.pictures.is_empty() {
        return Err(refused("there is no picture to measure with: send at least one".into()));
    }
    for samples in [Some(asked.samples), asked.most_samples].into_iter().flatten() {
        if (1..=GREATEST_SAMPLES).contains(&samples) {
            continue;
        }
        return Err(refused(format!("{samples} samples are out of range: use 1 to {GREATEST_SAMPLES}")));
    }
    Ok(())
}

pub(crate) fn refused(message: String) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}
