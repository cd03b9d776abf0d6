//! What is known of the running system now. Bounded, however long it is watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::{
    Configuration, Fallback, Front, InstanceId, Joules, Millis, ModelName, Place, PlanReason, PolicyName,
    Presence, Receipt, SchedulerReport, UnixMillis, joules_at,
};
use watch::{Counts, LastMinute, Reports};

/// Pairs of an edge executor and a network whose last request is shown.
const GREATEST_EDGES: usize = 64;

/// Joules by place; the number of requests that said any.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Energy {
    pub edge: Joules,
    pub wire: Joules,
    pub cloud: Joules,
    pub requests: u64,
}

/// The last request of an edge executor and a network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Last {
    pub configuration: Configuration,
    pub policy: Option<PolicyName>,
    pub reason: Option<PlanReason>,
    pub fallback: Option<Fallback>,
    pub latency_ms: Millis,
    pub limit_ms: Option<Millis>,
}

/// What is known of the running system now.
#[derive(Debug, Default)]
pub struct Live {
    total: Counts,
    energy: Energy,
    recent: LastMinute<(Counts, Energy)>,
    last: BTreeMap<(InstanceId, ModelName), Last>,
    presences: Vec<Presence>,
    fronts: Vec<Arc<Front>>,
    reports: Reports,
}

impl Live {
    /// Hears how a request ended.
    pub fn hear(&mut self, receipt: &Receipt, now: UnixMillis) {
        let counts = Counts::of(receipt);
        let joules = |place| joules_at(&receipt.energy, place).unwrap_or(Joules::ZERO);
        let energy = Energy {
            edge: joules(Place::Edge),
            wire: joules(Place::Wire),
            cloud: joules(Place::Cloud),
            requests: u64::from(!receipt.energy.is_empty()),
        };
        self.total.add(counts);
        self.energy.add(energy);
        self.recent.push(now, (counts, energy));
        self.forget(now);
        self.note_last(receipt);
    }

    /// Sees who is there.
    pub fn see(&mut self, presences: Vec<Presence>) {
        self.presences = presences;
        self.presences.sort_by(|a, b| (a.service, &a.instance).cmp(&(b.service, &b.instance)));
    }

    /// Knows these fronts and no others.
    pub fn know(&mut self, fronts: Vec<Arc<Front>>) {
        self.fronts = fronts;
    }

    /// Hears what a scheduler takes to be true.
    pub fn report(&mut self, report: SchedulerReport) {
        self.reports.hear(report);
    }

    /// Lets time pass: what is too old is forgotten. To be called before each frame.
    pub fn forget(&mut self, now: UnixMillis) {
        self.recent.pass(now);
        self.reports.pass(now);
    }

    fn note_last(&mut self, receipt: &Receipt) {
        let (Some(edge), Some(configuration)) = (&receipt.edge, receipt.executed) else { return };
        let key = (edge.clone(), receipt.model.clone());
        if self.last.len() >= GREATEST_EDGES && !self.last.contains_key(&key) {
            self.last.pop_first();
        }
        let last = Last {
            configuration,
            policy: receipt.policy,
            reason: receipt.reason,
            fallback: receipt.fallback,
            latency_ms: receipt.latency_ms,
            limit_ms: receipt.qos.map(|qos| qos.latency_ms),
        };
        self.last.insert(key, last);
    }

    /// Since it is watched, and in the last minute.
    pub(crate) fn counts(&self) -> (Counts, Counts) {
        let mut recent = Counts::default();
        self.recent.iter().for_each(|(counts, _)| recent.add(*counts));
        (self.total, recent)
    }

    /// Since it is watched, and in the last minute.
    pub(crate) fn energy(&self) -> (Energy, Energy) {
        let mut recent = Energy::default();
        self.recent.iter().for_each(|(_, energy)| recent.add(*energy));
        (self.energy, recent)
    }

    /// The time that the last minute's figures span, in seconds: less while it is watched for less, or where the receipts
    /// that are kept go back less.
    pub(crate) fn window_seconds(&self, now: UnixMillis) -> f64 {
        self.recent.reaches_back(now).map_or(0.0, |ms| ms as f64 / 1e3)
    }

    pub(crate) fn last(&self) -> &BTreeMap<(InstanceId, ModelName), Last> {
        &self.last
    }

    pub(crate) fn presences(&self) -> &[Presence] {
        &self.presences
    }

    pub(crate) fn fronts(&self) -> &[Arc<Front>] {
        &self.fronts
    }

    pub(crate) fn reports(&self) -> impl Iterator<Item = &SchedulerReport> {
        self.reports.iter()
    }
}

impl Energy {
    fn add(&mut self, other: Self) {
        self.edge += other.edge;
        self.wire += other.wire;
        self.cloud += other.cloud;
        self.requests += other.requests;
    }
}
