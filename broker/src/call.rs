//! Calls: ACCEPT → RESULT or NACK, under an absolute deadline, with other targets to turn to.

mod pending;
mod retry_budget;
mod silence;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures::StreamExt;
use schemas::{Fault, FaultKind, RequestId, UnixMillis};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};

use crate::bus::{Bus, publish};
use crate::error::BrokerError;
use crate::headers::{ATTEMPT, DEADLINE, Headers, PHASE, Phase, REQUEST_ID};
use crate::subjects::Subject;
use crate::tally::{Happening, Tally};
use crate::trace::TraceContext;
use pending::{PendingCalls, Ticket};
use retry_budget::RetryBudget;
use silence::Silence;

/// Calls of one connection that may wait at once; each costs some hundred bytes and its reply.
const MOST_PENDING: usize = 4_096;

/// Replies of one call that may wait to be read: an ACCEPT, a few repetitions of it, and the RESULT.
const REPLY_CAPACITY: usize = 16;

/// A server repeats its ACCEPT every 250 ms while it works; after four missed ones it is given up.
const LOST_CONTACT: Duration = Duration::from_secs(1);

/// Longest a message to ourselves may take.
const ROUND_TRIP: Duration = Duration::from_secs(5);

/// First pause between rounds over the targets of a patient call, doubled up to the greatest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const GREATEST_PAUSE: Duration = Duration::from_millis(500);

/// A call to one of several targets.
#[derive(Debug, Clone)]
pub struct Call {
    /// Tried in this order: instances first, then the queue subject.
    pub targets: Vec<Subject>,
    /// The request; the same for every attempt.
    pub id: RequestId,
    /// When there must be an outcome.
    pub deadline: UnixMillis,
    /// The encoded message.
    pub body: Bytes,
    /// How long a target may take to accept; by default a quarter of the time left, from 20 ms to 1 s.
    pub accept_within: Option<Duration>,
    /// The trace it belongs to; its span is the parent of what is done for this call.
    pub trace: Option<TraceContext>,
}

impl Call {
    /// A fresh request with its outcome due within the time given.
    pub fn new(targets: Vec<Subject>, within: Duration, body: impl Into<Bytes>) -> Self {
        let deadline = UnixMillis::now().after(within);
        Self {
            targets,
            id: RequestId::fresh(),
            deadline,
            body: body.into(),
            accept_within: None,
            trace: None,
        }
    }
}

/// A call's result.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The encoded message.
    pub body: Bytes,
    /// Which target gave it.
    pub target: Subject,
    /// Attempts made, the successful one included.
    pub attempts: u32,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The last target that was asked refused, or failed.
    #[error(transparent)]
    Fault(Fault),
    /// Nobody listens on any of the targets.
    #[error("nobody serves {0} now")]
    NoResponders(String),
    /// No target accepted, or the one that did fell silent.
    #[error("no answer from {0}")]
    Silent(String),
    /// The deadline passed.
    #[error("the deadline passed")]
    DeadlineExceeded {
        /// Whether a server had accepted the request.
        accepted: bool,
    },
    /// Too many calls wait already.
    #[error("{MOST_PENDING} calls wait already")]
    TooManyPending,
    /// The broker could not take the request.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl CallError {
    /// The error as it travels on to the caller's own caller.
    pub fn to_fault(&self) -> Fault {
        let kind = match self {
            Self::Fault(fault) => return fault.clone(),
            Self::NoResponders(_) | Self::Silent(_) => FaultKind::Unavailable,
            Self::DeadlineExceeded { .. } => FaultKind::DeadlineExceeded,
            Self::TooManyPending => FaultKind::Overloaded,
            Self::Broker(BrokerError::TooLarge { .. }) => FaultKind::BadRequest,
            Self::Broker(_) => FaultKind::Unavailable,
        };
        Fault::new(kind, self.to_string())
    }
}

/// A reply to one attempt of a call.
#[derive(Debug)]
struct Reply {
    attempt: u32,
    event: ReplyEvent,
}

#[derive(Debug)]
enum ReplyEvent {
    NoResponders,
    Accept,
    Result(Bytes),
    Nack(Fault),
}

type Pending = Arc<Mutex<PendingCalls<mpsc::Sender<Reply>>>>;

/// The calling side of a connection: one inbox subscription for all calls.
#[derive(Debug)]
pub(crate) struct Caller {
    inbox: String,
    pending: Pending,
    budget: Mutex<RetryBudget>,
    silence: Mutex<Silence>,
    dispatcher: AbortHandle,
}

impl Caller {
    pub(crate) async fn start(
        client: async_nats::Client,
        inbox: String,
        tally: Arc<Tally>,
    ) -> Result<Self, BrokerError> {
        let failed =
            |error: async_nats::SubscribeError| BrokerError::failed("subscribing to the inbox", error);
        let replies = client.subscribe(format!("{inbox}.>")).await.map_err(failed)?;
        let pending: Pending = Arc::new(Mutex::new(PendingCalls::new(MOST_PENDING)));
        let dispatching = dispatch(replies, inbox.len() + 1, pending.clone(), tally);
        let dispatcher = tokio::spawn(dispatching).abort_handle();
        let (budget, silence) = (Mutex::new(RetryBudget::new()), Mutex::default());
        Ok(Self { inbox, pending, budget, silence, dispatcher })
    }

    pub(crate) fn stop(&self) {
        self.dispatcher.abort();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A lock that a panicking holder poisoned still guards consistent data: no code panics while it holds one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn dispatch(mut replies: async_nats::Subscriber, prefix: usize, pending: Pending, tally: Arc<Tally>) {
    while let Some(message) = replies.next().await {
        let place = message.subject.get(prefix..).and_then(parse_place);
        let Some((ticket, attempt)) = place else {
            debug!(subject = %message.subject, "a message in our inbox that is no reply of ours");
            continue;
        };
        let Some(event) = event_of(message) else { continue };
        let sender = lock(&pending).get(ticket).cloned();
        // A full channel means a server that floods; what it sends beyond is dropped like a late reply.
        if sender.is_none_or(|sender| sender.try_send(Reply { attempt, event }).is_err()) {
            tally.count(Happening::LateReply);
        }
    }
}

fn parse_place(text: &str) -> Option<(Ticket, u32)> {
    let mut parts = text.split('.');
    let ticket = Ticket { slot: parts.next()?.parse().ok()?, generation: parts.next()?.parse().ok()? };
    let attempt = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some((ticket, attempt))
}

fn event_of(message: async_nats::Message) -> Option<ReplyEvent> {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        return Some(ReplyEvent::NoResponders);
    }
    match Headers::new(message.headers).phase() {
        Some(Phase::Accept) => Some(ReplyEvent::Accept),
        Some(Phase::Result) => Some(ReplyEvent::Result(message.payload)),
        Some(Phase::Nack) => {
            Some(ReplyEvent::Nack(schemas::decode(&message.payload).unwrap_or_else(|error| {
                Fault::new(FaultKind::Internal, format!("an unreadable error: {error}"))
            })))
        }
        None => {
            warn!(subject = %message.subject, "a reply without a phase");
            None
        }
    }
}

impl Bus {
    /// Calls the targets in order until one gives a result; ends when all were tried once, at the latest by the deadline.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        self.counted(call, false).await
    }

    /// Encodes a message and calls one target with it, as a fresh request due within the time given.
    pub async fn ask(
        &self,
        target: Subject,
        within: Duration,
        message: &impl Serialize,
    ) -> Result<Answer, CallError> {
        let body = schemas::encode(message).map_err(BrokerError::Wire)?;
        self.call(Call::new(vec![target], within, body)).await
    }

    /// As [`Bus::call`], but goes round the targets again, with pauses, until the deadline: for callers who have
    /// nobody else to turn to, across a restart of the broker or of a server.
    pub async fn call_until_deadline(&self, call: Call) -> Result<Answer, CallError> {
        self.counted(call, true).await
    }

    /// Whether a call of ours to this target found it silent within the last three seconds, and none was answered by
    /// it since. For callers who can turn to others: the call itself asks whomever it is given.
    pub fn fell_silent(&self, target: &Subject) -> bool {
        lock(&self.caller().silence).holds(target, std::time::Instant::now())
    }

    /// Replies that came after their call had ended.
    pub fn late_replies(&self) -> u64 {
        self.count(Happening::LateReply)
    }

    /// Waits until the broker has dealt with everything sent before: a message to our own inbox comes back. A flush
    /// only writes to the socket: another connection could publish before the broker has read our subscription.
    pub(crate) async fn round_trip(&self) -> Result<(), BrokerError> {
        let (sender, mut replies) = mpsc::channel(1);
        let full = BrokerError::Failed { operation: "a round trip", reason: "too many calls wait".into() };
        let ticket = lock(&self.caller().pending).insert(sender).ok_or(full)?;
        let _slot = SlotGuard { caller: self.caller(), ticket };
        let subject = format!("{}.{}.{}.0", self.caller().inbox, ticket.slot, ticket.generation);
        let mut headers = HeaderMap::new();
        headers.insert(PHASE, Phase::Accept.as_str());
        publish(self.client(), &subject, None, headers, Bytes::new()).await?;
        let returned = timeout(ROUND_TRIP, replies.recv()).await;
        returned.map(drop).map_err(|_| BrokerError::TimedOut("a round trip to the broker"))
    }

    async fn counted(&self, call: Call, patient: bool) -> Result<Answer, CallError> {
        let ended = self.call_in_rounds(call, patient).await;
        self.tally().count(match &ended {
            Ok(_) => Happening::CallAnswered,
            Err(CallError::Fault(_)) => Happening::CallRefused,
            Err(CallError::NoResponders(_) | CallError::Silent(_)) => Happening::CallUnanswered,
            Err(CallError::DeadlineExceeded { .. }) => Happening::CallExpired,
            Err(CallError::TooManyPending | CallError::Broker(_)) => Happening::CallFailed,
        });
        ended
    }

    async fn call_in_rounds(&self, call: Call, patient: bool) -> Result<Answer, CallError> {
        let (sender, replies) = mpsc::channel(REPLY_CAPACITY);
        let ticket = lock(&self.caller().pending).insert(sender).ok_or(CallError::TooManyPending)?;
        // Gives the slot back however the call ends, also when its future is dropped.
        let _slot = SlotGuard { caller: self.caller(), ticket };
        let deadline = Instant::now() + call.deadline.remaining();
        let mut attempts = Attempts { bus: self, call: &call, ticket, replies, deadline, made: 0 };
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match attempts.round().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !patient || !may_pass(&error) || Instant::now() + pause >= deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(GREATEST_PAUSE);
        }
    }
}

fn may_pass(error: &CallError) -> bool {
    match error {
        CallError::Fault(fault) => fault.kind.another_may_do_it(),
        CallError::NoResponders(_) | CallError::Silent(_) => true,
        CallError::Broker(error) => !matches!(error, BrokerError::TooLarge { .. }),
        CallError::DeadlineExceeded { .. } | CallError::TooManyPending => false,
    }
}

/// Whether the attempt may have cost an execution: only then does another one count against the retry budget.
fn may_have_run(error: &CallError) -> bool {
    match error {
        CallError::Fault(fault) => !matches!(fault.kind, FaultKind::Overloaded | FaultKind::Draining),
        CallError::NoResponders(_) | CallError::Broker(_) | CallError::TooManyPending => false,
        CallError::Silent(_) | CallError::DeadlineExceeded { .. } => true,
    }
}

struct SlotGuard<'a> {
    caller: &'a Caller,
    ticket: Ticket,
}

impl Drop for SlotGuard<'_> {
    fn drop(&mut self) {
        lock(&self.caller.pending).remove(self.ticket);
    }
}

/// The attempts of one call. A result counts whichever attempt it answers; refusals only of the current one.
struct Attempts<'a> {
    bus: &'a Bus,
    call: &'a Call,
    ticket: Ticket,
    replies: mpsc::Receiver<Reply>,
    deadline: Instant,
    made: u32,
}

impl Attempts<'_> {
    async fn round(&mut self) -> Result<Answer, CallError> {
        let mut last = CallError::NoResponders("nothing".into());
        for target in &self.call.targets {
            if self.made > 0 && may_have_run(&last) && !lock(&self.bus.caller().budget).spend() {
                self.bus.tally().count(Happening::RetryDenied);
                debug!(id = %self.call.id, "no retry: the budget is spent");
                return Err(last);
            }
            last = match self.attempt(target).await {
                Ok(answer) => return Ok(answer),
                Err(error) if may_pass(&error) => error,
                Err(error) => return Err(error),
            };
        }
        Err(last)
    }

    async fn attempt(&mut self, target: &Subject) -> Result<Answer, CallError> {
        if Instant::now() >= self.deadline {
            return Err(CallError::DeadlineExceeded { accepted: false });
        }
        self.made += 1;
        if self.made == 1 {
            lock(&self.bus.caller().budget).earn();
        } else {
            self.bus.tally().count(Happening::Retry);
        }
        let Ticket { slot, generation } = self.ticket;
        let reply = format!("{}.{slot}.{generation}.{}", self.bus.caller().inbox, self.made);
        let sent = publish(
            self.bus.client(),
            target.as_str(),
            Some(&reply),
            request_headers(self.call, self.made),
            self.call.body.clone(),
        );
        timeout_at(self.deadline, sent)
            .await
            .map_err(|_| CallError::DeadlineExceeded { accepted: false })??;
        let outcome = self.outcome(target).await;
        let mut silence = lock(&self.bus.caller().silence);
        match &outcome {
            Err(CallError::Silent(_)) => silence.fell(target, std::time::Instant::now()),
            Ok(_) => silence.ended(target),
            Err(_) => {}
        }
        drop(silence);
        outcome
    }

    async fn outcome(&mut self, target: &Subject) -> Result<Answer, CallError> {
        let mut accepted = false;
        let mut patience = self.accept_within();
        loop {
            let until = (Instant::now() + patience).min(self.deadline);
            let Ok(reply) = timeout_at(until, self.replies.recv()).await else {
                return Err(if until >= self.deadline {
                    CallError::DeadlineExceeded { accepted }
                } else {
                    CallError::Silent(target.to_string())
                });
            };
            // The sender lives in our slot until the call ends: `None` cannot come.
            let Some(Reply { attempt, event }) = reply else {
                return Err(CallError::Silent(target.to_string()));
            };
            match event {
                ReplyEvent::Result(body) => {
                    return Ok(Answer { body, target: target.clone(), attempts: self.made });
                }
                _ if attempt != self.made => {}
                ReplyEvent::Accept => {
                    accepted = true;
                    patience = LOST_CONTACT;
                }
                ReplyEvent::NoResponders => return Err(CallError::NoResponders(target.to_string())),
                ReplyEvent::Nack(fault) => return Err(CallError::Fault(fault)),
            }
        }
    }

    fn accept_within(&self) -> Duration {
        let quarter = self.deadline.saturating_duration_since(Instant::now()) / 4;
        let default = quarter.clamp(Duration::from_millis(20), Duration::from_secs(1));
        self.call.accept_within.unwrap_or(default)
    }
}

fn request_headers(call: &Call, attempt: u32) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(REQUEST_ID, call.id.to_string());
    headers.insert(DEADLINE, call.deadline.0.to_string());
    headers.insert(ATTEMPT, attempt.to_string());
    if let Some(trace) = &call.trace {
        trace.write(&mut headers);
    }
    headers
}
