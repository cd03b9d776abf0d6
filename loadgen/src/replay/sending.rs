//! Sends requests when they are due.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;

use schemas::{Fault, FaultKind, InferReply, Millis, ModelName, PolicyName, UnixMillis};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use crate::pictures::PictureSet;
use crate::trace::{Trace, TraceRequest};

/// A request that is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Its place in the trace, from 0; it chooses the picture.
    pub position: usize,
    /// What it asks for, and when.
    pub request: TraceRequest,
}

impl Due {
    /// Every request of a trace.
    pub fn all(trace: &Trace) -> Vec<Self> {
        Self::of(trace, |_| true)
    }

    /// The requests of a trace at some places.
    pub fn of(trace: &Trace, wanted: impl Fn(usize) -> bool) -> Vec<Self> {
        let all = trace.requests().iter().enumerate();
        let wanted = all.filter(|(position, _)| wanted(*position));
        wanted.map(|(position, request)| Self { position, request: request.clone() }).collect()
    }
}

/// What became of a request. Times are counted from the begin of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The request.
    pub due: Due,
    /// When it should have been sent.
    pub scheduled: Millis,
    /// When it was sent.
    pub sent: Millis,
    /// When it was sent, by this machine's clock.
    pub at: UnixMillis,
    /// When its outcome was there.
    pub ended: Millis,
    /// The class of its picture, where it is known.
    pub class: Option<u32>,
    /// The answer, or the typed error.
    pub outcome: Result<InferReply, Fault>,
}

/// Nobody takes the outcomes any more: the run was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenUp;

/// How requests are sent.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Where to.
    pub client: Client,
    /// Each network's pictures, in turn.
    pub pictures: Arc<BTreeMap<ModelName, PictureSet>>,
    /// The policy that is asked for.
    pub policy: PolicyName,
    /// Requests that wait for their outcome at once. A request that is due while so many wait is sent when one has ended; its latency
    /// counts from when it was due all the same.
    pub most_in_flight: NonZeroUsize,
    /// In a closed loop: queries at once.
    pub clients: NonZeroUsize,
}

/// One run's requests in flight.
struct Flight<'a> {
    sending: &'a Sending,
    began: Instant,
    tasks: JoinSet<Ended>,
    /// Of each query in flight, the requests that have not ended.
    left: HashMap<u64, usize>,
    to: &'a mpsc::Sender<Ended>,
}

impl Sending {
    /// Sends requests, and hands each outcome on as it comes; returns when all have ended. In an open loop a request is due at its time
    /// less `begin`, after the run's begin. In a closed loop a query is due when one of the queries in flight has ended.
    ///
    /// # Errors
    /// The receiver is gone; requests that are in flight are dropped.
    pub async fn run(&self, dues: Vec<Due>, begin: Millis, to: &mpsc::Sender<Ended>) -> Result<(), GivenUp> {
        let (began, tasks, left) = (Instant::now(), JoinSet::new(), HashMap::new());
        let mut flight = Flight { sending: self, began, tasks, left, to };
        for query in dues.chunk_by(|earlier, later| earlier.request.query == later.request.query) {
            let Some(first) = query.first() else { continue };
            let scheduled = match first.request.at {
                Some(at) => flight.wait_until(at - begin).await?,
                None => flight.wait_for_a_client().await?,
            };
            flight.left.insert(first.request.query, query.len());
            for due in query {
                while flight.tasks.len() >= self.most_in_flight.get() {
                    flight.one_ends().await?;
                }
                flight.send(due.clone(), scheduled);
            }
        }
        while !flight.tasks.is_empty() {
            flight.one_ends().await?;
        }
        Ok(())
    }
}

impl Flight<'_> {
    /// Takes outcomes until it is time.
    async fn wait_until(&mut self, scheduled: Millis) -> Result<Millis, GivenUp> {
        let due = self.began + scheduled.to_duration();
        let waiting = sleep_until(due);
        tokio::pin!(waiting);
        loop {
            tokio::select! {
                () = &mut waiting => return Ok(scheduled),
                ended = self.tasks.join_next(), if !self.tasks.is_empty() => self.hand_on(ended).await?,
            }
        }
    }

    async fn wait_for_a_client(&mut self) -> Result<Millis, GivenUp> {
        while self.left.len() >= self.sending.clients.get() {
            self.one_ends().await?;
        }
        Ok(self.began.elapsed().into())
    }

    async fn one_ends(&mut self) -> Result<(), GivenUp> {
        let ended = self.tasks.join_next().await;
        self.hand_on(ended).await
    }

    async fn hand_on(&mut self, ended: Option<Result<Ended, tokio::task::JoinError>>) -> Result<(), GivenUp> {
        let ended = match ended {
            None => return Ok(()),
            Some(Ok(ended)) => ended,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Tasks are cancelled with this flight only.
            Some(Err(_cancelled)) => return Err(GivenUp),
        };
        let query = ended.due.request.query;
        if let Some(left) = self.left.get_mut(&query) {
            *left -= 1;
            if *left == 0 {
                self.left.remove(&query);
            }
        }
        self.to.send(ended).await.map_err(|_closed| GivenUp)
    }

    fn send(&mut self, due: Due, scheduled: Millis) {
        let Sending { client, pictures, policy, .. } = self.sending.clone();
        let began = self.began;
        self.tasks.spawn(async move {
            let (sent, at) = (Millis::from(began.elapsed()), UnixMillis::now());
            let TraceRequest { model, qos, .. } = &due.request;
            let picture = pictures.get(model.as_ref()).map(|set| set.at(due.position));
            let outcome = match picture {
                Some(picture) => client.ask(model, &picture.bytes, qos, policy).await,
                None => Err(Fault::new(FaultKind::BadRequest, format!("there are no pictures for {model}"))),
            };
            let class = picture.and_then(|picture| picture.class);
            Ended { due, scheduled, sent, at, ended: began.elapsed().into(), class, outcome }
        });
    }
}
