//! Campaign files.
//!
//! `loadgen evaluate --example` prints one with every setting explained.

use std::fmt::Display;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemas::{ModelName, NodeId, PolicyName};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::LoadgenError;
use crate::link::process::LinkProcess;
use crate::problem::Problem;
use crate::results::Driven;
use crate::trace::arrivals::Arrivals;
use crate::trace::limits::Limits;
use crate::trace::recipe::MOST_REQUESTS;

/// The name of a trace or link: one token, since files are named after it.
pub type Name = ModelName;

/// A campaign that was read and checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// What everything random is drawn from.
    #[serde(default = "one")]
    pub seed: u64,
    /// How many times each trace is sent under each policy; with the simulator each round draws anew.
    #[serde(default = "one_round")]
    pub rounds: NonZeroU32,
    /// Requests of a block: so many are sent under one policy before the next one's turn comes. Blocks are also what confidence
    /// intervals are taken over.
    #[serde(default = "fifty")]
    pub block_requests: NonZeroUsize,
    /// The policies; differences are taken against the first.
    #[serde(default = "all_policies")]
    pub policies: Vec<PolicyName>,
    /// The networks; each trace is sent to each.
    pub models: Vec<ModelEntry>,
    /// The traces.
    pub traces: Vec<TraceEntry>,
    /// The links; without any, the link is left as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkEntry>,
    /// How a live system is driven.
    #[serde(default)]
    pub live: LiveSettings,
    /// What is simulated.
    #[serde(default)]
    pub simulator: SimulatorSettings,
}

/// A network. Paths are relative to the campaign file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// The name under which it is served.
    pub name: ModelName,
    /// Live: the folder of its pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<PathBuf>,
    /// Simulator: a recorded pool; requests take what one of its runs took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PathBuf>,
    /// Simulator: a front in JSON instead; requests take the measured means with the measured spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front: Option<PathBuf>,
}

/// A trace: a file, or drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceEntry {
    /// Its name in the results.
    pub name: Name,
    /// A trace file, relative to the campaign file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Drawn: how many requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Drawn: when they arrive; one after the other unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_text")]
    pub arrivals: Option<Arrivals>,
    /// Drawn: their latency limits.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_text")]
    pub limits: Option<Limits>,
}

/// A link: a file, or drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkEntry {
    /// Its name in the results.
    pub name: Name,
    /// A link trace, relative to the campaign file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Drawn: how it changes.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_text")]
    pub process: Option<LinkProcess>,
    /// Drawn: for how long a Markov process goes on; 600 s unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
}

/// How a live system is driven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveSettings {
    /// Requests that wait for their answer at once.
    pub in_flight: NonZeroUsize,
    /// In a closed loop: queries at once.
    pub clients: NonZeroUsize,
    /// Requests sent before each run that count in no figure: they let the policy set the hardware.
    pub warm_up_requests: usize,
    /// The machine whose emulated link is changed; needed where there are several edges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<NodeId>,
}

impl Default for LiveSettings {
    fn default() -> Self {
        let thousand = NonZeroUsize::MIN.saturating_add(999);
        Self { in_flight: thousand, clients: NonZeroUsize::MIN, warm_up_requests: 2, edge: None }
    }
}

/// One edge and its cloud executors in virtual time; see `docs/simulation.md`, system mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulatorSettings {
    /// Requests that the edge holds at most; the next one is turned away.
    pub edge_queue: u32,
    /// What changing the clock takes, ms.
    pub clock_change_ms: f64,
    /// What changing the accelerator takes, ms.
    pub accelerator_change_ms: f64,
    /// Cloud executors.
    pub clouds: u32,
    /// Tails that wait at an executor at most.
    pub cloud_queue: u32,
    /// Tails of one cut that are computed together at most.
    pub batch: u32,
    /// How long the first tail of a batch waits for others, ms.
    pub batch_wait_ms: f64,
    /// What each further tail of a batch adds, as a share of the time of one alone.
    pub batch_cost: f64,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            edge_queue: 1_000,
            clock_change_ms: 5.0,
            accelerator_change_ms: 1_500.0,
            clouds: 1,
            cloud_queue: 64,
            batch: 1,
            batch_wait_ms: 0.0,
            batch_cost: 0.3,
        }
    }
}

const fn one() -> u64 {
    1
}
const fn one_round() -> NonZeroU32 {
    NonZeroU32::MIN
}
const fn fifty() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(49)
}
fn all_policies() -> Vec<PolicyName> {
    PolicyName::ALL.to_vec()
}

/// What one campaign may ask for: more rounds, and it is a mistake.
const MOST_ROUNDS: u32 = 10_000;

impl Campaign {
    /// Reads and checks a campaign file, and makes its paths relative to where it stands.
    ///
    /// # Errors
    /// A file that cannot be read, or says what cannot be done; the message names line and column, or the key.
    pub fn read(path: &Path, driven: Driven) -> Result<Self, LoadgenError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LoadgenError::Unreadable { path: path.to_owned(), source })?;
        let refused = |problem| LoadgenError::Campaign { path: path.to_owned(), problem };
        let mut campaign = Self::parse(&text).map_err(refused)?;
        campaign.check(driven).map_err(Problem::from).map_err(refused)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let own = campaign.models.iter_mut();
        let paths = own.flat_map(|model| [&mut model.images, &mut model.pool, &mut model.front]);
        let paths = paths.chain(campaign.traces.iter_mut().map(|trace| &mut trace.file));
        let paths = paths.chain(campaign.links.iter_mut().map(|link| &mut link.file));
        for file in paths.flatten() {
            *file = folder.join(&*file);
        }
        Ok(campaign)
    }

    /// Reads the text of a campaign.
    ///
    /// # Errors
    /// In words, with line and column.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        toml::from_str(text).map_err(|error| Problem::of_toml(text, &error))
    }

    /// Whether it can be done on a live system or in the simulator.
    ///
    /// # Errors
    /// The key, and what is wrong with it.
    pub fn check(&self, driven: Driven) -> Result<(), String> {
        if self.rounds.get() > MOST_ROUNDS {
            return Err(format!("rounds is {}: use 1 to {MOST_ROUNDS}", self.rounds));
        }
        different("policies", self.policies.iter())?;
        different("models", self.models.iter().map(|model| &model.name))?;
        different("traces", self.traces.iter().map(|trace| &trace.name))?;
        if !self.links.is_empty() {
            different("links", self.links.iter().map(|link| &link.name))?;
        }
        if self.policies.contains(&PolicyName::Oracle) {
            return Err(
                "policy oracle knows every outcome beforehand: only `loadgen simulate pool` has it".into()
            );
        }
        self.models.iter().try_for_each(|model| model.check(driven))?;
        self.traces.iter().try_for_each(TraceEntry::check)?;
        self.links.iter().try_for_each(LinkEntry::check)?;
        self.simulator.check()
    }
}

impl ModelEntry {
    fn check(&self, driven: Driven) -> Result<(), String> {
        let name = &self.name;
        match driven {
            Driven::Live if self.images.is_none() => {
                Err(format!("models.{name} has no images, which a live system needs"))
            }
            Driven::Simulator if self.pool.is_some() == self.front.is_some() => {
                Err(format!("models.{name} needs a pool or a front for the simulator, and not both"))
            }
            _ => Ok(()),
        }
    }
}

impl TraceEntry {
    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        let drawn = self.requests.is_some() || self.arrivals.is_some() || self.limits.is_some();
        match (&self.file, drawn) {
            (Some(_), true) => {
                Err(format!("traces.{name} has a file, so nothing of it is drawn: leave the rest out"))
            }
            (Some(_), false) => Ok(()),
            (None, _) if self.requests.is_none() || self.limits.is_none() => {
                Err(format!("traces.{name} needs a file, or requests and limits"))
            }
            (None, _) if matches!(self.arrivals, Some(Arrivals::Recorded { .. })) => {
                Err(format!("traces.{name}: name the recorded trace as its file"))
            }
            (None, _) => match self.requests {
                Some(requests) if !(1..=MOST_REQUESTS).contains(&requests) => {
                    Err(format!("traces.{name}.requests is {requests}: use 1 to {MOST_REQUESTS}"))
                }
                _ => Ok(()),
            },
        }
    }
}

impl LinkEntry {
    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        if self.file.is_some() == self.process.is_some() {
            return Err(format!("links.{name} needs a file or a process, and not both"));
        }
        match self.duration_s {
            Some(seconds) if !(0.001..=3.2e7).contains(&seconds) => {
                Err(format!("links.{name}.duration_s is {seconds}: use 0.001 to 3.2e7"))
            }
            _ => Ok(()),
        }
    }
}

impl SimulatorSettings {
    /// A month in ms: longer times are in another unit.
    const LONGEST_MS: f64 = 30.0 * 24.0 * 3_600.0 * 1e3;

    fn check(&self) -> Result<(), String> {
        let longest = Self::LONGEST_MS;
        let rows = [
            ("edge_queue", f64::from(self.edge_queue), 1.0, 1e6),
            ("clock_change_ms", self.clock_change_ms, 0.0, longest),
            ("accelerator_change_ms", self.accelerator_change_ms, 0.0, longest),
            ("clouds", f64::from(self.clouds), 0.0, 10_000.0),
            ("cloud_queue", f64::from(self.cloud_queue), 1.0, 1e6),
            ("batch", f64::from(self.batch), 1.0, 4_096.0),
            ("batch_wait_ms", self.batch_wait_ms, 0.0, longest),
            ("batch_cost", self.batch_cost, 0.0, 1.0),
        ];
        match rows.into_iter().find(|(_, value, least, greatest)| !(least..=greatest).contains(&value)) {
            Some((key, value, least, greatest)) => {
                Err(format!("simulator.{key} is {value}: use {least} to {greatest}"))
            }
            None => Ok(()),
        }
    }
}

fn different<T: PartialEq + Display>(key: &str, names: impl Iterator<Item = T>) -> Result<(), String> {
    let mut seen: Vec<T> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            return Err(format!("{key}: {name} is there twice"));
        }
        seen.push(name);
    }
    if seen.is_empty() { Err(format!("{key} is empty: name at least one")) } else { Ok(()) }
}

/// A process that is written as text, and may be missing.
mod optional_text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Some).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
