//! The machine as the tuner says it is.

use std::sync::Arc;
use std::time::Duration;

use broker::{Bus, CallError, subjects};
use schemas::{HardwareReport, KiloHertz, NodeId, TuneReply, TuneRequest};
use tokio::sync::watch;
use tracing::debug;

/// Longest a request waits for the clock to be set; a change takes milliseconds.
const SETTING: Duration = Duration::from_millis(500);

/// Longest a report may take.
const REPORTING: Duration = Duration::from_secs(1);

/// The tuner's last word. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Hardware {
    bus: Bus,
    node: NodeId,
    report: Arc<watch::Sender<Option<HardwareReport>>>,
}

impl Hardware {
    pub(crate) fn new(bus: &Bus, node: &NodeId) -> Self {
        Self { bus: bus.clone(), node: node.clone(), report: Arc::new(watch::channel(None).0) }
    }

    /// What was last reported; `None` when no tuner has spoken yet.
    pub(crate) fn last(&self) -> Option<HardwareReport> {
        self.report.borrow().clone()
    }

    /// Asks for a report; a tuner that does not answer leaves the last one.
    pub(crate) async fn refresh(&self) {
        if let Err(error) = self.ask(TuneRequest::Report, REPORTING).await {
            debug!(%error, "no report from the tuner");
        }
    }

    /// Has the clock set; returns whether something was changed.
    pub(crate) async fn set(&self, frequency: KiloHertz) -> Result<bool, CallError> {
        Ok(self.ask(TuneRequest::SetFrequency(frequency), SETTING).await?.changed)
    }

    async fn ask(&self, request: TuneRequest, at_most: Duration) -> Result<TuneReply, CallError> {
        let unreadable = |error| CallError::Broker(broker::BrokerError::Wire(error));
        let answer = self.bus.ask(subjects::tune(&self.node), at_most, &request).await?;
        let reply: TuneReply = schemas::decode(&answer.body).map_err(unreadable)?;
        self.report.send_replace(Some(reply.hardware.clone()));
        Ok(reply)
    }
}
