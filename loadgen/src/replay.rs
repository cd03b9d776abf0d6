//! Sends a trace through a running system, one request after the other as in the paper.

use std::borrow::Cow;
use std::time::Duration;

use broker::Bus;
use broker::subjects;
use schemas::{Fault, FaultKind, InferReply, InferRequest, Input, Millis, ModelName, PolicyName, Qos};

use crate::pictures::PictureSet;
use crate::trace::Trace;

/// A request is given up this much later than four times its limit: the gateway's own default.
const LEAST_PATIENCE: Duration = Duration::from_secs(5);

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

/// A closed-loop replay: the next request goes out when the last one has its outcome.
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
        let mut records = Vec::with_capacity(trace.requests().len());
        for (position, request) in trace.requests().iter().enumerate() {
            let record = self.send(position, request.qos.latency_ms).await;
            seen(&record);
            records.push(record);
        }
        records
    }

    async fn send(&self, position: usize, limit: Millis) -> Record {
        let picture = self.pictures.at(position);
        let request = InferRequest {
            input: Input::Encoded { bytes: Cow::Borrowed(&picture.bytes) },
            qos: Some(Qos::within(limit)),
            policy: Some(self.policy),
        };
        Record { limit, class: picture.class, outcome: self.ask(&request, limit).await }
    }

    async fn ask(&self, request: &InferRequest<'_>, limit: Millis) -> Result<InferReply, Fault> {
        let unreadable = |error: schemas::WireError| Fault::new(FaultKind::Internal, error.to_string());
        let patience = (limit * 4.0).to_duration().max(LEAST_PATIENCE);
        let asked = self.bus.ask(subjects::infer(self.model), patience, request).await;
        let answer = asked.map_err(|error| error.to_fault())?;
        schemas::decode(&answer.body).map_err(unreadable)
    }
}
