//! The shell: NATS in, HTTP in, presence, leaving.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::{Announcement, Endpoint, Identity, PresenceUpdate, Request, Response, Serving, subjects};
use chassis::{RunningService, ServiceContext, ServiceSettings};
use schemas::{Fault, FaultKind, ModelName, ServiceKind};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::warn;

use crate::error::Error;
use crate::events::{Events, Listening};
use crate::http::HttpServer;
use crate::ingress::{self, Form, Sender};
use crate::metrics::Metrics;
use crate::pipeline::{Offer, Pipeline, Seen};
use crate::receipts::{Arrival, Ledger};
use crate::settings::Settings;
use crate::terms;

/// How often networks are noted.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long receipts may take to leave after the last request ended: one publish.
const LAST_RECEIPTS: Duration = Duration::from_secs(2);

/// A gateway that answers. Dropped, it falls silent as in a crash.
pub struct Running {
    announcement: Announcement,
    serving: Serving,
    http: HttpServer,
    pipeline: Arc<Pipeline>,
    _upkeep: Upkeep,
    _listening: Option<Listening>,
}

/// Starts a gateway; when this returns, it answers over NATS and HTTP and is announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, Error> {
    settings.check()?;
    let ServiceContext { bus, node, instance, traces, .. } = context;
    let at = |step| move |source| Error::Broker { step, source };
    let presences = bus.watch_presences().await.map_err(at("watching who is there"))?;
    let fronts = bus.watch_fronts().await.map_err(at("watching the fronts"))?;
    let metrics = Arc::new(Metrics::new(&context.metrics));
    let ledger = Ledger::new(bus.clone(), node.clone(), metrics.clone());
    let seen = Seen { presences, fronts };
    let pipeline = Pipeline::new(bus.clone(), seen, settings.limits(), ledger, traces);
    let (events, listening) = if settings.page {
        let (events, listening) =
            Events::start(bus.clone(), pipeline.clone(), settings.event_streams).await?;
        (Some(events), Some(listening))
    } else {
        (None, None)
    };
    let http = HttpServer::start(&settings, pipeline.clone(), metrics.clone(), events).await?;
    let (working, counting) = (pipeline.clone(), metrics.clone());
    let handler = move |request: Request| {
        let (pipeline, metrics) = (working.clone(), counting.clone());
        async move { answer(&pipeline, &metrics, request).await }
    };
    let refusing = pipeline.clone();
    let endpoint = Endpoint::new(settings.capacity)
        .shared(subjects::infer_any())
        .on_refusal(move |request, fault| refused(&refusing, request, fault));
    let serving = bus.serve(endpoint, handler).await.map_err(at("serving requests"))?;
    let credits = serving.credits().clone();
    context.metrics.follow_credits(ServiceKind::Gateway, &credits);
    let identity = Identity { service: ServiceKind::Gateway, instance, node };
    let update = move || PresenceUpdate::from(&credits);
    let announcement =
        bus.announce(identity, env!("CARGO_PKG_VERSION"), update).await.map_err(at("announcing itself"))?;
    let upkeep = Upkeep(tokio::spawn(keep_up(pipeline.clone())));
    Ok(Running { announcement, serving, http, pipeline, _upkeep: upkeep, _listening: listening })
}

impl Running {
    /// Where HTTP listens; with the port that was taken when port 0 was asked for.
    pub fn http_address(&self) -> SocketAddr {
        self.http.address()
    }

    /// The same as a URL, without a path: the page is at its root.
    pub fn http_url(&self) -> String {
        let scheme = if self.http.is_encrypted() { "https" } else { "http" };
        format!("{scheme}://{}", self.http.address())
    }
}

impl RunningService for Running {
    /// Leaves in order: says so, refuses new work over NATS for two heartbeats while HTTP says "not ready",
    /// finishes what runs for at most `grace`, sees the receipts out.
    async fn leave(self, grace: Duration) {
        let Self { announcement, serving, http, pipeline, .. } = self;
        http.withdraw();
        let finished = async {
            serving.leave(grace).await;
            http.leave(grace).await;
            if timeout(LAST_RECEIPTS, pipeline.settled()).await.is_err() {
                warn!("requests or receipts were left at the end");
            }
        };
        announcement.leave(finished).await;
    }
}

/// The task of the upkeep; it ends with the service.
struct Upkeep(JoinHandle<()>);

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep_up(pipeline: Arc<Pipeline>) {
    let mut ticks = interval(UPKEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        pipeline.remember();
    }
}

/// Leaves the receipt of a request that the request layer refused. One that its caller takes to another gateway
/// gets its receipt there.
fn refused(pipeline: &Pipeline, request: &Request, fault: &Fault) {
    if fault.kind.another_may_do_it() && !request.plain {
        return;
    }
    if let Ok(model) = ModelName::new(request.subject.last_token()) {
        pipeline.refused(Arrival::now(request.id), model, fault.kind);
    }
}

/// Answers one request that came over NATS, in the form it came in.
async fn answer(pipeline: &Arc<Pipeline>, metrics: &Metrics, request: Request) -> Result<Response, Fault> {
    let arrival = Arrival::now(request.id);
    let model = ModelName::new(request.subject.last_token()).map_err(|error| {
        metrics.refused_without_model(FaultKind::BadRequest);
        Fault::new(FaultKind::BadRequest, error.to_string())
    })?;
    let sender = if request.plain { Sender::Plain } else { Sender::Splinter };
    let form = ingress::form(request.headers.get("Content-Type"), sender);
    let asked = terms::read(|term| request.headers.get(term.header()).map(Cow::Borrowed));
    let trace = request.trace();
    let offer = Offer { arrival, model, body: request.body, latest: Some(request.deadline), trace };
    let answered = pipeline.request(offer, move |body, _served| ingress::read(form, body, asked?)).await?;
    match form {
        Form::Picture => Response::json(&answered.reply),
        Form::MessagePack => Response::messagepack(&answered.reply),
    }
}
