//! The shell: credits, the compute thread, the answer.

use std::sync::Arc;
use std::time::Duration;

use broker::{Announcement, BrokerError, Credits, Identity, PresenceUpdate, Request, Response, subjects};
use chassis::metrics::{CloudExecutorMetrics, Label};
use chassis::{ComputeThread, RunningService, ServiceContext, SettingsError, Span, SpanKind, Traces};
use energy::breakdown;
use model_host::{Catalogue, ExecutorSubjects, HostError, HostSettings, ServedNetworks, compute_fault};
use schemas::{DevicePower, Fault, FaultKind, InstanceId, Place, ServiceKind, Stage, TailReply, TailRequest};

use crate::settings::Settings;
use crate::tail;

/// Why the cloud executor cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// A setting cannot be used.
    #[error("a setting cannot be used")]
    Settings(#[from] SettingsError),
    /// No networks can be hosted.
    #[error("no networks can be hosted")]
    Host(#[from] HostError),
    /// The broker does not let it.
    #[error("the cloud executor cannot serve")]
    Broker(#[from] BrokerError),
    /// The system gives no thread.
    #[error("no compute thread can be started")]
    Thread(#[from] std::io::Error),
}

/// A running cloud executor. Dropped, it falls silent as in a crash.
#[derive(Debug)]
pub struct Running {
    announcement: Announcement,
    networks: ServedNetworks,
}

/// Starts a cloud executor; when this returns, its networks are warm, served and announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, CloudError> {
    let ServiceContext { bus, node, instance, metrics, health, traces, .. } = context;
    let power = settings.power()?;
    let hosting = HostSettings {
        models_dir: settings.models_dir,
        models: settings.models,
        accelerators: settings.accelerators,
    };
    let catalogue = Catalogue::open(hosting, &bus).await?;
    let credits = Credits::new(settings.capacity.get());
    let compute = ComputeThread::start("cloud-compute", settings.capacity.get() as usize)?;
    let executor = Arc::new(Executor {
        catalogue: catalogue.clone(),
        compute,
        power,
        instance: instance.clone(),
        counted: CloudExecutorMetrics::new(&metrics),
        traces,
    });
    let (warm, computing) = (catalogue.clone(), executor.compute.clone());
    health.needs("a warm network", move || !warm.is_empty());
    health.lives_by("the compute thread", move || computing.is_alive());
    metrics.follow_credits(ServiceKind::CloudExecutor, &credits);
    metrics.read_from(&executor, |executor| {
        executor.counted.queue.set([], executor.compute.queued() as f64);
        executor.counted.warm.set([], executor.catalogue.len() as f64);
    });
    let own = instance.clone();
    let served = ExecutorSubjects {
        shared: subjects::execute_cloud,
        own: Box::new(move |model| subjects::execute_cloud_at(model, &own)),
    };
    let handler = move |request| {
        let executor = executor.clone();
        async move { executor.execute(request).await }
    };
    let networks = ServedNetworks::start(&bus, &catalogue, &credits, served, handler).await?;
    let identity = Identity { service: ServiceKind::CloudExecutor, instance, node };
    let update = move || PresenceUpdate { models: catalogue.served(), ..PresenceUpdate::from(&credits) };
    let announcement = bus.announce(identity, env!("CARGO_PKG_VERSION"), update).await?;
    Ok(Running { announcement, networks })
}

impl RunningService for Running {
    async fn leave(self, grace: Duration) {
        self.announcement.leave(self.networks.leave(grace)).await;
    }
}

struct Executor {
    catalogue: Catalogue,
    compute: ComputeThread,
    power: Option<DevicePower>,
    instance: InstanceId,
    counted: CloudExecutorMetrics,
    traces: Traces,
}

/// The label of a network that is not served here.
const UNKNOWN: Label = Label::Borrowed("unknown");

impl Executor {
    async fn execute(&self, request: Request) -> Result<Response, Fault> {
        let mut span = self.traces.begin("execute", SpanKind::Server, request.trace().as_ref());
        span.note("splinter.request", || request.id.to_string());
        let asked = tail::decode(&request.body);
        let model = asked.as_ref().ok().map(|asked| &asked.model);
        let model = model.filter(|model| self.catalogue.get(model).is_some());
        let model: Label = model.map_or(UNKNOWN, |model| model.to_string().into());
        let ended = match asked {
            Ok(asked) => self.run(&request, asked, &span).await,
            Err(fault) => Err(fault),
        };
        match &ended {
            Ok(reply) => self.counted.answered(&model, &reply.stages, &reply.energy),
            Err(fault) => {
                span.fail(fault);
                self.counted.failed(&model, fault);
            }
        }
        let _replying = span.child("reply", SpanKind::Internal);
        Response::messagepack(&ended?)
    }

    async fn run(
        &self,
        request: &Request,
        asked: TailRequest<'_>,
        span: &Span,
    ) -> Result<TailReply<'static>, Fault> {
        let hosted = self.catalogue.get(&asked.model).ok_or_else(|| {
            Fault::new(FaultKind::UnknownModel, format!("{} is not served here", asked.model))
        })?;
        if asked.digest != *hosted.bundle.digest() {
            let text = format!(
                "{} here is another file: SHA-256 {}, asked for {}; head and tail must be of one file",
                asked.model,
                hosted.bundle.digest(),
                asked.digest,
            );
            // Another instance may have the right one.
            return Err(Fault::new(FaultKind::Unavailable, text));
        }
        let body = request.body.clone();
        let computed = self.compute.submit(move || tail::run(&hosted, &body)).await;
        let computed = computed.map_err(|error| compute_fault(&error))?;
        let ran = computed.value?;
        let mut stages = vec![tail::measured(Stage::Queue, computed.waited.into())];
        stages.extend(ran.stages);
        span.stages_until_now(&stages);
        // Waiting in the queue is another request's computing.
        let breakdown =
            self.power.map_or_else(Vec::new, |power| breakdown::of_computing(&stages, Place::Cloud, power));
        let energy = breakdown::totals(&breakdown);
        Ok(TailReply {
            output: ran.output,
            instance: self.instance.clone(),
            stages,
            energy,
            breakdown,
            profile: ran.profile,
        })
    }
}
