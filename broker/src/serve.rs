//! Serving: credits, ACCEPT, one RESULT or NACK, duplicates answered once, leaving in order.

mod duplicates;
mod endpoint;
mod message;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures::stream::SelectAll;
use futures::{FutureExt, StreamExt};
use schemas::{Fault, FaultKind, Millis, RequestId, UnixMillis};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, timeout};
use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use crate::bus::{Bus, publish};
use crate::error::BrokerError;
use crate::headers::{CONTENT_TYPE, Headers, PHASE, Phase, SERVICE_ERROR, SERVICE_ERROR_CODE};
use crate::subjects::Subject;
use crate::tally::Happening;
use duplicates::{Arrival, Duplicates};
use endpoint::RefusalObserver;

pub use endpoint::{Credits, Endpoint};
pub use message::{ContentType, Request, Response};

/// All instances share this queue group.
const QUEUE_GROUP: &str = "q";

/// A request whose result is not there by then is accepted first; a quicker one needs no ACCEPT, which would only
/// stand in its result's way. Small beside the 20 ms that callers wait at least for either.
const ACCEPT_AFTER: Duration = Duration::from_millis(2);

/// How often a running request's ACCEPT is repeated.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// How long a leaving instance answers NACK(draining): two heartbeats of the presence, so that callers know.
const WITHDRAWAL: Duration = Duration::from_secs(2);

/// Deadline of a plain request that names none: as much as a gateway gives a request at most.
const PLAIN_DEADLINE: Duration = Duration::from_secs(60);

/// When an overloaded instance suggests to try again: about one inference.
const RETRY_AFTER_MS: f64 = 50.0;

/// How one request ended: kept and sent to everyone who waits for it.
type Outcome = Arc<Result<(Bytes, ContentType), Fault>>;

/// Where an outcome goes.
#[derive(Debug, Clone)]
struct ReplyTo {
    id: RequestId,
    subject: async_nats::Subject,
    plain: bool,
}

struct Shared<H> {
    bus: Bus,
    handler: H,
    credits: Credits,
    draining: AtomicBool,
    refusals: Option<RefusalObserver>,
    duplicates: Mutex<Duplicates<ReplyTo, Outcome>>,
    running: TaskTracker,
}

/// Work that is being served. Dropped without [`Serving::leave`] it ends at once, as in a crash.
#[derive(Debug)]
pub struct Serving {
    bus: Bus,
    credits: Credits,
    commands: watch::Sender<Command>,
    running: TaskTracker,
    dispatcher: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Serve,
    Refuse,
    Unsubscribe,
}

impl Serving {
    /// How many requests it takes.
    pub fn credits(&self) -> &Credits {
        &self.credits
    }

    /// Leaves in order: refuses new work with NACK(draining) for two heartbeats, unsubscribes, lets running
    /// requests finish for at most `grace`, writes everything out.
    pub async fn leave(mut self, grace: Duration) {
        self.commands.send_replace(Command::Refuse);
        tokio::time::sleep(WITHDRAWAL).await;
        self.commands.send_replace(Command::Unsubscribe);
        if timeout(WITHDRAWAL, &mut self.dispatcher).await.is_err() {
            warn!("unsubscribing took too long");
        }
        self.running.close();
        if timeout(grace, self.running.wait()).await.is_err() {
            warn!(left = self.running.len(), "requests were still running at the end of the grace period");
        }
        if let Err(error) = self.bus.round_trip().await {
            warn!(%error, "the last answers may not have reached the broker");
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.dispatcher.abort();
    }
}

impl Bus {
    /// Serves the endpoint's subjects; returns when the broker knows of them. The handler runs on async threads
    /// and must hand long work on.
    pub async fn serve<H, F>(&self, endpoint: Endpoint, handler: H) -> Result<Serving, BrokerError>
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Response, Fault>> + Send + 'static,
    {
        let mut subscriptions = SelectAll::new();
        for (subject, is_shared) in &endpoint.subjects {
            let subject = subject.as_str().to_owned();
            let subscribed = match is_shared {
                true => self.client().queue_subscribe(subject, QUEUE_GROUP.to_owned()).await,
                false => self.client().subscribe(subject).await,
            };
            subscriptions.push(subscribed.map_err(|error| BrokerError::failed("subscribing", error))?);
        }
        self.round_trip().await?;
        let running = TaskTracker::new();
        let shared = Arc::new(Shared {
            bus: self.clone(),
            handler,
            credits: endpoint.credits.clone(),
            draining: AtomicBool::new(false),
            refusals: endpoint.refusals.clone(),
            duplicates: Mutex::new(Duplicates::new()),
            running: running.clone(),
        });
        let (commands, orders) = watch::channel(Command::Serve);
        let dispatcher = tokio::spawn(dispatch(shared, subscriptions, orders));
        Ok(Serving { bus: self.clone(), credits: endpoint.credits, commands, running, dispatcher })
    }
}

async fn dispatch<H, F>(
    shared: Arc<Shared<H>>,
    mut subscriptions: SelectAll<async_nats::Subscriber>,
    mut orders: watch::Receiver<Command>,
) where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Fault>> + Send + 'static,
{
    loop {
        tokio::select! {
            message = subscriptions.next() => match message {
                Some(message) => Shared::receive(&shared, message).await,
                None => return,
            },
            changed = orders.changed() => {
                let order = *orders.borrow_and_update();
                shared.draining.store(order != Command::Serve, Ordering::Relaxed);
                if order == Command::Unsubscribe || changed.is_err() {
                    break;
                }
            }
        }
    }
    for subscriber in subscriptions.iter_mut() {
        if let Err(problem) = subscriber.drain().await {
            debug!(%problem, "unsubscribing");
        }
    }
    while let Some(message) = subscriptions.next().await {
        Shared::receive(&shared, message).await;
    }
}

impl<H, F> Shared<H>
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Fault>> + Send + 'static,
{
    /// Admits or refuses one request; never waits for its work.
    async fn receive(shared: &Arc<Self>, message: async_nats::Message) {
        let headers = Headers::new(message.headers);
        let Some(reply) = message.reply else {
            let id = headers.request_id().map(tracing::field::display);
            warn!(id, subject = %message.subject, "a request that nobody waits for was dropped");
            return;
        };
        let known = headers.request_id();
        let id = known.unwrap_or_else(RequestId::fresh);
        let reply = ReplyTo { id, subject: reply, plain: known.is_none() };
        let request = Request {
            id,
            deadline: headers.deadline().unwrap_or_else(|| UnixMillis::now().after(PLAIN_DEADLINE)),
            attempt: headers.attempt(),
            subject: Subject::received(&message.subject),
            body: message.payload,
            plain: reply.plain,
            headers,
        };
        match shared.admit(&request, &reply) {
            Admission::Run(permit) => {
                let work = Self::run(shared.clone(), request, reply, permit);
                shared.running.spawn(work);
            }
            Admission::Wait => shared.accept(&reply).await,
            Admission::Answer(outcome) => shared.send(&reply, &outcome).await,
        }
    }

    fn admit(&self, request: &Request, reply: &ReplyTo) -> Admission {
        // An earlier attempt's answer is worth giving even when no new work is taken.
        match self.lock().arrive(request.id, reply) {
            Arrival::Running => {
                self.bus.tally().count(Happening::Duplicate);
                return Admission::Wait;
            }
            Arrival::Finished(outcome) => {
                self.bus.tally().count(Happening::Duplicate);
                return Admission::Answer(outcome);
            }
            Arrival::New => {}
        }
        let refuse = |what, fault| {
            self.bus.tally().count(what);
            debug!(id = %request.id, subject = %request.subject, %fault, "refused");
            if let Some(RefusalObserver(observer)) = &self.refusals {
                observer(request, &fault);
            }
            Admission::Answer(Arc::new(Err(fault)))
        };
        if request.deadline.remaining().is_zero() {
            let fault = Fault::new(FaultKind::DeadlineExceeded, "the deadline had passed on arrival");
            return refuse(Happening::RefusedExpired, fault);
        }
        if self.draining.load(Ordering::Relaxed) {
            let fault = Fault::new(FaultKind::Draining, "this instance is leaving");
            return refuse(Happening::RefusedDraining, fault);
        }
        match self.credits.free.clone().try_acquire_owned() {
            Ok(permit) => {
                self.lock().begin(request.id, reply.clone());
                Admission::Run(permit)
            }
            Err(_) => {
                let message = format!("all {} credits are in use", self.credits.capacity());
                let fault = Fault::new(FaultKind::Overloaded, message);
                let retry_after_ms = Some(Millis::saturating(RETRY_AFTER_MS));
                refuse(Happening::RefusedOverloaded, Fault { retry_after_ms, ..fault })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Duplicates<ReplyTo, Outcome>> {
        // No code panics while it holds the lock: a poisoned one still guards consistent data.
        self.duplicates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(shared: Arc<Self>, request: Request, reply: ReplyTo, permit: OwnedSemaphorePermit) {
        let (id, subject) = (request.id, request.subject.clone());
        let remaining = request.deadline.remaining();
        // The handler is called inside the guarded future: it may panic before it returns one.
        let guarded = AssertUnwindSafe(async { (shared.handler)(request).await }).catch_unwind();
        let mut working = std::pin::pin!(timeout(remaining, guarded));
        let mut heartbeat = interval_at(Instant::now() + ACCEPT_AFTER, HEARTBEAT);
        let ended = loop {
            tokio::select! {
                ended = &mut working => break ended,
                _ = heartbeat.tick() => shared.accept(&reply).await,
            }
        };
        let result = match ended {
            Ok(Ok(Ok(response))) => Ok((Bytes::from(response.body), response.content_type)),
            Ok(Ok(Err(fault))) => Err(fault),
            Ok(Err(_panic)) => {
                error!(%id, "a handler panicked");
                Err(Fault::new(FaultKind::Internal, "the service failed on this request; its log says where"))
            }
            Err(_elapsed) => {
                Err(Fault::new(FaultKind::DeadlineExceeded, "the deadline passed during the work"))
            }
        };
        drop(permit);
        let ended = if result.is_ok() { Happening::RequestAnswered } else { Happening::RequestFailed };
        shared.bus.tally().count(ended);
        if let Err(fault) = &result {
            debug!(%id, %subject, %fault, "failed");
        }
        let outcome: Outcome = Arc::new(result);
        let keep = match outcome.as_ref() {
            Ok((body, _)) => Some((outcome.clone(), body.len())),
            Err(fault) if fault.kind.another_may_do_it() => None,
            Err(fault) => Some((outcome.clone(), fault.message.len())),
        };
        let waiting = shared.lock().finish(id, keep);
        for reply in waiting {
            shared.send(&reply, &outcome).await;
        }
    }

    /// Says that the request is taken, or still worked on. Plain clients wait for one reply and get none of these.
    async fn accept(&self, reply: &ReplyTo) {
        if !reply.plain {
            self.publish(reply, phase_headers(Phase::Accept), Bytes::new()).await;
        }
    }

    async fn send(&self, reply: &ReplyTo, outcome: &Outcome) {
        let (headers, body) = match outcome.as_ref() {
            Ok((body, content_type)) => {
                let mut headers = phase_headers(Phase::Result);
                headers.insert(CONTENT_TYPE, content_type.as_str());
                (headers, body.clone())
            }
            Err(fault) => fault_message(fault, reply.plain),
        };
        self.publish(reply, headers, body).await;
    }

    async fn publish(&self, reply: &ReplyTo, headers: HeaderMap, body: Bytes) {
        if let Err(problem) = publish(self.bus.client(), &reply.subject, None, headers, body).await {
            warn!(id = %reply.id, %problem, "an answer could not be sent; its caller turns elsewhere or times out");
        }
    }
}

enum Admission {
    Run(OwnedSemaphorePermit),
    Wait,
    Answer(Outcome),
}

fn phase_headers(phase: Phase) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(PHASE, phase.as_str());
    headers
}

/// A typed error: MessagePack for our own callers, JSON and the services framework's headers for plain ones.
fn fault_message(fault: &Fault, plain: bool) -> (HeaderMap, Bytes) {
    let mut headers = phase_headers(Phase::Nack);
    let content_type = if plain { ContentType::Json } else { ContentType::MessagePack };
    let encoded = if plain { Response::json(fault) } else { Response::messagepack(fault) };
    headers.insert(CONTENT_TYPE, content_type.as_str());
    headers.insert(SERVICE_ERROR, fault.kind.as_str());
    headers.insert(SERVICE_ERROR_CODE, service_error_code(fault.kind));
    // A fault is two strings and a number: it always encodes.
    (headers, encoded.map(|response| response.body).unwrap_or_default().into())
}

/// The code that plain clients see, after the HTTP status of the same meaning.
fn service_error_code(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BadRequest => "400",
        FaultKind::UnknownModel => "404",
        FaultKind::Infeasible => "422",
        FaultKind::Overloaded => "429",
        FaultKind::Unsupported => "501",
        FaultKind::Draining | FaultKind::Unavailable => "503",
        FaultKind::DeadlineExceeded => "504",
        _ => "500",
    }
}
