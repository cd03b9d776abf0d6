//! Sums records up as they come, in constant memory.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use schemas::{Joules, Millis, Place, Share};
use serde::Serialize;

use crate::recording::Side;
use crate::results::{Ending, Origin, Record};

/// A tenth of a per cent.
const SIGNIFICANT_DIGITS: u8 = 3;
/// A day in µs: no request takes longer, and a longer one counts as this.
const GREATEST_US: u64 = 24 * 3_600 * 1_000_000;

/// The quantiles of a histogram, by the name of its bucket's upper end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// Arithmetic mean.
    pub mean: Millis,
    /// Median.
    pub p50: Millis,
    /// Nine of ten.
    pub p90: Millis,
    /// 95 of 100.
    pub p95: Millis,
    /// 99 of 100.
    pub p99: Millis,
    /// 999 of 1000.
    #[serde(rename = "p99.9")]
    pub p999: Millis,
    /// The greatest.
    pub max: Millis,
}

/// Mean joules of the answered requests, and where the numbers come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanEnergy {
    /// All places together.
    pub joules: Joules,
    /// Place by place; one that is missing is not known.
    pub by_place: BTreeMap<Place, Joules>,
    /// Every origin that contributed.
    pub origins: BTreeSet<Origin>,
}

/// A replay in figures. Latencies count from when a request was due, over the answered ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayFigures {
    /// Requests that ended.
    pub requests: u64,
    /// Those with an answer.
    pub answered: u64,
    /// Answered within the limit / all: an error is a missed limit.
    pub within: Share,
    /// Answered / all.
    pub answered_share: Share,
    /// Errors by kind.
    pub failed: BTreeMap<&'static str, u64>,
    /// From when a request was due to its answer; `None` when none was answered.
    pub latency: Option<Quantiles>,
    /// From when it was sent to its answer.
    pub service: Option<Quantiles>,
    /// How much later than due requests were sent, all of them: what the generator was behind, or waited for a place in flight.
    pub behind: Option<Quantiles>,
    /// Ended requests a second, over the time of the runs.
    pub rate: f64,
    /// `None` when any answer has no joules: an unknown part is not zero.
    pub energy: Option<MeanEnergy>,
    /// Right labels / answers to labelled pictures; `None` when there is none.
    pub accuracy: Option<Share>,
    /// Answers by side: cloud, split, edge; `None` where a network's last cut is not known.
    pub sides: Option<[u64; 3]>,
    /// Answers that ran otherwise than planned.
    pub fell_back: u64,
}

/// Counts records.
#[derive(Debug)]
pub struct Tally {
    latency: Histogram<u64>,
    service: Histogram<u64>,
    behind: Histogram<u64>,
    requests: u64,
    answered: u64,
    within: u64,
    failed: BTreeMap<&'static str, u64>,
    joules: BTreeMap<Place, f64>,
    origins: BTreeSet<Origin>,
    without_joules: u64,
    judged: u64,
    right: u64,
    sides: [u64; 3],
    without_side: u64,
    fell_back: u64,
    /// Of each run, when its last request ended.
    lasted: BTreeMap<u32, f64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self {
            latency: histogram(),
            service: histogram(),
            behind: histogram(),
            requests: 0,
            answered: 0,
            within: 0,
            failed: BTreeMap::new(),
            joules: BTreeMap::new(),
            origins: BTreeSet::new(),
            without_joules: 0,
            judged: 0,
            right: 0,
            sides: [0; 3],
            without_side: 0,
            fell_back: 0,
            lasted: BTreeMap::new(),
        }
    }

    /// Counts a record; one that only warmed up counts for nothing.
    pub fn add(&mut self, record: &Record) {
        if record.warm_up {
            return;
        }
        self.requests += 1;
        note(&mut self.behind, record.sent_ms - record.scheduled_ms);
        let ended = (record.scheduled_ms + record.latency_ms).get();
        let lasted = self.lasted.entry(record.key.run).or_default();
        *lasted = lasted.max(ended);
        if let Ending::Failed { fault, .. } = &record.outcome {
            *self.failed.entry(fault.as_str()).or_default() += 1;
        }
        self.within += u64::from(record.is_within());
        let Some(answer) = &record.answer else { return };
        self.answered += 1;
        note(&mut self.latency, record.latency_ms);
        note(&mut self.service, record.service_ms);
        self.without_joules += u64::from(answer.energy.is_empty());
        for entry in &answer.energy {
            *self.joules.entry(entry.place).or_default() += entry.joules.get();
            self.origins.insert(entry.origin);
        }
        self.judged += u64::from(answer.correct.is_some());
        self.right += u64::from(answer.correct == Some(true));
        self.fell_back += u64::from(answer.fallback.is_some());
        match answer.side {
            Some(Side::Cloud) => self.sides[0] += 1,
            Some(Side::Split) => self.sides[1] += 1,
            Some(Side::Edge) => self.sides[2] += 1,
            None => self.without_side += 1,
        }
    }

    /// Requests counted.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Answered within the limit / counted.
    pub fn within(&self) -> Share {
        share(self.within, self.requests)
    }

    /// Everything in figures.
    pub fn figures(&self) -> ReplayFigures {
        let seconds = self.lasted.values().sum::<f64>() / 1e3;
        let known = self.answered > 0 && self.without_joules == 0;
        let mean = |joules: f64| Joules::saturating(joules / self.answered.max(1) as f64);
        let energy = known.then(|| MeanEnergy {
            joules: mean(self.joules.values().sum()),
            by_place: self.joules.iter().map(|(place, joules)| (*place, mean(*joules))).collect(),
            origins: self.origins.clone(),
        });
        ReplayFigures {
            requests: self.requests,
            answered: self.answered,
            within: self.within(),
            answered_share: share(self.answered, self.requests),
            failed: self.failed.clone(),
            latency: quantiles(&self.latency),
            service: quantiles(&self.service),
            behind: quantiles(&self.behind),
            rate: if seconds > 0.0 { self.requests as f64 / seconds } else { 0.0 },
            energy,
            accuracy: (self.judged > 0).then(|| share(self.right, self.judged)),
            sides: (self.answered > 0 && self.without_side == 0).then_some(self.sides),
            fell_back: self.fell_back,
        }
    }
}

fn share(part: u64, whole: u64) -> Share {
    Share::saturating(part as f64 / whole.max(1) as f64)
}

#[expect(clippy::expect_used, reason = "the bounds are written here and are valid")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, GREATEST_US, SIGNIFICANT_DIGITS).expect("valid bounds")
}

fn note(histogram: &mut Histogram<u64>, time: Millis) {
    histogram.saturating_record((time.get() * 1e3).round() as u64);
}

fn quantiles(histogram: &Histogram<u64>) -> Option<Quantiles> {
    let at = |quantile: f64| Millis::saturating(histogram.value_at_quantile(quantile) as f64 / 1e3);
    (!histogram.is_empty()).then(|| Quantiles {
        mean: Millis::saturating(histogram.mean() / 1e3),
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        p999: at(0.999),
        max: Millis::saturating(histogram.max() as f64 / 1e3),
    })
}
