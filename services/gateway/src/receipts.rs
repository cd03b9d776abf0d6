//! Receipts: opened when a request arrives, published once when it ends, however it ends.

use std::sync::Arc;

use broker::{Bus, subjects};
use schemas::{ExecuteReply, Millis, ModelName, NodeId, Plan, Receipt, RequestId, UnixMillis};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::metrics::{Metrics, ModelLabel};

/// Receipts that may wait for the broker; further ones are given up with a warning, as they hold memory and
/// nobody waits for them. At 1000 requests a second this is the second that a reconnection takes.
const GREATEST_BACKLOG: usize = 1024;

/// When a request arrived, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) id: RequestId,
    pub(crate) at: UnixMillis,
    pub(crate) since: Instant,
}

impl Arrival {
    pub(crate) fn now(id: RequestId) -> Self {
        Self { id, at: UnixMillis::now(), since: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Millis {
        self.since.elapsed().into()
    }
}

/// Where receipts go.
#[derive(Clone)]
pub(crate) struct Ledger {
    bus: Bus,
    node: NodeId,
    metrics: Arc<Metrics>,
    publishing: TaskTracker,
    runtime: Handle,
}

impl Ledger {
    /// Must be called on the runtime that publishes the receipts.
    pub(crate) fn new(bus: Bus, node: NodeId, metrics: Arc<Metrics>) -> Self {
        Self { bus, node, metrics, publishing: TaskTracker::new(), runtime: Handle::current() }
    }

    /// Opens the receipt of one request. It is published when it is dropped: exactly once, also when the code
    /// between panics. Until another outcome is set it says "internal".
    pub(crate) fn open(&self, arrival: Arrival, model: ModelName) -> OpenReceipt {
        self.metrics.arrived();
        let receipt = Receipt::opened(arrival.id, model, self.node.clone(), arrival.at);
        OpenReceipt { receipt, label: ModelLabel::Unknown, arrival, ledger: self.clone() }
    }

    /// Returns when every receipt has been handed to the broker or given up; takes at most the time of one publish
    /// once no request is open.
    pub(crate) async fn settled(&self) {
        self.publishing.close();
        self.publishing.wait().await;
    }

    fn publish(&self, receipt: Receipt) {
        if self.publishing.len() >= GREATEST_BACKLOG {
            self.metrics.receipt_lost();
            warn!(id = %receipt.id, "a receipt was given up: the broker does not take them");
            return;
        }
        let (bus, metrics) = (self.bus.clone(), self.metrics.clone());
        let publishing = async move {
            let published = match schemas::encode(&receipt) {
                Ok(body) => bus.publish(subjects::receipt(&receipt.model), body).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = published {
                metrics.receipt_lost();
                warn!(id = %receipt.id, %error, "a receipt was not published");
            }
        };
        self.publishing.spawn_on(publishing, &self.runtime);
    }
}

/// The receipt of a request that has not ended.
pub(crate) struct OpenReceipt {
    pub(crate) receipt: Receipt,
    pub(crate) label: ModelLabel,
    arrival: Arrival,
    ledger: Ledger,
}

impl OpenReceipt {
    pub(crate) fn planned(&mut self, plan: &Plan) {
        let receipt = &mut self.receipt;
        receipt.planned = Some(plan.configuration);
        receipt.predicted_latency_ms = plan.predicted_latency_ms;
        receipt.predicted_energy_j = plan.predicted_energy_j;
        receipt.policy = Some(plan.policy);
        receipt.reason = Some(plan.reason);
        receipt.front = plan.front;
    }

    pub(crate) fn executed(&mut self, reply: &ExecuteReply<'_>) {
        let receipt = &mut self.receipt;
        receipt.executed = Some(reply.configuration);
        receipt.fallback = reply.fallback;
        receipt.cloud = reply.cloud.clone();
        receipt.sent_bytes = reply.sent_bytes;
        receipt.stages.extend(&reply.stages);
        receipt.energy.clone_from(&reply.energy);
        receipt.breakdown.clone_from(&reply.breakdown);
    }
}

impl Drop for OpenReceipt {
    fn drop(&mut self) {
        self.receipt.latency_ms = self.arrival.elapsed();
        self.ledger.metrics.ended(&self.receipt, self.label);
        self.ledger.publish(self.receipt.clone());
    }
}
