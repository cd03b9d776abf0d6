//! The shell: watches who is there and the fronts, and answers plan requests from what it saw last.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use broker::{
    Announcement, BrokerError, Endpoint, Fronts, Identity, PresenceUpdate, Presences, Request, Response,
    Serving, subjects,
};
use chassis::{RunningService, ServiceContext};
use schemas::{Fault, FaultKind, FrontId, ModelName, PlanRequest, PolicyName, ServiceKind};
use tracing::debug;

use crate::plan::plan;
use crate::policy::PreparedFront;
use crate::settings::Settings;

/// Prepared fronts kept. A front is some kilobytes, and a site has a handful of networks and machines; when fronts
/// that were replaced have filled this up, all are prepared again, which takes microseconds each.
const GREATEST_PREPARED: usize = 256;

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
}

/// Starts a scheduler; when this returns, it answers and is announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, SchedulerError> {
    let ServiceContext { bus, node, instance, .. } = context;
    let at = |step| move |source| SchedulerError::Broker { step, source };
    let world = Arc::new(World {
        presences: bus.watch_presences().await.map_err(at("watching who is there"))?,
        fronts: bus.watch_fronts().await.map_err(at("watching the fronts"))?,
        prepared: RwLock::default(),
        policy: settings.policy,
    });
    let endpoint = Endpoint::new(settings.capacity.get()).shared(subjects::plan_any());
    let answer = move |request: Request| {
        let world = world.clone();
        async move { world.answer(&request) }
    };
    let serving = bus.serve(endpoint, answer).await.map_err(at("serving plans"))?;
    let credits = serving.credits().clone();
    let identity = Identity { service: ServiceKind::Scheduler, instance, node };
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

/// What is known now.
struct World {
    presences: Presences,
    fronts: Fronts,
    prepared: RwLock<HashMap<FrontId, Arc<PreparedFront>>>,
    policy: PolicyName,
}

impl World {
    fn answer(&self, request: &Request) -> Result<Response, Fault> {
        let question: PlanRequest = schemas::decode(&request.body)
            .map_err(|error| Fault::new(FaultKind::BadRequest, format!("not a plan request: {error}")))?;
        if question.model.as_str() != request.subject.last_token() {
            let message = format!("a plan for {} was asked for on {}", question.model, request.subject);
            return Err(Fault::new(FaultKind::BadRequest, message));
        }
        let fronts = self.prepared_fronts(&question.model);
        let plan = plan(&question, self.policy, &self.presences.snapshot(), &fronts).map_err(|no_plan| {
            debug!(id = %question.id, reason = %no_plan, "no plan");
            no_plan.to_fault()
        })?;
        if request.plain { Response::json(&plan) } else { Response::messagepack(&plan) }
    }

    /// The model's fronts as they are now, each sorted the first time it is seen.
    fn prepared_fronts(&self, model: &ModelName) -> Vec<Arc<PreparedFront>> {
        let fronts = self.fronts.for_model(model);
        let known = self.prepared.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = fronts.iter().map(|front| known.get(&front.id).cloned()).collect() {
            return prepared;
        }
        drop(known);
        let mut known = self.prepared.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() + fronts.len() > GREATEST_PREPARED {
            known.clear();
        }
        let prepare = |front: &Arc<schemas::Front>| {
            known.entry(front.id).or_insert_with(|| Arc::new(PreparedFront::new(front))).clone()
        };
        fronts.iter().map(prepare).collect()
    }
}
