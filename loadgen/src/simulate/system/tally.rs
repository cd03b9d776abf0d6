//! What is counted while a run goes on: constant in size, however many requests there are.

use hdrhistogram::Histogram;
use schemas::PolicyName;
use serde::Serialize;

use crate::recording::Side;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Turned away: the edge held as many as it may, or the policy refused.
    TurnedAway,
    /// Its edge went down.
    Lost,
}

/// The counters of one run.
#[derive(Debug)]
pub(super) struct Tally {
    latencies: Histogram<u64>,
    pub requests: u64,
    pub within: u64,
    pub turned_away: u64,
    pub lost: u64,
    pub at_home: u64,
    pub hardware_changes: u64,
    sides: [u64; 3],
    edge_j: f64,
    cloud_j: f64,
    edge_queue_ms: f64,
    cloud_queue_ms: f64,
    pub batches: u64,
    pub batched: u64,
    pub cloud_busy_ms: f64,
    pub events: u64,
}

/// An answered request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub latency_ms: f64,
    pub within: bool,
    pub side: Side,
    pub at_home: bool,
    pub edge_j: f64,
    pub cloud_j: f64,
    pub edge_queue_ms: f64,
    pub cloud_queue_ms: f64,
}

/// One run in figures. Times in ms, energies in J a request, shares in per cent of all requests unless said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunFigures {
    /// The policy.
    pub policy: PolicyName,
    /// The run's seed.
    pub seed: u64,
    /// Requests that arrived.
    pub requests: u64,
    /// Answered within the limit.
    pub within_percent: f64,
    /// Turned away.
    pub turned_away_percent: f64,
    /// Lost with their edge.
    pub lost_percent: f64,
    /// Finished at home because no cloud executor answered, of those answered.
    pub at_home_percent: f64,
    /// Latency of the answered ones, from arrival to answer: median.
    pub latency_p50: f64,
    /// 95th percentile.
    pub latency_p95: f64,
    /// 99th percentile.
    pub latency_p99: f64,
    /// Mean joules of an answered request on the edge.
    pub edge_energy: f64,
    /// In the cloud.
    pub cloud_energy: f64,
    /// Mean wait for the edge.
    pub edge_queue: f64,
    /// Mean wait in the cloud, over all answered.
    pub cloud_queue: f64,
    /// Answered ones by side: cloud, split, edge, in per cent.
    pub sides_percent: [f64; 3],
    /// Changes of the hardware, a thousand requests.
    pub hardware_changes: f64,
    /// Tails in a batch, mean; 0 when there was none.
    pub batch: f64,
    /// How busy cloud executors were, in per cent.
    pub cloud_busy_percent: f64,
    /// Simulated seconds.
    pub seconds: f64,
    /// Events handled.
    pub events: u64,
}

/// A tenth of a per cent.
const SIGNIFICANT_DIGITS: u8 = 3;
/// A month in µs: no request takes longer.
const GREATEST_US: u64 = 30 * 24 * 3_600 * 1_000_000;

impl Tally {
    #[expect(clippy::expect_used, reason = "the bounds are written here and are valid")]
    pub(super) fn new() -> Self {
        Self {
            latencies: Histogram::new_with_bounds(1, GREATEST_US, SIGNIFICANT_DIGITS).expect("valid bounds"),
            requests: 0,
            within: 0,
            turned_away: 0,
            lost: 0,
            at_home: 0,
            hardware_changes: 0,
            sides: [0; 3],
            edge_j: 0.0,
            cloud_j: 0.0,
            edge_queue_ms: 0.0,
            cloud_queue_ms: 0.0,
            batches: 0,
            batched: 0,
            cloud_busy_ms: 0.0,
            events: 0,
        }
    }

    pub(super) fn end(&mut self, ending: Ending) {
        match ending {
            Ending::TurnedAway => self.turned_away += 1,
            Ending::Lost => self.lost += 1,
        }
    }

    pub(super) fn answer(&mut self, answered: &Answered) {
        self.latencies.saturating_record(((answered.latency_ms * 1e3) as u64).max(1));
        self.within += u64::from(answered.within);
        self.at_home += u64::from(answered.at_home);
        self.sides[answered.side as usize] += 1;
        self.edge_j += answered.edge_j;
        self.cloud_j += answered.cloud_j;
        self.edge_queue_ms += answered.edge_queue_ms;
        self.cloud_queue_ms += answered.cloud_queue_ms;
    }

    pub(super) fn figures(&self, policy: PolicyName, seed: u64, seconds: f64, clouds: usize) -> RunFigures {
        let answered = self.sides.iter().sum::<u64>().max(1) as f64;
        let share = |part: u64, whole: f64| 100.0 * part as f64 / whole.max(1.0);
        let all = self.requests as f64;
        let quantile = |quantile: f64| self.latencies.value_at_quantile(quantile) as f64 / 1e3;
        let capacity_ms = seconds * 1e3 * clouds as f64;
        RunFigures {
            policy,
            seed,
            requests: self.requests,
            within_percent: share(self.within, all),
            turned_away_percent: share(self.turned_away, all),
            lost_percent: share(self.lost, all),
            at_home_percent: share(self.at_home, answered),
            latency_p50: quantile(0.5),
            latency_p95: quantile(0.95),
            latency_p99: quantile(0.99),
            edge_energy: self.edge_j / answered,
            cloud_energy: self.cloud_j / answered,
            edge_queue: self.edge_queue_ms / answered,
            cloud_queue: self.cloud_queue_ms / answered,
            sides_percent: self.sides.map(|side| share(side, answered)),
            hardware_changes: 1e3 * self.hardware_changes as f64 / all.max(1.0),
            batch: self.batched as f64 / (self.batches.max(1)) as f64,
            cloud_busy_percent: if capacity_ms > 0.0 {
                100.0 * self.cloud_busy_ms / capacity_ms
            } else {
                0.0
            },
            seconds,
            events: self.events,
        }
    }
}
