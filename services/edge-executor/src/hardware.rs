//! The machine as the tuner says it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use broker::{Bus, Call, CallError, TraceContext, subjects};
use schemas::{
    HardwareReport, InstanceId, KiloHertz, Millis, NodeId, Setting, TuneOrder, TuneReply, TuneRequest,
};
use tokio::sync::watch;
use tracing::debug;

/// Longest a request waits for the clock to be set; a change takes milliseconds.
const SETTING: Duration = Duration::from_millis(500);

/// Longest a report may take.
const REPORTING: Duration = Duration::from_secs(1);

/// How long a setting outlives this executor, and the reports that renew it: several may be missed.
const LEASE: Duration = Duration::from_secs(15);

/// A tuner that did not answer is not asked to set anything for so long: the requests meanwhile do not wait for it.
const AVOIDING: Duration = Duration::from_secs(2);

/// Why the clock was not set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unset {
    /// The tuner refused, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The tuner did not answer a moment ago.
    #[error("the tuner did not answer a moment ago")]
    Avoided,
}

/// The tuner's last word. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Hardware {
    bus: Bus,
    node: NodeId,
    /// Who holds what this sets.
    holder: InstanceId,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    report: watch::Sender<Option<HardwareReport>>,
    /// Whether anything was set that has to be renewed.
    holds: AtomicBool,
    avoided_until: Mutex<Option<Instant>>,
}

impl Hardware {
    pub(crate) fn new(bus: &Bus, node: &NodeId, holder: &InstanceId) -> Self {
        let shared = Shared {
            report: watch::channel(None).0,
            holds: AtomicBool::new(false),
            avoided_until: Mutex::new(None),
        };
        Self { bus: bus.clone(), node: node.clone(), holder: holder.clone(), shared: Arc::new(shared) }
    }

    /// What was last reported; `None` when no tuner has spoken yet.
    pub(crate) fn last(&self) -> Option<HardwareReport> {
        self.shared.report.borrow().clone()
    }

    /// What is reported from now on.
    pub(crate) fn keep(&self, report: HardwareReport) {
        self.shared.report.send_replace(Some(report));
    }

    /// Renews what is held and asks how things are. The answer may be older than a setting that was made meanwhile: who
    /// asks decides whether to [`Hardware::keep`] it.
    pub(crate) async fn ask_how_it_is(&self) -> Option<HardwareReport> {
        if self.shared.holds.load(Ordering::Relaxed)
            && let Err(error) = self.ask(self.order(Vec::new()), REPORTING, None).await
        {
            debug!(%error, "the lease is not renewed");
        }
        match self.ask(TuneRequest::Report, REPORTING, None).await {
            Ok(reply) => Some(reply.hardware),
            Err(error) => {
                debug!(%error, "no report from the tuner");
                None
            }
        }
    }

    /// Has the clock set, waiting for at most `at_most`; returns whether something was changed.
    pub(crate) async fn set(
        &self,
        frequency: KiloHertz,
        at_most: Duration,
        trace: Option<TraceContext>,
    ) -> Result<bool, Unset> {
        if self.avoided_until().is_some_and(|until| Instant::now() < until) {
            return Err(Unset::Avoided);
        }
        self.shared.holds.store(true, Ordering::Relaxed);
        let order = self.order(vec![Setting::CpuFrequency(frequency)]);
        match self.ask(order, at_most.min(SETTING), trace).await {
            Ok(reply) => {
                self.keep(reply.hardware);
                Ok(reply.changed)
            }
            Err(error) => {
                // A refusal is an answer; silence is not worth waiting for again at once.
                if !matches!(error, CallError::Fault(_)) {
                    *self.lock_avoided() = Some(Instant::now() + AVOIDING);
                }
                Err(error.into())
            }
        }
    }

    /// What was set goes back to what it was.
    pub(crate) async fn release(&self) {
        if !self.shared.holds.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.ask(TuneRequest::Release(self.holder.clone()), REPORTING, None).await {
            debug!(%error, "not released: the lease ends by itself");
        }
    }

    fn order(&self, settings: Vec<Setting>) -> TuneRequest {
        let (holder, lease_ms) = (self.holder.clone(), Millis::from(LEASE));
        TuneRequest::Apply(TuneOrder { holder, lease_ms, settings, dry_run: false })
    }

    async fn ask(
        &self,
        request: TuneRequest,
        at_most: Duration,
        trace: Option<TraceContext>,
    ) -> Result<TuneReply, CallError> {
        let unreadable = |error| CallError::Broker(broker::BrokerError::Wire(error));
        let body = schemas::encode(&request).map_err(unreadable)?;
        let call = Call { trace, ..Call::new(vec![subjects::tune(&self.node)], at_most, body) };
        let answer = self.bus.call(call).await?;
        let reply: TuneReply = schemas::decode(&answer.body).map_err(unreadable)?;
        *self.lock_avoided() = None;
        Ok(reply)
    }

    fn avoided_until(&self) -> Option<Instant> {
        *self.lock_avoided()
    }

    fn lock_avoided(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // A moment is whole whatever panicked beside it.
        self.shared.avoided_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
