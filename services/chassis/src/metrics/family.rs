//! Metrics with labels, of which there are only so many.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::{Description, Metrics, Unit};

/// Combinations of labels that one metric tells apart; beyond, what is open in them is `other`. A site has some tens of
/// networks and executors, a metric up to some tens of outcomes.
pub const MOST_SERIES: usize = 1_024;

/// Labels whose values are no closed set.
const OPEN: [&str; 7] = ["model", "edge", "cloud", "instance", "node", "version", "meter"];

/// What an open label is when there are too many.
const OTHER: &str = "other";

/// Bounds in seconds: from a small network on a fast edge to the greatest deadline.
const WHOLE: [f64; 14] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];
/// Bounds in seconds: from encoding a small frontier to a slow device's head.
const STAGE: [f64; 12] = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0];
/// Bounds in seconds: from a decision to a machine that stands still.
const BRIEF: [f64; 10] = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 1e-4, 1e-3, 5e-3, 0.02, 0.1];

/// The value of a label.
pub type Label = Cow<'static, str>;

type Labels<const N: usize> = [(&'static str, Label); N];

/// A family of which the labels are bounded.
#[derive(Debug, Clone)]
struct Bounded<M, const N: usize> {
    names: [&'static str; N],
    family: Family<Labels<N>, M, fn() -> M>,
    told_apart: Arc<AtomicUsize>,
}

impl<M: Clone, const N: usize> Bounded<M, N> {
    fn new(names: [&'static str; N], make: fn() -> M) -> Self {
        Self { names, family: Family::new_with_constructor(make), told_apart: Arc::default() }
    }

    fn of(&self, values: [Label; N]) -> M {
        let mut values = values.into_iter();
        let mut labels = self.names.map(|name| (name, values.next().unwrap_or_default()));
        if let Some(known) = self.family.get(&labels) {
            return known.clone();
        }
        if self.told_apart.fetch_add(1, Ordering::Relaxed) >= MOST_SERIES {
            labels
                .iter_mut()
                .filter(|(name, _)| OPEN.contains(name))
                .for_each(|(_, value)| *value = OTHER.into());
        }
        self.family.get_or_create_owned(&labels)
    }

    fn clear(&self) {
        self.family.clear();
        self.told_apart.store(0, Ordering::Relaxed);
    }
}

/// Numbers that only grow, by labels.
#[derive(Debug, Clone)]
pub struct Counters<const N: usize>(Bounded<Counter<f64, AtomicU64>, N>);

impl<const N: usize> Counters<N> {
    /// One more.
    pub fn count(&self, labels: [Label; N]) {
        self.add(labels, 1.0);
    }

    /// So much more; what is no amount (negative, not a number) adds nothing.
    pub fn add(&self, labels: [Label; N], amount: f64) {
        // Zero makes the series: that nothing happened is worth knowing.
        self.0.of(labels).inc_by(if amount > 0.0 && amount.is_finite() { amount } else { 0.0 });
    }

    /// Up to a count that is kept elsewhere and only grows.
    pub fn follow(&self, labels: [Label; N], count: f64) {
        let counter = self.0.of(labels);
        counter.inc_by((count - counter.get()).max(0.0));
    }
}

/// Numbers as they are now, by labels.
#[derive(Debug, Clone)]
pub struct Gauges<const N: usize>(Bounded<Gauge<f64, AtomicU64>, N>);

impl<const N: usize> Gauges<N> {
    /// It is this now.
    pub fn set(&self, labels: [Label; N], value: f64) {
        self.0.of(labels).set(value);
    }

    /// It is so much more, or less.
    pub fn change(&self, labels: [Label; N], by: f64) {
        self.0.of(labels).inc_by(by);
    }

    /// Forgets all of them: those that are still there are set again.
    pub fn clear(&self) {
        self.0.clear();
    }
}

/// Distributions, by labels.
#[derive(Debug, Clone)]
pub struct Histograms<const N: usize>(Bounded<Histogram, N>);

impl<const N: usize> Histograms<N> {
    /// One more value.
    pub fn observe(&self, labels: [Label; N], value: f64) {
        self.0.of(labels).observe(value);
    }
}

/// How long what a histogram measures usually takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// A whole request: 2 ms to a minute.
    Whole,
    /// A stage of it: 0.2 ms to 10 s.
    Stage,
    /// A decision: a microsecond to 0.1 s.
    Brief,
}

/// Declares the metrics of one service.
pub(super) struct Declaring<'a> {
    pub metrics: &'a Metrics,
    /// What names begin with.
    pub prefix: &'static str,
}

impl Declaring<'_> {
    pub fn counters<const N: usize>(
        &self,
        what: &str,
        unit: Unit,
        labels: [&'static str; N],
        help: &'static str,
    ) -> Counters<N> {
        let description = self.describe(("counter", what, unit), "_total", &labels, help);
        self.metrics.declare(description, |registry, name| {
            let counters = Counters(Bounded::new(labels, Counter::default));
            name.register(registry, counters.0.family.clone());
            counters
        })
    }

    pub fn gauges<const N: usize>(
        &self,
        what: &str,
        unit: Unit,
        labels: [&'static str; N],
        help: &'static str,
    ) -> Gauges<N> {
        let description = self.describe(("gauge", what, unit), "", &labels, help);
        self.metrics.declare(description, |registry, name| {
            let gauges = Gauges(Bounded::new(labels, Gauge::default));
            name.register(registry, gauges.0.family.clone());
            gauges
        })
    }

    /// A distribution of times.
    pub fn times<const N: usize>(
        &self,
        what: &str,
        span: Span,
        labels: [&'static str; N],
        help: &'static str,
    ) -> Histograms<N> {
        let description = self.describe(("histogram", what, Unit::Seconds), "", &labels, help);
        let make: fn() -> Histogram = match span {
            Span::Whole => || Histogram::new(WHOLE),
            Span::Stage => || Histogram::new(STAGE),
            Span::Brief => || Histogram::new(BRIEF),
        };
        self.metrics.declare(description, |registry, name| {
            let histograms = Histograms(Bounded::new(labels, make));
            name.register(registry, histograms.0.family.clone());
            histograms
        })
    }

    fn describe(
        &self,
        (kind, what, unit): (&'static str, &str, Unit),
        end: &str,
        labels: &[&'static str],
        help: &'static str,
    ) -> Description {
        let parts = [self.prefix, what, unit.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let name = parts.join("_") + end;
        Description { name, kind, unit, labels: labels.to_vec(), help }
    }
}
