//! Makes raw records of what became of requests.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use schemas::{Configuration, Cut, Front, FrontId, InferReply, Millis, ModelName, Share};

use super::sending::Ended;
use crate::recording::Side;
use crate::results::{Answer, Ending, FrontUsed, PlacedEnergy, Record, RunKey, TimedStage};

/// What is known of networks and fronts, by which answers are understood.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// Each network's last cut.
    pub last_cuts: BTreeMap<ModelName, Cut>,
    /// The fronts that were seen.
    pub fronts: HashMap<FrontId, Arc<Front>>,
}

impl Knowledge {
    /// Takes note of a front; whether it is new.
    pub fn add(&mut self, front: Arc<Front>) -> bool {
        self.last_cuts.entry(front.model.clone()).or_insert(front.last_cut);
        self.fronts.insert(front.id, front).is_none()
    }

    /// The record of a request of a run.
    pub fn record(&self, key: &RunKey, warm_up: bool, ended: Ended) -> Record {
        let Ended { due, scheduled, sent, at, ended, class, outcome } = ended;
        let request = due.request;
        let limit_ms = request.qos.latency_ms;
        let latency_ms = ended - scheduled;
        let (outcome, answer) = match outcome {
            Ok(reply) => (judged(latency_ms, limit_ms), Some(self.answer(&reply, class))),
            Err(fault) => (Ending::Failed { fault: fault.kind, message: fault.message }, None),
        };
        Record {
            key: key.clone(),
            model: request.model.as_ref().clone(),
            request: due.position as u64,
            query: request.query,
            tenant: request.tenant.map(|tenant| tenant.as_ref().clone()),
            warm_up,
            scheduled_ms: scheduled,
            sent_ms: sent,
            at,
            limit_ms,
            latency_ms,
            service_ms: ended - sent,
            outcome,
            answer,
        }
    }

    fn answer(&self, reply: &InferReply, class: Option<u32>) -> Answer {
        let front = reply.front.and_then(|id| self.fronts.get(&id));
        let best = reply.top.first();
        Answer {
            id: Some(reply.id),
            gateway_ms: Some(reply.latency_ms),
            configuration: reply.configuration,
            edge_accelerator: None,
            cloud_accelerator: None,
            side: self.last_cuts.get(&reply.model).map(|last| Side::of(reply.configuration.cut, *last)),
            fallback: reply.fallback,
            reason: reply.reason,
            front: reply.front.map(|id| FrontUsed { id, revision: front.map(|front| front.revision) }),
            label: best.map(|best| best.label.clone()),
            correct: best.zip(class).map(|(best, class)| best.index == class),
            accuracy: front.and_then(|front| accuracy(front, &reply.configuration)),
            sent_bytes: None,
            stages: reply.stages.iter().map(TimedStage::from).collect(),
            energy: reply.energy.iter().map(PlacedEnergy::from).collect(),
        }
    }
}

/// An answer's outcome: a latency that equals its limit is within it.
pub fn judged(latency: Millis, limit: Millis) -> Ending {
    if latency <= limit { Ending::Within } else { Ending::Late }
}

/// The accuracy that a front says of a configuration.
pub fn accuracy(front: &Front, configuration: &Configuration) -> Option<Share> {
    let measured = front.points.iter().chain(&front.tied).chain([&front.all_cloud, &front.all_edge]);
    let measured = measured.filter(|point| point.configuration == *configuration);
    measured.filter_map(|point| point.accuracy).map(|accuracy| accuracy.share).next()
}
