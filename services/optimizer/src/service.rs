//! The shell: takes requests to measure, one at a time, and publishes fronts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::{
    Announcement, Bus, Endpoint, Identity, PresenceUpdate, Presences, Request, Response, Serving, subjects,
};
use chassis::{RunningService, ServiceContext, ServiceSettings};
use schemas::{
    Fault, FaultKind, Millis, ModelDescription, ModelName, OptimizeRequest, ServiceKind, UnixMillis,
};

use crate::campaign::Campaign;
use crate::error::Error;
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
}

/// Starts an optimizer; when this returns, it answers and is announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, Error> {
    settings.check()?;
    let ServiceContext { bus, node, instance, .. } = context;
    let at = |step| move |source| Error::Broker { step, source };
    let presences = bus.watch_presences().await.map_err(at("watching who is there"))?;
    let optimizer =
        Arc::new(Optimizer { bus: bus.clone(), presences, settings, measuring: Mutex::new(None) });
    let handler = move |request: Request| {
        let optimizer = optimizer.clone();
        async move { optimizer.answer(&request).await }
    };
    let endpoint = Endpoint::new(CAPACITY).shared(subjects::optimize_any());
    let serving = bus.serve(endpoint, handler).await.map_err(at("serving requests"))?;
    let credits = serving.credits().clone();
    let identity = Identity { service: ServiceKind::Optimizer, instance, node };
    let update = move || PresenceUpdate::from(&credits);
    let announcement =
        bus.announce(identity, env!("CARGO_PKG_VERSION"), update).await.map_err(at("announcing itself"))?;
    Ok(Running { announcement, serving })
}

impl RunningService for Running {
    async fn leave(self, grace: Duration) {
        self.announcement.leave(self.serving.leave(grace)).await;
    }
}

struct Optimizer {
    bus: Bus,
    presences: Presences,
    settings: Settings,
    /// The network that is measured now. Two at once would measure each other.
    measuring: Mutex<Option<ModelName>>,
}

impl Optimizer {
    async fn answer(&self, request: &Request) -> Result<Response, Fault> {
        let asked: OptimizeRequest<'_> = schemas::decode(&request.body)
            .map_err(|error| refused(format!("the body is not a MessagePack OptimizeRequest: {error}")))?;
        check(&asked, request.subject.last_token())?;
        let _turn = self.take_turn(&asked.model)?;
        let description = self.describe(&asked.model, request.deadline).await?;
        let site = site::choose(&self.presences.snapshot(), &description)?;
        let campaign = Campaign {
            bus: &self.bus,
            settings: &self.settings,
            request: &asked,
            description: &description,
            site: &site,
            deadline: request.deadline,
        };
        let reply = campaign.run().await?;
        self.bus.publish_front(&reply.front).await.map_err(|error| {
            Fault::new(FaultKind::Unavailable, format!("the front was measured but not published: {error}"))
        })?;
        if request.plain { Response::json(&reply) } else { Response::messagepack(&reply) }
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
        Ok(Turn(&self.measuring))
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
struct Turn<'a>(&'a Mutex<Option<ModelName>>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(self.0) = None;
    }
}

/// A lock that a panicking holder poisoned still guards consistent data: no code panics while it holds one.
fn lock(measuring: &Mutex<Option<ModelName>>) -> MutexGuard<'_, Option<ModelName>> {
    measuring.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(asked: &OptimizeRequest<'_>, subject_model: &str) -> Result<(), Fault> {
    if asked.model.as_str() != subject_model {
        return Err(refused(format!("{} was asked for on the subject of {subject_model}", asked.model)));
    }
    if asked.pictures.is_empty() {
        return Err(refused("there is no picture to measure with: send at least one".into()));
    }
    if !(1..=GREATEST_SAMPLES).contains(&asked.samples) {
        let samples = asked.samples;
        return Err(refused(format!("{samples} samples are out of range: use 1 to {GREATEST_SAMPLES}")));
    }
    Ok(())
}

fn refused(message: String) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}
