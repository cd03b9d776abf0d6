//! The shell: watches who is there and the fronts, and answers plan requests from what it saw last.

use std::sync::Arc;
use std::time::Duration;

use broker::{
    Announcement, BrokerError, Bus, Endpoint, Identity, PresenceUpdate, Request, Response, Serving,
    Subscription, subjects,
};
use chassis::{RunningService, ServiceContext, ServiceSettings, SettingsError};
use schemas::{Fault, FaultKind, InstanceId, PlanRequest, Receipt, ServiceKind};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

use crate::settings::Settings;
use crate::world::{Watched, World};

/// How often it says what it takes to be true.
const REPORT: Duration = Duration::from_secs(1);

/// Why the scheduler cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchedulerError {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The broker does not let it.
    #[error("the scheduler failed at {step}")]
    Broker {
        /// What it was doing.
        step: &'static str,
        /// Why.
        source: BrokerError,
    },
}

/// A scheduler that answers. Dropped, it falls silent as in a crash.
#[derive(Debug)]
pub struct Running {
    announcement: Announcement,
    serving: Serving,
    _tasks: [Task; 2],
}

/// A task that ends with the service.
#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a scheduler; when this returns, it answers and is announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, SchedulerError> {
    settings.check()?;
    let ServiceContext { bus, node, instance, .. } = context;
    let at = |step| move |source| SchedulerError::Broker { step, source };
    let presences = bus.watch_presences().await.map_err(at("watching who is there"))?;
    let fronts = bus.watch_fronts().await.map_err(at("watching the fronts"))?;
    let choices = bus.watch_policy_choice().await.map_err(at("watching the choice of policies"))?;
    let capacity = settings.capacity.get();
    let world = Arc::new(World::new(Watched { presences, fronts, choices }, settings));
    let receipts = bus.subscribe(subjects::receipt_any()).await.map_err(at("subscribing to receipts"))?;
    let following = Task(tokio::spawn(follow(receipts, world.clone())).abort_handle());
    let reporting = Task(tokio::spawn(report(bus.clone(), world.clone(), instance.clone())).abort_handle());
    let endpoint = Endpoint::new(capacity).shared(subjects::plan_any());
    let answer = move |request: Request| {
        let world = world.clone();
        async move { answer(&world, &request) }
    };
    let serving = bus.serve(endpoint, answer).await.map_err(at("serving plans"))?;
    let credits = serving.credits().clone();
    let identity = Identity { service: ServiceKind::Scheduler, instance, node };
    let update = move || PresenceUpdate::from(&credits);
    let announcement =
        bus.announce(identity, env!("CARGO_PKG_VERSION"), update).await.map_err(at("announcing itself"))?;
    Ok(Running { announcement, serving, _tasks: [following, reporting] })
}

impl RunningService for Running {
    async fn leave(self, grace: Duration) {
        self.announcement.leave(self.serving.leave(grace)).await;
    }
}

async fn follow(mut receipts: Subscription, world: Arc<World>) {
    while let Some(message) = receipts.next().await {
        match schemas::decode::<Receipt>(&message.body) {
            Ok(receipt) => world.observe(&receipt),
            Err(error) => warn!(subject = %message.subject, %error, "an unreadable receipt"),
        }
    }
}

/// Says each second what is taken to be true here. Nobody has to listen.
async fn report(bus: Bus, world: Arc<World>, instance: InstanceId) {
    let mut ticks = interval(REPORT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let published = match schemas::encode(&world.report(&instance)) {
            Ok(body) => bus.publish(subjects::metrics(ServiceKind::Scheduler, &instance), body).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = published {
            debug!(%error, "a report was not published");
        }
    }
}

fn answer(world: &World, request: &Request) -> Result<Response, Fault> {
    let question: PlanRequest = schemas::decode(&request.body)
        .map_err(|error| Fault::new(FaultKind::BadRequest, format!("not a plan request: {error}")))?;
    if question.model.as_str() != request.subject.last_token() {
        let message = format!("a plan for {} was asked for on {}", question.model, request.subject);
        return Err(Fault::new(FaultKind::BadRequest, message));
    }
    let plan = world.plan(&question).map_err(|no_plan| {
        debug!(id = %question.id, reason = %no_plan, "no plan");
        no_plan.to_fault()
    })?;
    if request.plain { Response::json(&plan) } else { Response::messagepack(&plan) }
}
