//! The shell: watches who is there and the fronts, and answers plan requests from what it saw last.

use std::sync::Arc;
use std::time::Duration;

use broker::{
    Announcement, BrokerError, Endpoint, Identity, PresenceUpdate, Request, Response, Serving, Subscription,
    subjects,
};
use chassis::{RunningService, ServiceContext};
use schemas::{Fault, FaultKind, PlanRequest, Receipt, ServiceKind};
use tokio::task::AbortHandle;
use tracing::{debug, warn};

use crate::settings::Settings;
use crate::world::World;

/// Why the scheduler cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchedulerError {
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
    _following: Following,
}

/// The task that follows receipts; it ends with the service.
#[derive(Debug)]
struct Following(AbortHandle);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a scheduler; when this returns, it answers and is announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, SchedulerError> {
    let ServiceContext { bus, node, instance, .. } = context;
    let at = |step| move |source| SchedulerError::Broker { step, source };
    let presences = bus.watch_presences().await.map_err(at("watching who is there"))?;
    let fronts = bus.watch_fronts().await.map_err(at("watching the fronts"))?;
    let world = Arc::new(World::new(presences, fronts, &settings));
    let receipts = bus.subscribe(subjects::receipt_any()).await.map_err(at("subscribing to receipts"))?;
    let following = Following(tokio::spawn(follow(receipts, world.clone())).abort_handle());
    let endpoint = Endpoint::new(settings.capacity.get()).shared(subjects::plan_any());
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
    Ok(Running { announcement, serving, _following: following })
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
