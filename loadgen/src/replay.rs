//! Sends requests through a running system.
//!
//! - [`client`]: the way in, over NATS or HTTP.
//! - [`link`]: another emulated link for a while.
//! - [`sending`]: sends requests when they are due, however slow the answers are, or each when the one before has ended.
//! - [`live`]: who is there, and which fronts are published.
//! - [`account`]: makes the raw record of each request.
//! - [`books`]: runs whose records go to disk as they come.
//! - [`tally`]: sums records up, with histograms.
//! - [`requirement`]: what a replay must reach.
//! - [`Replay`]: a small closed-loop replay in memory.

pub mod account;
pub mod books;
pub mod client;
pub mod link;
pub mod live;
pub mod requirement;
pub mod sending;
pub mod tally;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use broker::Bus;
use schemas::{Fault, InferReply, Millis, ModelName, PolicyName};
use tokio::sync::mpsc;

use crate::pictures::PictureSet;
use crate::trace::Trace;
use client::Client;
use sending::{Due, Ended, Sending};

/// What became of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its latency limit.
    pub limit: Millis,
    /// The class of its picture, where it is known.
    pub class: Option<u32>,
    /// The answer, or the typed error.
    pub outcome: Result<InferReply, Fault>,
}

/// A replay to one network, one request in flight at a time; its records stay in memory. In a closed loop requests follow each
/// other as in the paper, in an open one each waits for its time.
#[derive(Debug)]
pub struct Replay<'a> {
    /// The connection to the broker.
    pub bus: &'a Bus,
    /// The network to ask.
    pub model: &'a ModelName,
    /// The pictures, in turn.
    pub pictures: &'a PictureSet,
    /// The policy that decides.
    pub policy: PolicyName,
}

impl Replay<'_> {
    /// Sends every request of the trace; `seen` hears of each record as it is made.
    pub async fn run(&self, trace: &Trace, mut seen: impl FnMut(&Record)) -> Vec<Record> {
        let trace = trace.clone().to_model(self.model);
        let sending = Sending {
            client: Client::Nats(self.bus.clone()),
            pictures: Arc::new(BTreeMap::from([(self.model.clone(), self.pictures.clone())])),
            policy: self.policy,
            most_in_flight: NonZeroUsize::MIN,
            clients: NonZeroUsize::MIN,
        };
        let (tell, mut told) = mpsc::channel(1);
        let driving = async move {
            // The receiver lives until the sender is dropped.
            let _every_one_was_taken = sending.run(Due::all(&trace), Millis::ZERO, &tell).await;
        };
        let mut records = Vec::new();
        let collecting = async {
            while let Some(Ended { due, class, outcome, .. }) = told.recv().await {
                let record = Record { limit: due.request.qos.latency_ms, class, outcome };
                seen(&record);
                records.push(record);
            }
        };
        tokio::join!(driving, collecting);
        records
    }
}
