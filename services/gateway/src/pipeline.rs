//! A request's way: admit, plan, execute, answer. The shell around [`crate::admission`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::{Answer, Bus, Call, CallError, Fronts, Presences, Subject, TraceContext, subjects};
use bytes::Bytes;
use chassis::{Span, SpanKind, Traces};
use policy::{PreparedFront, plan_by_front};
use schemas::{
    ByteCount, ExecuteReply, ExecuteRequest, Fault, FaultKind, Front, InferReply, Input, InstanceId,
    ModelName, Outcome, Place, Plan, PlanReason, PlanRequest, Presence, ServedModel, ServiceKind,
    ServiceState, Stage, StageTime, Tensor, TimeSource, UnixMillis,
};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::admission::{self, Asked, Limits, Terms};
use crate::metrics::ModelLabel;
use crate::receipts::{Arrival, Ledger, OpenReceipt};

/// The answer must be written before the deadline, so the waiting ends this much before it.
const ANSWERING: Duration = Duration::from_millis(5);
/// What an [`ExecuteRequest`] and the broker's headers add to an input, at most.
const ENVELOPE: u64 = 4096;
/// Networks that are remembered at most; a site serves a handful.
const REMEMBERED_MODELS: usize = 256;
/// How long a network is remembered after it was seen last: longer than a broker or an executor takes to restart.
const REMEMBERING: Duration = Duration::from_secs(30);

/// What is needed to work on requests.
pub(crate) struct Pipeline {
    bus: Bus,
    presences: Presences,
    fronts: Fronts,
    limits: Limits,
    ledger: Ledger,
    traces: Traces,
    working: TaskTracker,
    /// Networks, and when each was seen last. While a broker or the only executor restarts, presence lacks them; a
    /// request that arrives then still finds its network, and the calls wait for the executor under its deadline.
    remembered: Mutex<BTreeMap<ModelName, (ServedModel, Instant)>>,
}

/// What is watched: who is there, and the fronts that are decided by when no scheduler answers.
pub(crate) struct Seen {
    pub(crate) presences: Presences,
    pub(crate) fronts: Fronts,
}

/// A request that was answered.
pub(crate) struct Answered {
    pub(crate) reply: InferReply,
    pub(crate) output: Tensor<'static>,
    pub(crate) served: ServedModel,
}

/// A request as it arrived.
pub(crate) struct Offer {
    pub(crate) arrival: Arrival,
    pub(crate) model: ModelName,
    pub(crate) body: Bytes,
    /// When whoever handed the request in stops waiting, whatever the client asks for.
    pub(crate) latest: Option<UnixMillis>,
    /// The trace that the client has begun.
    pub(crate) trace: Option<TraceContext>,
}

impl Pipeline {
    pub(crate) fn new(bus: Bus, seen: Seen, limits: Limits, ledger: Ledger, traces: Traces) -> Arc<Self> {
        let remembered = Mutex::new(BTreeMap::new());
        let Seen { presences, fronts } = seen;
        Arc::new(Self {
            bus,
            presences,
            fronts,
            limits,
            ledger,
            traces,
            working: TaskTracker::new(),
            remembered,
        })
    }

    /// Works on one request to its end, which is by its deadline, and leaves one receipt.
    ///
    /// `read` takes the body apart. The work goes on when the caller stops waiting, so that the receipt says
    /// what really happened.
    pub(crate) async fn request<R>(self: &Arc<Self>, offer: Offer, read: R) -> Result<Answered, Fault>
    where
        R: for<'b> FnOnce(&'b [u8], &ServedModel) -> Result<(Input<'b>, Asked), Fault> + Send + 'static,
    {
        let pipeline = self.clone();
        let work = self.working.spawn(async move {
            let mut receipt = pipeline.ledger.open(offer.arrival, offer.model.clone());
            let mut span = pipeline.span(&offer);
            let result = pipeline.work(&mut receipt, &offer, &span, read).await;
            if let Err(fault) = &result {
                span.fail(fault);
            }
            receipt.receipt.outcome = match &result {
                Ok(answered) if answered.reply.within_limit => Outcome::Within,
                Ok(_) => Outcome::Late,
                Err(fault) => Outcome::Failed(fault.kind),
            };
            result
        });
        work.await.unwrap_or_else(|failure| {
            Err(Fault::new(FaultKind::Internal, format!("the gateway failed at this request: {failure}")))
        })
    }

    /// Leaves the receipt of a request that was refused before anything was read of it.
    pub(crate) fn refused(&self, arrival: Arrival, model: ModelName, kind: FaultKind) {
        let known = self.served(&model).is_ok();
        let mut receipt = self.ledger.open(arrival, model);
        receipt.label = if known { ModelLabel::Known } else { ModelLabel::Unknown };
        receipt.receipt.outcome = Outcome::Failed(kind);
    }

    /// Finds a network by what executors say, or said until shortly ago.
    pub(crate) fn served(&self, model: &ModelName) -> Result<ServedModel, Fault> {
        admission::find_model(&self.presences.snapshot(), model).or_else(|fault| {
            let remembered = self.remembered();
            let recent = remembered.get(model).filter(|(_, seen)| seen.elapsed() < REMEMBERING);
            recent.map(|(served, _)| served.clone()).ok_or(fault)
        })
    }

    /// Notes which networks are served now. To be called every few seconds.
    pub(crate) fn remember(&self) {
        let mut remembered = self.remembered();
        remembered.retain(|_, (_, seen)| seen.elapsed() < REMEMBERING);
        let presences = self.presences.snapshot();
        let edges = presences.iter().filter(|presence| presence.service == ServiceKind::EdgeExecutor);
        for served in edges.flat_map(|edge| &edge.models) {
            if remembered.len() < REMEMBERED_MODELS || remembered.contains_key(&served.name) {
                remembered.insert(served.name.clone(), (served.clone(), Instant::now()));
            }
        }
    }

    fn remembered(&self) -> MutexGuard<'_, BTreeMap<ModelName, (ServedModel, Instant)>> {
        // No code panics while it holds the lock: a poisoned one still guards consistent data.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is there.
    pub(crate) fn presences(&self) -> Arc<Vec<Presence>> {
        self.presences.snapshot()
    }

    /// The fronts that are published.
    pub(crate) fn fronts(&self) -> Vec<Arc<Front>> {
        self.fronts.all()
    }

    /// Whether requests for any network can be worked on now: the broker, a scheduler and an edge executor are there.
    pub(crate) fn ready(&self) -> bool {
        let presences = self.presences.snapshot();
        let present = |kind| presences.iter().any(|presence| is_ready(presence, kind));
        self.bus.is_connected() && present(ServiceKind::Scheduler) && present(ServiceKind::EdgeExecutor)
    }

    /// Whether an edge executor takes requests for this network now.
    pub(crate) fn model_ready(&self, model: &ModelName) -> bool {
        let presences = self.presences.snapshot();
        let mut edges = presences.iter().filter(|presence| is_ready(presence, ServiceKind::EdgeExecutor));
        edges.any(|edge| edge.models.iter().any(|served| &served.name == model))
    }

    /// Returns when no request is open and every receipt is out.
    pub(crate) async fn settled(&self) {
        self.working.close();
        self.working.wait().await;
        self.ledger.settled().await;
    }

    fn span(&self, offer: &Offer) -> Span {
        let mut span = self.traces.begin("request", SpanKind::Server, offer.trace.as_ref());
        span.note("splinter.request", || offer.arrival.id.to_string());
        span.note("splinter.model", || offer.model.to_string());
        span
    }

    async fn work<R>(
        &self,
        receipt: &mut OpenReceipt,
        offer: &Offer,
        span: &Span,
        read: R,
    ) -> Result<Answered, Fault>
    where
        R: for<'b> FnOnce(&'b [u8], &ServedModel) -> Result<(Input<'b>, Asked), Fault>,
    {
        let served = self.served(&offer.model)?;
        receipt.label = ModelLabel::Known;
        let (input, asked) = read(&offer.body, &served)?;
        let mut terms = admission::terms(&asked, &self.limits, offer.arrival.at)?;
        terms.deadline = offer.latest.map_or(terms.deadline, |latest| latest.min(terms.deadline));
        receipt.receipt.qos = Some(terms.qos);
        admission::check_input(&input, &served, &self.limits)?;
        check_length(&input, self.bus.greatest_payload())?;

        let budget = terms.deadline.remaining_at(offer.arrival.at).saturating_sub(ANSWERING);
        let running = self.run(receipt, (offer, span), &terms, input);
        let (reply, output) =
            timeout_at(offer.arrival.since + budget, running).await.map_err(|_elapsed| {
                let budget = budget.as_millis();
                Fault::new(
                    FaultKind::DeadlineExceeded,
                    format!("no answer within the {budget} ms to the deadline"),
                )
            })??;
        Ok(Answered { reply, output, served })
    }

    async fn run(
        &self,
        receipt: &mut OpenReceipt,
        (offer, span): (&Offer, &Span),
        terms: &Terms,
        input: Input<'_>,
    ) -> Result<(InferReply, Tensor<'static>), Fault> {
        let asked_at = Instant::now();
        let plan = self.plan(offer, span, terms).await?;
        receipt.planned(&plan);
        receipt.receipt.stages.push(StageTime {
            stage: Stage::Plan,
            place: Place::Edge,
            time_ms: asked_at.elapsed().into(),
            source: TimeSource::Measured,
        });
        let body = self.execute(receipt, (offer, span), (terms, &plan), input).await?;
        let _replying = span.child("reply", SpanKind::Internal);
        let executed: ExecuteReply<'_> = schemas::decode(&body).map_err(|error| {
            Fault::new(FaultKind::Internal, format!("the edge executor's reply: {error}"))
        })?;
        receipt.executed(&executed);
        let latency_ms = offer.arrival.elapsed();
        let reply = InferReply {
            id: offer.arrival.id,
            model: offer.model.clone(),
            top: executed.top,
            latency_ms,
            within_limit: latency_ms <= terms.qos.latency_ms,
            limit_ms: terms.qos.latency_ms,
            configuration: executed.configuration,
            fallback: executed.fallback,
            policy: plan.policy,
            reason: Some(plan.reason),
            front: plan.front,
            stages: receipt.receipt.stages.clone(),
            energy: executed.energy,
        };
        Ok((reply, executed.output.into_owned()))
    }

    async fn plan(&self, offer: &Offer, span: &Span, terms: &Terms) -> Result<Plan, Fault> {
        let mut span = span.child("plan", SpanKind::Client);
        let plan = self.ask_for_plan(offer, span.context(), terms).await;
        match &plan {
            Ok(plan) => {
                span.note("splinter.policy", || plan.policy.as_str());
                span.note("splinter.reason", || plan.reason.as_str());
            }
            Err(fault) => span.fail(fault),
        }
        plan
    }

    async fn ask_for_plan(
        &self,
        offer: &Offer,
        trace: Option<TraceContext>,
        terms: &Terms,
    ) -> Result<Plan, Fault> {
        let request = PlanRequest {
            id: offer.arrival.id,
            model: offer.model.clone(),
            qos: terms.qos,
            policy: terms.policy,
        };
        let body = schemas::encode(&request).map_err(|error| unencodable(&error))?;
        let targets = || vec![subjects::plan(&offer.model)];
        let within = admission::plan_patience(terms).min(cut_off(terms).remaining());
        let call = Call::new(targets(), within, body.clone());
        let quick = Call { id: offer.arrival.id, accept_within: Some(within), trace: trace.clone(), ..call };
        let answer = match self.bus.call(quick).await {
            Ok(answer) => Ok(answer),
            Err(CallError::Fault(refusal)) if !refusal.kind.another_may_do_it() => return Err(refusal),
            // A scheduler is there and sees nobody to run it: neither would we.
            Err(CallError::Fault(refusal)) if refusal.kind == FaultKind::Unavailable => {
                self.call(offer, trace, terms, (targets(), body)).await
            }
            Err(gone) => match self.plan_here(&request, &gone) {
                Some(plan) => return Ok(plan),
                None => self.call(offer, trace, terms, (targets(), body)).await,
            },
        };
        let answer = answer.map_err(|error| fault("scheduler", error))?;
        schemas::decode(&answer.body)
            .map_err(|error| Fault::new(FaultKind::Internal, format!("the scheduler's plan: {error}")))
    }

    /// Decides by the last fronts seen, since no scheduler answers; labelled. `None` when there is nobody to run it.
    fn plan_here(&self, request: &PlanRequest, gone: &CallError) -> Option<Plan> {
        let known = self.fronts.for_model(&request.model);
        let fronts: Vec<_> = known.iter().map(|front| Arc::new(PreparedFront::new(front))).collect();
        debug!(id = %request.id, %gone, "no scheduler answers, planning by the last front");
        let plan = plan_by_front(request, &self.presences.snapshot(), &fronts).ok()?;
        Some(Plan { reason: PlanReason::SchedulerGone, ..plan })
    }

    async fn execute(
        &self,
        receipt: &mut OpenReceipt,
        (offer, span): (&Offer, &Span),
        (terms, plan): (&Terms, &Plan),
        input: Input<'_>,
    ) -> Result<Bytes, Fault> {
        let mut span = span.child("execute", SpanKind::Client);
        span.note("splinter.cut", || i64::from(plan.configuration.cut.0));
        let request = ExecuteRequest {
            id: offer.arrival.id,
            model: offer.model.clone(),
            input,
            configuration: plan.configuration,
            cloud: plan.cloud.clone(),
            profile: false,
        };
        let body = schemas::encode(&request).map_err(|error| unencodable(&error))?;
        let planned = subjects::execute_edge_at(&offer.model, &plan.edge);
        let targets = vec![planned.clone(), subjects::execute_edge(&offer.model)];
        let answer = self.call(offer, span.context(), terms, (targets, body)).await;
        let answer = answer.map_err(|error| fault("edge executor", error));
        let answer = answer.inspect_err(|fault| span.fail(fault))?;
        receipt.receipt.edge = answered_by(&answer.target, &planned, &plan.edge);
        Ok(answer.body)
    }

    async fn call(
        &self,
        offer: &Offer,
        trace: Option<TraceContext>,
        terms: &Terms,
        (targets, body): (Vec<Subject>, Vec<u8>),
    ) -> Result<Answer, CallError> {
        let within = cut_off(terms).remaining();
        let call = Call { id: offer.arrival.id, trace, ..Call::new(targets, within, body) };
        self.bus.call_until_deadline(call).await
    }
}

fn is_ready(presence: &Presence, kind: ServiceKind) -> bool {
    presence.service == kind && presence.state == ServiceState::Ready
}

/// Calls end a little before the deadline, so that the answer is out by then.
fn cut_off(terms: &Terms) -> UnixMillis {
    let answering = u64::try_from(ANSWERING.as_millis()).unwrap_or(u64::MAX);
    UnixMillis(terms.deadline.0.saturating_sub(answering))
}

/// Which instance answered; over the queue subject nobody says.
fn answered_by(target: &Subject, planned: &Subject, edge: &InstanceId) -> Option<InstanceId> {
    (target == planned).then(|| edge.clone())
}

/// A typed error of the other side goes on as it is; the layer's own errors say whom they were about.
fn fault(whom: &str, error: CallError) -> Fault {
    match error {
        CallError::Fault(fault) => fault,
        other => {
            let fault = other.to_fault();
            Fault { message: format!("{whom}: {}", fault.message), ..fault }
        }
    }
}

fn check_length(input: &Input<'_>, greatest: ByteCount) -> Result<(), Fault> {
    let length = match input {
        Input::Encoded { bytes } => bytes.len(),
        Input::Pixels { rgb, .. } => rgb.len(),
        Input::Tensor(tensor) => tensor.data().len(),
    };
    let greatest = ByteCount(greatest.0.saturating_sub(ENVELOPE));
    if length as u64 <= greatest.0 {
        return Ok(());
    }
    let length = ByteCount(length as u64);
    let message = format!("the input is {length}, the broker carries at most {greatest}: send it smaller");
    Err(Fault::new(FaultKind::BadRequest, message))
}

fn unencodable(error: &schemas::WireError) -> Fault {
    Fault::new(FaultKind::Internal, error.to_string())
}
