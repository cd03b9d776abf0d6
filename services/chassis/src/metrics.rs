//! What Prometheus reads of a process.
//!
//! Every metric is declared once, in the modules below: its name, unit, labels and help. That declaration registers it,
//! and makes its row of `docs/metrics.md`. Names are `splinter_<service>_<what>_<unit>[_total]` in base units (seconds,
//! joules, bytes).
//!
//! Labels are bounded: closed sets, or the names of networks, machines and executors. Of these at most [`MOST_SERIES`] are
//! told apart in one metric, all further ones are `other`. A request's id is never a label.

mod cloud_executor;
mod common;
mod edge_executor;
mod family;
mod gateway;
mod optimizer;
mod process;
mod scheduler;
mod stages;
mod tuner;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::text;
use prometheus_client::registry::{Registry, Unit as NamedUnit};
use schemas::{Sample, ServiceKind};

pub use cloud_executor::CloudExecutorMetrics;
pub use common::CommonMetrics;
pub use edge_executor::EdgeExecutorMetrics;
pub use family::{Counters, Gauges, Histograms, Label, MOST_SERIES};
pub use gateway::GatewayMetrics;
pub use optimizer::OptimizerMetrics;
pub use scheduler::{FrontLabels, SchedulerMetrics};
pub use stages::StageMetrics;
pub use tuner::TunerMetrics;

/// The content type of [`Metrics::render`].
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Samples of one snapshot at most: some tens of kilobytes.
const GREATEST_SNAPSHOT: usize = 1_000;

/// The unit that a metric's name ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A count, or a state; the name says of what.
    None,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Joules.
    Joules,
    /// Watts.
    Watts,
    /// Hertz.
    Hertz,
    /// From 0 to 1.
    Ratio,
}

impl Unit {
    /// As it ends a name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes_per_second",
            Self::Joules => "joules",
            Self::Watts => "watts",
            Self::Hertz => "hertz",
            Self::Ratio => "ratio",
        }
    }

    fn named(self) -> Option<NamedUnit> {
        (self != Self::None).then(|| NamedUnit::Other(self.as_str().to_owned()))
    }
}

/// What a metric is, for the documentation and for checks of what dashboards ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name, as queries write it (a histogram's without `_bucket`, `_sum`, `_count`).
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Its labels.
    pub labels: Vec<&'static str>,
    /// What it says.
    pub help: &'static str,
}

/// The metrics of one process. Clones share them.
///
/// A process has one, whichever services run in it: their metrics differ by name, and those that all have by the label
/// `service`. Two services of one kind must not share it, as their numbers would add up.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    declared: Mutex<Declared>,
    readings: Mutex<Vec<Reading>>,
}

#[derive(Default)]
struct Declared {
    registry: Registry,
    metrics: BTreeMap<String, (Description, Box<dyn Any + Send>)>,
}

/// Brings some metrics up to date before they are read; `false` when what they were read from is gone.
type Reading = Box<dyn Fn() -> bool + Send>;

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// A lock that a panicking holder poisoned still guards consistent data: numbers that were counted.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// The metrics of every service, declared and empty: what there can be.
    pub fn every_service() -> Self {
        let metrics = Self::default();
        CommonMetrics::new(&metrics);
        process::declare(&metrics);
        GatewayMetrics::new(&metrics);
        SchedulerMetrics::new(&metrics);
        EdgeExecutorMetrics::new(&metrics);
        CloudExecutorMetrics::new(&metrics);
        TunerMetrics::new(&metrics);
        OptimizerMetrics::new(&metrics);
        metrics
    }

    /// Counts the memory and processor time of this process from now on.
    pub fn watch_process(&self) {
        process::watch(self);
    }

    /// What is declared, by name.
    pub fn descriptions(&self) -> Vec<Description> {
        lock(&self.inner.declared).metrics.values().map(|(description, _)| description.clone()).collect()
    }

    /// Has metrics read from a source whenever somebody asks, as long as the source is there.
    pub fn read_from<T: Send + Sync + 'static>(&self, source: &Arc<T>, read: impl Fn(&T) + Send + 'static) {
        let source = Arc::downgrade(source);
        let reading = move || match source.upgrade() {
            Some(source) => {
                read(&source);
                true
            }
            None => false,
        };
        lock(&self.inner.readings).push(Box::new(reading));
    }

    fn read_always(&self, read: impl Fn() + Send + 'static) {
        lock(&self.inner.readings).push(Box::new(move || {
            read();
            true
        }));
    }

    /// The text that Prometheus reads (OpenMetrics).
    pub fn render(&self) -> String {
        // Held until all is written: what another reader clears and sets anew would be missing.
        let mut readings = lock(&self.inner.readings);
        readings.retain(|reading| reading());
        let mut page = String::new();
        // Writing to a string does not fail.
        let _always_ok = text::encode(&mut page, &lock(&self.inner.declared).registry);
        page
    }

    /// The same numbers as samples: those of one service in this process, without the buckets of histograms.
    pub fn samples(&self, service: ServiceKind) -> Vec<Sample> {
        let own = format!("splinter_{}_", prefix(service));
        let labelled = format!("service=\"{service}\"");
        let is_own = |series: &str| {
            series.starts_with(&own)
                || (series.starts_with("splinter_service_") && series.contains(&labelled))
        };
        let page = self.render();
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.filter_map(|line| line.rsplit_once(' ')).filter(|(series, _)| {
            let name = series.split('{').next().unwrap_or_default();
            is_own(series) && !name.ends_with("_bucket")
        });
        let sample = |(series, value): (&str, &str)| {
            Some(Sample { series: series.to_owned(), value: value.parse().ok()? })
        };
        samples.filter_map(sample).take(GREATEST_SNAPSHOT).collect()
    }

    /// A metric of that description: the one that is declared already, or what `make` makes.
    fn declare<M>(&self, description: Description, make: impl FnOnce(&mut Registry, Name) -> M) -> M
    where
        M: Clone + Send + 'static,
    {
        let mut declared = lock(&self.inner.declared);
        let known = declared.metrics.get(&description.name);
        if let Some(metric) = known.and_then(|(_, metric)| metric.downcast_ref::<M>()) {
            return metric.clone();
        }
        let name = Name::of(&description);
        let metric = make(&mut declared.registry, name);
        declared.metrics.insert(description.name.clone(), (description, Box::new(metric.clone())));
        metric
    }
}

/// A name as the registry wants it: unit and `_total` apart.
struct Name {
    stem: String,
    unit: Option<NamedUnit>,
    help: &'static str,
}

impl Name {
    fn of(description: &Description) -> Self {
        let name = description.name.strip_suffix("_total").unwrap_or(&description.name);
        let stem = name.strip_suffix(description.unit.as_str()).unwrap_or(name).trim_end_matches('_');
        Self { stem: stem.to_owned(), unit: description.unit.named(), help: description.help }
    }

    fn register(self, registry: &mut Registry, metric: impl prometheus_client::registry::Metric) {
        match self.unit {
            Some(unit) => registry.register_with_unit(self.stem, self.help, unit, metric),
            None => registry.register(self.stem, self.help, metric),
        }
    }
}

/// A service's word in names.
fn prefix(service: ServiceKind) -> String {
    service.as_str().replace('-', "_")
}

#[cfg(test)]
mod tests;
