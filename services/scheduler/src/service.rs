//! The shell: watches who is there and the fronts, and answers plan requests from what it saw last.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{
    Announcement, BrokerError, Bus, Endpoint, Identity, PresenceUpdate, Request, Response, Serving,
    Subscription, subjects,
};
use chassis::metrics::SchedulerMetrics;
use chassis::{RunningService, ServiceContext, ServiceSettings, SettingsError, SpanKind, Traces};
use schemas::{Fault, FaultKind, InstanceId, Plan, PlanRequest, Receipt, ServiceKind, UnixMillis};
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
    let ServiceContext { bus, node, instance, metrics, traces, .. } = context;
    let at = |step| move |source| SchedulerError::Broker { step, source };
    let presences = bus.watch_presences().await.map_err(at("watching who is there"))?;
    let fronts = bus.watch_fronts().await.map_err(at("watching the fronts"))?;
    let choices = bus.watch_policy_choice().await.map_err(at("watching the choice of policies"))?;
    let capacity = settings.capacity.get();
    let world = Arc::new(World::new(Watched { presences, fronts, choices }, settings));
    let receipts = bus.subscribe(subjects::receipt_any()).await.map_err(at("subscribing to receipts"))?;
    let following = Task(tokio::spawn(follow(receipts, world.clone())).abort_handle());
    let counted = SchedulerMetrics::new(&metrics);
    let reported = counted.clone();
    metrics.read_from(&world, move |world| read(world, &reported));
    let saying = report(bus.clone(), world.clone(), instance.clone(), metrics.clone());
    let reporting = Task(tokio::spawn(saying).abort_handle());
    let endpoint = Endpoint::new(capacity).shared(subjects::plan_any());
    let desk = Arc::new(Desk { world, counted, traces });
    let answer = move |request: Request| {
        let desk = desk.clone();
        async move { desk.answer(&request) }
    };
    let serving = bus.serve(endpoint, answer).await.map_err(at("serving plans"))?;
    let credits = serving.credits().clone();
    metrics.follow_credits(ServiceKind::Scheduler, &credits);
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
async fn report(bus: Bus, world: Arc<World>, instance: InstanceId, metrics: chassis::Metrics) {
    let mut ticks = interval(REPORT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut report = world.report(&instance);
        report.samples = metrics.samples(ServiceKind::Scheduler);
        let published = match schemas::encode(&report) {
            Ok(body) => bus.publish(subjects::metrics(ServiceKind::Scheduler, &instance), body).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = published {
            debug!(%error, "a report was not published");
        }
    }
}

/// Says what there is to decide by, whenever somebody reads the metrics.
fn read(world: &World, metrics: &SchedulerMetrics) {
    let fronts = world.fronts();
    metrics.fronts(fronts.iter().map(|front| &**front), UnixMillis::now());
    metrics.outlooks(&world.outlooks());
    metrics.present(&world.presences());
    metrics.open_plans.set([], world.open_plans() as f64);
}

/// Where plans are asked for.
struct Desk {
    world: Arc<World>,
    counted: SchedulerMetrics,
    traces: Traces,
}

impl Desk {
    fn answer(&self, request: &Request) -> Result<Response, Fault> {
        let mut span = self.traces.begin("decide", SpanKind::Server, request.trace().as_ref());
        span.note("splinter.request", || request.id.to_string());
        let plan = self.plan(request).inspect_err(|fault| span.fail(fault))?;
        span.note("splinter.policy", || plan.policy.as_str());
        span.note("splinter.reason", || plan.reason.as_str());
        if request.plain { Response::json(&plan) } else { Response::messagepack(&plan) }
    }

    fn plan(&self, request: &Request) -> Result<Plan, Fault> {
        let question: PlanRequest = schemas::decode(&request.body)
            .map_err(|error| Fault::new(FaultKind::BadRequest, format!("not a plan request: {error}")))?;
        if question.model.as_str() != request.subject.last_token() {
            let message = format!("a plan for {} was asked for on {}", question.model, request.subject);
            return Err(Fault::new(FaultKind::BadRequest, message));
        }
        let begun = Instant::now();
        let plan = self.world.plan(&question).map_err(|no_plan| {
            debug!(id = %question.id, reason = %no_plan, "no plan");
            no_plan.to_fault()
        });
        self.counted.decided(&question.model, plan.as_ref(), begun.elapsed());
        plan
    }
}
