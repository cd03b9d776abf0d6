//! The shell: what executions share, the endpoints, leaving.

use std::sync::Arc;
use std::time::Duration;

use broker::{
    Announcement, BrokerError, Credits, Endpoint, Identity, PresenceUpdate, Request, Serving, subjects,
};
use chassis::metrics::EdgeExecutorMetrics;
use chassis::{ComputeThread, RunningService, ServiceContext, ServiceSettings, SettingsError};
use model_host::{Catalogue, ExecutorSubjects, HostError, HostSettings, ServedNetworks};
use schemas::ServiceKind;
use tokio::task::AbortHandle;
use tokio::time::interval;

use crate::clock::Clock;
use crate::cloud::Cloud;
use crate::energy::Busy;
use crate::execution::Executor;
use crate::hardware::Hardware;
use crate::link::{self, EmulatedLink};
use crate::settings::Settings;

/// How often the tuner is asked how the machine is set: somebody else may have changed it.
const REPORT: Duration = Duration::from_secs(2);

/// Requests for another link that may wait: one experiment asks, one request after the other.
const LINK_CAPACITY: u32 = 4;

/// Why the edge executor cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeError {
    /// A setting cannot be used.
    #[error("a setting cannot be used")]
    Settings(#[from] SettingsError),
    /// No networks can be hosted.
    #[error("no networks can be hosted")]
    Host(#[from] HostError),
    /// The broker does not let it.
    #[error("the edge executor cannot serve")]
    Broker(#[from] BrokerError),
    /// The system gives no thread.
    #[error("no compute thread can be started")]
    Thread(#[from] std::io::Error),
}

/// A running edge executor. Dropped, it falls silent as in a crash.
#[derive(Debug)]
pub struct Running {
    announcement: Announcement,
    networks: ServedNetworks,
    link: Serving,
    reporting: AbortHandle,
    clock: Clock,
}

/// Starts an edge executor; when this returns, its networks are warm, served and announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, EdgeError> {
    settings.check()?;
    let ServiceContext { bus, node, instance, metrics, health, traces, .. } = context;
    let (clock, busy) = (Clock::new(Hardware::new(&bus, &node, &instance)), Busy::default());
    clock.refresh(&busy).await;
    let hosting = HostSettings {
        models_dir: settings.models_dir,
        models: settings.models,
        accelerators: settings.accelerators,
    };
    let catalogue = Catalogue::open(hosting, &bus).await?;
    let credits = Credits::new(settings.capacity.get());
    // Each request in flight has one piece of work queued at most.
    let compute = ComputeThread::start("edge-compute", settings.capacity.get() as usize)?;
    let emulated = settings.link.map(EmulatedLink::new);
    let presences = bus.watch_presences().await?;
    let cloud = Cloud { bus: bus.clone(), presences, link: emulated.clone() };
    let executor = Arc::new(Executor {
        catalogue: catalogue.clone(),
        compute,
        busy: busy.clone(),
        clock: clock.clone(),
        cloud,
        counted: EdgeExecutorMetrics::new(&metrics),
        traces,
    });
    let (warm, computing) = (catalogue.clone(), executor.compute.clone());
    health.needs("a warm network", move || !warm.is_empty());
    health.lives_by("the compute thread", move || computing.is_alive());
    metrics.follow_credits(ServiceKind::EdgeExecutor, &credits);
    metrics.read_from(&executor, |executor| {
        executor.counted.queue.set([], executor.compute.queued() as f64);
        executor.counted.warm.set([], executor.catalogue.len() as f64);
    });
    let own = instance.clone();
    let served = ExecutorSubjects {
        shared: subjects::execute_edge,
        own: Box::new(move |model| subjects::execute_edge_at(model, &own)),
    };
    let handler = move |request| {
        let executor = executor.clone();
        async move { executor.execute(request).await }
    };
    let networks = ServedNetworks::start(&bus, &catalogue, &credits, served, handler).await?;
    let endpoint = Endpoint::new(LINK_CAPACITY).shared(subjects::link(&node));
    let answer = move |request: Request| std::future::ready(link::answer(emulated.as_ref(), &request));
    let link = bus.serve(endpoint, answer).await?;
    let identity = Identity { service: ServiceKind::EdgeExecutor, instance, node };
    let update = move || PresenceUpdate { models: catalogue.served(), ..PresenceUpdate::from(&credits) };
    let announcement = bus.announce(identity, env!("CARGO_PKG_VERSION"), update).await?;
    let reporting = tokio::spawn(keep_reporting(clock.clone(), busy)).abort_handle();
    Ok(Running { announcement, networks, link, reporting, clock })
}

async fn keep_reporting(clock: Clock, busy: Busy) {
    let mut next = interval(REPORT);
    loop {
        next.tick().await;
        clock.refresh(&busy).await;
    }
}

impl RunningService for Running {
    async fn leave(self, grace: Duration) {
        let left = async {
            tokio::join!(self.networks.leave(grace), self.link.leave(grace));
        };
        self.announcement.leave(left).await;
        self.reporting.abort();
        self.clock.release().await;
    }
}
