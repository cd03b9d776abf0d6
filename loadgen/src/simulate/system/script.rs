//! Requests of a trace instead of drawn ones, and what became of each.

use policy::Refusal;
use schemas::{ByteCount, Configuration, Joules, Millis, PlanReason, Qos};

use crate::recording::Side;
use crate::trace::TraceRequest;

/// What became of a request of a trace, in virtual time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedRequest {
    /// Its place in the trace, from 0.
    pub request: usize,
    /// When it arrived.
    pub arrived: Millis,
    /// When it ended.
    pub ended: Millis,
    /// How.
    pub end: SimulatedEnd,
}

/// How a simulated request ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SimulatedEnd {
    /// With an answer.
    Answered(SimulatedAnswer),
    /// The edge held as many as it may.
    TurnedAway,
    /// The policy refused it.
    Refused(Refusal),
    /// Its edge went down.
    Lost,
}

/// What an answer took and cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedAnswer {
    /// The configuration's place in the recording.
    pub place: usize,
    /// The configuration that was chosen.
    pub configuration: Configuration,
    /// Whether the edge ran the tail because no cloud executor answered.
    pub at_home: bool,
    /// Why it was chosen.
    pub reason: PlanReason,
    /// What changing the hardware took, where it was changed.
    pub hardware_change: Option<Millis>,
    /// The wait for the edge.
    pub edge_queue: Millis,
    /// The head.
    pub head: Millis,
    /// On the wire, both ways.
    pub wire: Millis,
    /// The wait in the cloud.
    pub cloud_queue: Millis,
    /// The tail in the cloud, with its batch.
    pub tail: Millis,
    /// The tail on the edge.
    pub home: Millis,
    /// Spent on the edge.
    pub edge_energy: Joules,
    /// Spent in the cloud.
    pub cloud_energy: Joules,
    /// Sent to the cloud.
    pub sent: ByteCount,
    /// Where it ran.
    pub side: Side,
}

/// The requests of one edge, and who hears of them.
pub(super) struct Script<'a> {
    requests: &'a [TraceRequest],
    scheduled: usize,
    hear: &'a mut dyn FnMut(SimulatedRequest),
}

impl<'a> Script<'a> {
    pub(super) fn new(requests: &'a [TraceRequest], hear: &'a mut dyn FnMut(SimulatedRequest)) -> Self {
        Self { requests, scheduled: 0, hear }
    }

    pub(super) fn len(&self) -> u64 {
        self.requests.len() as u64
    }

    /// When the next request comes, without a time in a closed loop; `None` when there is none left.
    pub(super) fn next_arrival(&mut self) -> Option<Option<Millis>> {
        let request = self.requests.get(self.scheduled)?;
        self.scheduled += 1;
        Some(request.at)
    }

    /// What the request asks for that is the how-manieth, from 1.
    pub(super) fn qos(&self, request: u64) -> Qos {
        self.requests[request as usize - 1].qos
    }

    pub(super) fn tell(&mut self, request: u64, arrived: Millis, ended: Millis, end: SimulatedEnd) {
        (self.hear)(SimulatedRequest { request: request as usize - 1, arrived, ended, end });
    }
}
