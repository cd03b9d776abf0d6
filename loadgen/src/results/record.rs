//! What became of one request.

use schemas::{
    Accelerator, ByteCount, Configuration, EnergyEntry, EnergySource, Fallback, FaultKind, FrontId, Joules,
    LinkState, Millis, ModelName, Place, PlanReason, PolicyName, RequestId, Share, Stage, StageTime,
    TimeSource, UnixMillis,
};
use serde::{Deserialize, Serialize};

use crate::recording::Side;
use crate::trace::Tenant;

/// Where a time or a number of joules comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Measured as it is: a clock around the real work, a meter for just this work.
    Measured,
    /// A share of what a meter read for more than this work.
    Attributed,
    /// Time × the power that a declared model of the machine gives.
    Modelled,
    /// Stretched to the time of an emulated device or link, or that time × the published power of that device.
    Emulated,
    /// Drawn from recorded runs, or computed from a measured front, in virtual time.
    Simulated,
}

impl From<EnergySource> for Origin {
    fn from(source: EnergySource) -> Self {
        match source {
            EnergySource::Measured => Self::Measured,
            EnergySource::Attributed => Self::Attributed,
            EnergySource::Modelled => Self::Modelled,
            EnergySource::Emulated => Self::Emulated,
        }
    }
}

impl From<TimeSource> for Origin {
    fn from(source: TimeSource) -> Self {
        match source {
            TimeSource::Measured => Self::Measured,
            TimeSource::Emulated => Self::Emulated,
        }
    }
}

/// Which requests belong together: everything that two requests of a run have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunKey {
    /// The run's number, from 0, in the order in which runs were started.
    pub run: u32,
    /// The how-manieth time that the trace was sent under this policy, from 0.
    pub round: u32,
    /// Which part of the trace, from 0. A replay has one block.
    pub block: u32,
    /// The policy that was asked for.
    pub policy: PolicyName,
    /// The trace's name.
    pub trace: String,
    /// The link's name; `None` where it was left as it was.
    #[serde(default)]
    pub link: Option<String>,
}

/// `records.jsonl`, one line: what became of one request. Times in ms, energies in J.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The run that it belongs to.
    #[serde(flatten)]
    pub key: RunKey,
    /// The network that was asked.
    pub model: ModelName,
    /// The request's place in the trace, from 0: its line below the header.
    pub request: u64,
    /// The trace's query that it belongs to; requests of one query were due together.
    pub query: u64,
    /// Who sent it, where the trace says so.
    #[serde(default)]
    pub tenant: Option<Tenant>,
    /// Whether it only warmed the system up and counts in no figure. Left out when it counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warm_up: bool,
    /// When it was due, counted from the run's begin. In a closed loop: when the query before it had ended.
    pub scheduled_ms: Millis,
    /// When it was really sent, counted alike; later than `scheduled_ms` by what this program was behind, or by the wait for a place
    /// among the requests in flight.
    pub sent_ms: Millis,
    /// When it was sent, by this machine's clock; virtual time from the Unix epoch with the simulator.
    pub at: UnixMillis,
    /// Its latency limit.
    pub limit_ms: Millis,
    /// From `scheduled_ms` to the outcome: what it is judged by. A system that is too slow to take requests cannot hide it.
    pub latency_ms: Millis,
    /// From `sent_ms` to the outcome.
    pub service_ms: Millis,
    /// How it ended.
    pub outcome: Ending,
    /// The answer; `None` where it ended with an error.
    #[serde(default)]
    pub answer: Option<Answer>,
}

/// How a request ended, by `latency_ms`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ending {
    /// With an answer within its limit.
    Within,
    /// With an answer after its limit.
    Late,
    /// With an error.
    Failed {
        /// What went wrong, for programs.
        fault: FaultKind,
        /// What went wrong, for people.
        message: String,
    },
}

/// An answer. Fields that are missing are not known; none of them is ever zero for that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The request's id on the wire, to find it in receipts and logs; `None` with the simulator.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The latency that the gateway measured, from its receipt of the request on; `None` with the simulator.
    #[serde(default)]
    pub gateway_ms: Option<Millis>,
    /// What really ran.
    pub configuration: Configuration,
    /// What computed the head, in the words of a recorded pool (`edge accelerator std`); `None` where
    /// [`Configuration::edge_accelerator`] says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_accelerator: Option<String>,
    /// The same of the tail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_accelerator: Option<String>,
    /// Where it ran; `None` where the network's last cut is not known.
    #[serde(default)]
    pub side: Option<Side>,
    /// Why something else ran than was planned.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// Why the policy chose so.
    #[serde(default)]
    pub reason: Option<PlanReason>,
    /// The front that it was chosen from; `None` where there was none yet.
    #[serde(default)]
    pub front: Option<FrontUsed>,
    /// The best class's name; `None` with the simulator.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether the best class is the picture's; `None` where the picture has no label, and with the simulator.
    #[serde(default)]
    pub correct: Option<bool>,
    /// The share of right answers that the front or the pool says of the configuration.
    #[serde(default)]
    pub accuracy: Option<Share>,
    /// Bytes sent to the cloud; only receipts and the simulator know it.
    #[serde(default)]
    pub sent_bytes: Option<ByteCount>,
    /// Where the time went. May be empty; need not add up to the latency, which has the wire to this program in it.
    #[serde(default)]
    pub stages: Vec<TimedStage>,
    /// Where the energy went, by place; empty where nothing measures or models it. One place may be there several times, with
    /// different origins; a place that is not there is not known.
    #[serde(default)]
    pub energy: Vec<PlacedEnergy>,
}

/// The front that a policy decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontUsed {
    /// Which; the manifest names its file.
    pub id: FrontId,
    /// Its revision; `None` where the front itself was not seen.
    #[serde(default)]
    pub revision: Option<u64>,
}

/// The time of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimedStage {
    /// The stage.
    pub stage: Stage,
    /// Where it ran.
    pub place: Place,
    /// How long it took.
    pub time_ms: Millis,
    /// Measured, emulated or simulated.
    pub origin: Origin,
}

impl From<&StageTime> for TimedStage {
    fn from(stage: &StageTime) -> Self {
        let StageTime { stage, place, time_ms, source } = *stage;
        Self { stage, place, time_ms, origin: source.into() }
    }
}

/// Joules at one place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlacedEnergy {
    /// Where they were spent.
    pub place: Place,
    /// How many.
    pub joules: Joules,
    /// Where the number comes from.
    pub origin: Origin,
}

impl From<&EnergyEntry> for PlacedEnergy {
    fn from(entry: &EnergyEntry) -> Self {
        let EnergyEntry { place, source, joules } = *entry;
        Self { place, joules, origin: source.into() }
    }
}

/// `links.jsonl`, one line: from here on the link was like this. At the end of a run a link that was emulated goes back to that of the
/// settings of its edge executor, which is not written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkChange {
    /// The run that was going on.
    pub run: u32,
    /// When, counted from the run's begin as the records are.
    pub at_ms: Millis,
    /// The link's name.
    pub link: String,
    /// What it was set to.
    pub state: LinkState,
    /// [`Origin::Emulated`] or [`Origin::Simulated`].
    pub origin: Origin,
}

impl Record {
    /// Whether it was answered, in time or not.
    pub fn is_answered(&self) -> bool {
        self.answer.is_some()
    }

    /// Whether it was answered within its limit.
    pub fn is_within(&self) -> bool {
        self.outcome == Ending::Within
    }
}

impl Answer {
    /// All joules; `None` when nothing is known.
    pub fn joules(&self) -> Option<Joules> {
        (!self.energy.is_empty()).then(|| self.energy.iter().map(|entry| entry.joules).sum())
    }

    /// The joules at one place; `None` when nothing is known of it.
    pub fn joules_at(&self, place: Place) -> Option<Joules> {
        let mut there = self.energy.iter().filter(|entry| entry.place == place).peekable();
        there.peek()?;
        Some(there.map(|entry| entry.joules).sum())
    }

    /// What computed the head, by name.
    pub fn edge_accelerator_name(&self) -> &str {
        named(self.edge_accelerator.as_deref(), self.configuration.edge_accelerator)
    }

    /// What computed the tail, by name.
    pub fn cloud_accelerator_name(&self) -> &str {
        named(self.cloud_accelerator.as_deref(), self.configuration.cloud_accelerator)
    }
}

fn named(recorded: Option<&str>, accelerator: Accelerator) -> &str {
    recorded.unwrap_or(accelerator.as_str())
}
