//! One request in flight.

use schemas::{ByteCount, PlanReason};

use crate::simulate::system::machine::Nanos;
use crate::simulate::system::profile::Sample;

/// A request in flight: its slot, and which of the requests that used the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::simulate::system) struct JobKey {
    pub(super) slot: u32,
    pub(super) use_of_slot: u32,
}

/// What is known of a request in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub key: JobKey,
    pub live: bool,
    pub edge: u32,
    /// The how-manieth of its edge, from 1.
    pub request: u64,
    pub reason: PlanReason,
    pub configuration: u32,
    pub cloud: Option<u32>,
    pub lost_cloud: Option<u32>,
    pub attempts: u8,
    pub at_home: bool,
    pub sample: Sample,
    pub limit_ms: f64,
    pub arrived_at: Nanos,
    /// Since when it is where it is.
    pub since: Nanos,
    pub back_ms: f64,
    pub change_ms: Option<f64>,
    pub edge_queue_ms: f64,
    pub wire_ms: f64,
    pub cloud_queue_ms: f64,
    pub cloud_ms: f64,
    pub cloud_j: f64,
    pub home_ms: f64,
    pub sent: ByteCount,
}

/// What an admitted request brings with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted {
    pub edge: u32,
    pub request: u64,
    pub reason: PlanReason,
    pub configuration: u32,
    pub cloud: Option<u32>,
    pub sample: Sample,
    pub limit_ms: f64,
}

impl Job {
    /// One that has just been admitted.
    pub(super) fn new(key: JobKey, admitted: Admitted, now: Nanos) -> Self {
        let Admitted { edge, request, reason, configuration, cloud, sample, limit_ms } = admitted;
        Self {
            key,
            live: true,
            edge,
            request,
            reason,
            configuration,
            cloud,
            lost_cloud: None,
            attempts: 0,
            at_home: false,
            sample,
            limit_ms,
            arrived_at: now,
            since: now,
            back_ms: 0.0,
            change_ms: None,
            edge_queue_ms: 0.0,
            wire_ms: 0.0,
            cloud_queue_ms: 0.0,
            cloud_ms: 0.0,
            cloud_j: 0.0,
            home_ms: 0.0,
            sent: ByteCount(0),
        }
    }

    /// The recorded power over the time that the request was in hand, and that of the whole network over a tail at home.
    pub(super) fn edge_joules(&self, home_watts: f64) -> f64 {
        let recorded_ms = self.sample.edge_ms + self.sample.wire_ms + self.sample.cloud_ms;
        let watts = if recorded_ms > 0.0 { self.sample.edge_j / recorded_ms } else { 0.0 };
        let in_hand_ms = self.change_ms.unwrap_or_default()
            + self.sample.edge_ms
            + self.wire_ms
            + self.cloud_queue_ms
            + self.cloud_ms;
        watts * in_hand_ms + home_watts * self.home_ms / 1e3
    }
}
