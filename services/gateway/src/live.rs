//! What this gateway hears of the whole site, for those who watch it. Pure; bounded, however long it is watched.

mod joules;
pub mod shapes;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use schemas::{
    Front, InstanceId, Millis, Outcome, Presence, Receipt, SchedulerReport, UnixMillis, nearest_rank,
};

use watch::{Counts, LastMinute, Reports, WINDOW_MS};

use joules::JoulesTable;
use shapes::{Ended, FrontMarks, Instance, Link, Minute, State, mark_of};

/// Seconds of the chart of requests over time.
const SECONDS: usize = 120;
/// Requests that a page gets when it opens, so that its charts have something on them: some 100 KB.
const REMEMBERED: usize = 240;
/// Requests of one event: at five events a second all of 320 a second, some 25 KB an event.
const GREATEST_BATCH: usize = 64;
/// Instances that are told one by one.
const GREATEST_INSTANCES: usize = 128;
/// Links that are told: a scheduler names at most 64, and two schedulers mostly the same ones.
const GREATEST_LINKS: usize = 64;
/// Fronts that are told.
const GREATEST_FRONTS: usize = 32;
/// A request of the last minute.
#[derive(Debug, Clone, Copy)]
struct Recent {
    counts: Counts,
    latency: Option<Millis>,
    joules: JoulesTable,
    priced: bool,
}

/// What is known of the running site now.
#[derive(Debug)]
pub struct Live {
    since: UnixMillis,
    heard: u64,
    total: Counts,
    total_joules: JoulesTable,
    recent: LastMinute<Recent>,
    /// The second that `seconds` ends with, since the Unix epoch.
    second: u64,
    seconds: VecDeque<[u32; 3]>,
    remembered: VecDeque<Ended>,
    batch: Vec<Ended>,
    left_out: u64,
    fronts: Vec<Arc<Front>>,
    reports: Reports,
}

impl Live {
    /// Nothing is known yet.
    pub fn new(now: UnixMillis) -> Self {
        Self {
            since: now,
            heard: 0,
            total: Counts::default(),
            total_joules: JoulesTable::default(),
            recent: LastMinute::default(),
            second: now.0 / 1_000,
            seconds: VecDeque::from([[0; 3]]),
            remembered: VecDeque::new(),
            batch: Vec::new(),
            left_out: 0,
            fronts: Vec::new(),
            reports: Reports::default(),
        }
    }

    /// Hears how a request ended.
    pub fn hear(&mut self, receipt: &Receipt, now: UnixMillis) {
        self.pass(now);
        self.heard += 1;
        let counts = Counts::of(receipt);
        let joules = JoulesTable::from(receipt.energy.as_slice());
        self.total.add(counts);
        self.total_joules.add(&joules);
        if let Some(second) = self.seconds.back_mut() {
            let now = [counts.within, counts.late, counts.failed].map(|count| count as u32);
            second.iter_mut().zip(now).for_each(|(sum, count)| *sum = sum.saturating_add(count));
        }
        let has_result = !matches!(receipt.outcome, Outcome::Failed(_));
        let latency = has_result.then_some(receipt.latency_ms);
        let priced = !receipt.energy.is_empty();
        self.recent.push(now, Recent { counts, latency, joules, priced });
        let ended = Ended::new(self.heard, receipt, self.mark(receipt), now);
        push(&mut self.remembered, REMEMBERED, ended.clone());
        if self.batch.len() < GREATEST_BATCH {
            self.batch.push(ended);
        } else {
            self.left_out += 1;
        }
    }

    /// Hears what a scheduler takes to be true.
    pub fn report(&mut self, report: SchedulerReport) {
        self.reports.hear(report);
    }

    /// Knows these fronts and no others; says whether any is new or gone.
    pub fn know(&mut self, mut fronts: Vec<Arc<Front>>) -> bool {
        fronts.truncate(GREATEST_FRONTS);
        let ids = |fronts: &[Arc<Front>]| fronts.iter().map(|front| front.id).collect::<Vec<_>>();
        let changed = ids(&fronts) != ids(&self.fronts);
        self.fronts = fronts;
        changed
    }

    /// The requests since the last call, and how many there were besides; `None` when there was none.
    pub fn take_batch(&mut self) -> Option<(Vec<Ended>, u64)> {
        let (batch, left_out) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.left_out));
        (!batch.is_empty()).then_some((batch, left_out))
    }

    /// The last requests, the oldest first.
    pub fn remembered(&self) -> Vec<Ended> {
        self.remembered.iter().cloned().collect()
    }

    /// The fronts.
    pub fn fronts(&self) -> Vec<FrontMarks> {
        self.fronts.iter().map(|front| FrontMarks::from(front.as_ref())).collect()
    }

    /// Everything else.
    pub fn state(&mut self, presences: &[Presence], connected: bool, now: UnixMillis) -> State {
        self.pass(now);
        let instances: Vec<Instance> =
            presences.iter().take(GREATEST_INSTANCES).map(Instance::from).collect();
        State {
            at: now,
            since: self.since,
            connected,
            total: self.total,
            total_joules: self.total_joules.spent(),
            minute: self.minute(now),
            seconds: self.seconds.iter().copied().collect(),
            more_instances: presences.len() - instances.len(),
            instances,
            links: self.links(),
            policy: self.reports.iter().next().map(|report| report.choice),
        }
    }

    /// Lets time pass: begins seconds, forgets what is too old.
    fn pass(&mut self, now: UnixMillis) {
        let second = now.0 / 1_000;
        let begun = usize::try_from(second.saturating_sub(self.second)).unwrap_or(SECONDS).min(SECONDS);
        (0..begun).for_each(|_| push(&mut self.seconds, SECONDS, [0; 3]));
        self.second = self.second.max(second);
        self.recent.pass(now);
        self.reports.pass(now);
    }

    fn mark(&self, receipt: &Receipt) -> Option<usize> {
        let (id, executed) = (receipt.front?, receipt.executed?);
        self.fronts.iter().find(|front| front.id == id).and_then(|front| mark_of(front, &executed))
    }

    fn minute(&self, now: UnixMillis) -> Minute {
        let (mut counts, mut joules) = (Counts::default(), JoulesTable::default());
        for recent in self.recent.iter() {
            counts.add(recent.counts);
            joules.add(&recent.joules);
        }
        let mut latencies: Vec<Millis> = self.recent.iter().filter_map(|recent| recent.latency).collect();
        latencies.sort_by(|one, other| one.get().total_cmp(&other.get()));
        let known_for = now.0.saturating_sub(self.since.0).min(WINDOW_MS);
        // Where not all of the minute's receipts are kept, the oldest kept one says how far they go back.
        let kept_for = match self.recent.reaches_back(now) {
            Some(kept_for) if self.recent.is_full() => kept_for,
            _ => known_for,
        };
        Minute {
            seconds: kept_for as f64 / 1e3,
            counts,
            p50_ms: nearest_rank(&latencies, 0.5),
            p95_ms: nearest_rank(&latencies, 0.95),
            priced: self.recent.iter().filter(|recent| recent.priced).count() as u64,
            joules: joules.spent(),
        }
    }

    /// One link for each edge executor and network, the scheduler that heard of it last knows best.
    fn links(&self) -> Vec<Link> {
        let mut freshest: BTreeMap<(&InstanceId, &str), Link> = BTreeMap::new();
        for outlook in self.reports.iter().flat_map(|report| &report.edges) {
            let link = Link::from(outlook);
            let age = |link: &Link| link.age_ms.map_or(f64::INFINITY, Millis::get);
            let key = (&outlook.edge, outlook.model.as_str());
            if freshest.get(&key).is_none_or(|known| age(&link) < age(known)) {
                freshest.insert(key, link);
            }
        }
        freshest.into_values().take(GREATEST_LINKS).collect()
    }
}

/// Adds at the end; what is beyond the limit goes at the beginning.
fn push<Item>(queue: &mut VecDeque<Item>, limit: usize, item: Item) {
    queue.push_back(item);
    if queue.len() > limit {
        queue.pop_front();
    }
}

#[cfg(test)]
mod tests;
