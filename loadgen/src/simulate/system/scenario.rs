//! Scenarios: what is simulated, as a person declares it.
//!
//! ```toml
//! seed = 1
//! requests = 100000            # of all edges together, in each run
//! runs = 5                     # with seeds seed, seed + 1, …: figures carry 95 % confidence intervals
//! policies = ["adaptive", "dynasplit", "cloud", "edge"]
//!
//! [network]
//! name = "vgg16"
//! pool = "simulation_pool_vgg16.csv"     # beside this file; or front = "front.json"
//!
//! [[edges]]
//! count = 100
//! arrivals = "poisson:0.5"               # of each edge; as in `loadgen trace requests --arrivals`
//! limits = "weibull:90..5000"            # as in `loadgen trace requests --limits`
//! link = "markov:590/2.3,20/40;stay_s=30" # as in `loadgen trace link`; without it, transfers take what was recorded
//!
//! [[clouds]]
//! count = 10
//! batch = 8
//! failures = { up_s = 3600, down_s = 30 }
//! ```

use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemas::PolicyName;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::LoadgenError;
use crate::link::process::LinkProcess;
use crate::problem::Problem;
use crate::trace::arrivals::Arrivals;
use crate::trace::limits::Limits;

/// A scenario that was read and checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Of the first run; the others follow.
    #[serde(default = "one")]
    pub seed: u64,
    /// Requests of each run.
    pub requests: u64,
    /// Runs of each policy.
    #[serde(default = "five")]
    pub runs: u32,
    /// The policies that are compared, on the same arrivals.
    #[serde(default = "default_policies")]
    pub policies: Vec<PolicyName>,
    /// The network.
    pub network: Network,
    /// Groups of equal edges.
    pub edges: Vec<EdgeGroup>,
    /// Groups of equal cloud executors.
    #[serde(default)]
    pub clouds: Vec<CloudGroup>,
    /// How presences are seen.
    #[serde(default)]
    pub presence: PresenceSettings,
}

/// Where the stages' times and joules come from: one of the two files, by a path that is relative to the scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// A recorded pool: each request takes what one of the recorded runs took.
    #[serde(default)]
    pub pool: Option<PathBuf>,
    /// A front in JSON, as `splinter front export` writes it: each request takes the measured means, with the measured spread.
    #[serde(default)]
    pub front: Option<PathBuf>,
}

/// Equal edges.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeGroup {
    /// How many.
    #[serde(default = "one_count")]
    pub count: u32,
    /// When requests arrive at each of them.
    #[serde(deserialize_with = "parsed")]
    pub arrivals: Arrivals,
    /// Their latency limits.
    #[serde(deserialize_with = "parsed")]
    pub limits: Limits,
    /// Requests that an edge holds at most, wherever they are; the next one is turned away.
    #[serde(default = "default_edge_queue")]
    pub queue: u32,
    /// Its link to all clouds; without one, transfers take what was recorded.
    #[serde(default, deserialize_with = "parsed_or_none")]
    pub link: Option<LinkProcess>,
    /// What changing the clock takes.
    #[serde(default = "default_clock_change")]
    pub clock_change_ms: f64,
    /// What changing the accelerator or its mode takes.
    #[serde(default = "default_accelerator_change")]
    pub accelerator_change_ms: f64,
    /// When it fails.
    #[serde(default)]
    pub failures: Option<Failures>,
}

/// Equal cloud executors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudGroup {
    /// How many.
    #[serde(default = "one_count")]
    pub count: u32,
    /// Tails that wait at most; the next one is refused, and its edge tries another executor or finishes at home.
    #[serde(default = "default_cloud_queue")]
    pub queue: u32,
    /// Tails of one cut that are computed together at most.
    #[serde(default = "one_count")]
    pub batch: u32,
    /// How long the first tail of a batch waits for others.
    #[serde(default)]
    pub batch_wait_ms: f64,
    /// What each further tail of a batch adds, as a share of the time of one alone. Modelled: pools hold single requests.
    #[serde(default = "default_batch_cost")]
    pub batch_cost: f64,
    /// How much faster it is than the recorded machine.
    #[serde(default = "one_factor")]
    pub speed: f64,
    /// When it fails.
    #[serde(default)]
    pub failures: Option<Failures>,
}

/// A machine that is up and down for exponentially distributed times. What it had in hand when it goes down is lost.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// Mean seconds up.
    pub up_s: f64,
    /// Mean seconds down.
    pub down_s: f64,
}

/// How schedulers see cloud executors.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PresenceSettings {
    /// Between two announcements of an executor, with its credits.
    pub heartbeat_ms: f64,
    /// An executor that is silent for so long is no longer there.
    pub lost_after_ms: f64,
    /// An edge that gets no sign of its tail for so long finishes at home.
    pub patience_ms: f64,
}

impl Default for PresenceSettings {
    fn default() -> Self {
        Self { heartbeat_ms: 1_000.0, lost_after_ms: 3_000.0, patience_ms: 300.0 }
    }
}

const fn one() -> u64 {
    1
}
const fn five() -> u32 {
    5
}
const fn one_count() -> u32 {
    1
}
const fn one_factor() -> f64 {
    1.0
}
const fn default_edge_queue() -> u32 {
    16
}
const fn default_cloud_queue() -> u32 {
    64
}
const fn default_clock_change() -> f64 {
    5.0
}
/// The mode of the paper's accelerator is changed by installing a package and switching its power off and on.
const fn default_accelerator_change() -> f64 {
    1_500.0
}
const fn default_batch_cost() -> f64 {
    0.3
}
fn default_policies() -> Vec<PolicyName> {
    vec![PolicyName::Adaptive, PolicyName::Dynasplit, PolicyName::Cloud, PolicyName::Edge]
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn parsed_or_none<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    parsed(deserializer).map(Some)
}

/// More machines are beyond what one process simulates.
const MOST_MACHINES: u32 = 10_000;
/// Queues are bounded, so that a run's memory is.
const LONGEST_QUEUE: u32 = 1_000_000;
/// A month in ms: longer times are in another unit.
const LONGEST_MS: f64 = 30.0 * 24.0 * 3_600.0 * 1e3;

impl Scenario {
    /// Reads and checks a scenario.
    ///
    /// # Errors
    /// A file that cannot be read, is no TOML of this form, or says what cannot be simulated; the message names line and key.
    pub fn read(path: &Path) -> Result<Self, LoadgenError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LoadgenError::Unreadable { path: path.to_owned(), source })?;
        let mut scenario = Self::parse(&text)
            .map_err(|problem| LoadgenError::Scenario { path: path.to_owned(), problem })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in [&mut scenario.network.pool, &mut scenario.network.front].into_iter().flatten() {
            *file = folder.join(&*file);
        }
        Ok(scenario)
    }

    /// Reads and checks the text of a scenario.
    ///
    /// # Errors
    /// In words: the line and key, and what is wrong.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let scenario: Self = toml::from_str(text).map_err(|error| Problem::of_toml(text, &error))?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), String> {
        let within = |key: &str, value: f64, least: f64, greatest: f64| {
            if (least..=greatest).contains(&value) {
                Ok(())
            } else {
                Err(format!("{key} is {value}: use {least} to {greatest}"))
            }
        };
        within("requests", self.requests as f64, 1.0, 1e12)?;
        within("runs", f64::from(self.runs), 1.0, 1e4)?;
        if self.policies.is_empty() {
            return Err("policies is empty: name at least one".into());
        }
        if self.policies.contains(&PolicyName::Oracle) {
            return Err(
                "policy oracle knows every outcome beforehand, which is possible in pool mode only".into()
            );
        }
        if self.network.pool.is_some() == self.network.front.is_some() {
            return Err("network needs a pool or a front, and not both".into());
        }
        let machines = |counts: Vec<u32>| counts.iter().map(|count| u64::from(*count)).sum::<u64>() as f64;
        let edges = machines(self.edges.iter().map(|group| group.count).collect());
        let clouds = machines(self.clouds.iter().map(|group| group.count).collect());
        within("the number of edges", edges, 1.0, f64::from(MOST_MACHINES))?;
        within("the number of clouds", clouds, 0.0, f64::from(MOST_MACHINES))?;
        for group in &self.edges {
            if matches!(group.arrivals, Arrivals::Recorded { .. }) {
                return Err("arrivals of edges cannot be recorded ones: use a process".into());
            }
            within("edges.queue", f64::from(group.queue), 1.0, f64::from(LONGEST_QUEUE))?;
            within("edges.clock_change_ms", group.clock_change_ms, 0.0, LONGEST_MS)?;
            within("edges.accelerator_change_ms", group.accelerator_change_ms, 0.0, LONGEST_MS)?;
            group.failures.map_or(Ok(()), |failures| failures.check("edges"))?;
        }
        for group in &self.clouds {
            within("clouds.queue", f64::from(group.queue), 1.0, f64::from(LONGEST_QUEUE))?;
            within("clouds.batch", f64::from(group.batch), 1.0, 4096.0)?;
            within("clouds.batch_wait_ms", group.batch_wait_ms, 0.0, LONGEST_MS)?;
            within("clouds.batch_cost", group.batch_cost, 0.0, 1.0)?;
            within("clouds.speed", group.speed, 1e-3, 1e3)?;
            group.failures.map_or(Ok(()), |failures| failures.check("clouds"))?;
        }
        let presence = &self.presence;
        within("presence.heartbeat_ms", presence.heartbeat_ms, 1.0, LONGEST_MS)?;
        within("presence.lost_after_ms", presence.lost_after_ms, 0.0, LONGEST_MS)?;
        within("presence.patience_ms", presence.patience_ms, 0.0, LONGEST_MS)
    }
}

impl Failures {
    fn check(self, whose: &str) -> Result<(), String> {
        for (key, value) in [("up_s", self.up_s), ("down_s", self.down_s)] {
            if !(0.001..=1e9).contains(&value) {
                return Err(format!("{whose}.failures.{key} is {value}: use 0.001 to 1e9 seconds"));
            }
        }
        Ok(())
    }
}

/// A scenario in numbers, for the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Edges.
    pub edges: u32,
    /// Cloud executors.
    pub clouds: u32,
    /// Requests of each run.
    pub requests: u64,
    /// Runs of each policy.
    pub runs: u32,
}

impl Scenario {
    /// How big it is.
    pub fn size(&self) -> Size {
        Size {
            edges: self.edges.iter().map(|group| group.count).sum(),
            clouds: self.clouds.iter().map(|group| group.count).sum(),
            requests: self.requests,
            runs: self.runs,
        }
    }
}
