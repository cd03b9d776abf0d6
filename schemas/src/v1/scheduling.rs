//! What schedulers are told while they run, and what they say of themselves.

use serde::{Deserialize, Serialize};

use crate::ids::{FrontId, InstanceId, ModelName};
use crate::units::{KiloHertz, Millis, UnixMillis};
use crate::v1::metrics::Sample;
use crate::v1::plan::PolicyName;

/// Which policies decide: bucket `splinter-settings`, entry `policy`. Every scheduler follows it at once; without an entry
/// each goes by its own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChoice {
    /// The policy for requests that name none.
    pub policy: PolicyName,
    /// A second policy that is asked beside it and changes nothing; `None` asks none.
    #[serde(default)]
    pub shadow: Option<PolicyName>,
}

/// `splinter.v1.metrics.scheduler.<instance>`, each second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SchedulerReport {
    /// The scheduler.
    pub scheduler: InstanceId,
    /// What it goes by now.
    pub choice: PolicyChoice,
    /// What the shadow was told by the same requests; `None` without one.
    #[serde(default)]
    pub regret: Option<Regret>,
    /// The edge machines that it decided for, sorted by their executors; at most 64.
    pub edges: Vec<EdgeOutlook>,
    /// Its metrics, as in a [`MetricsSnapshot`](crate::MetricsSnapshot).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// When it said so.
    pub at: UnixMillis,
}

/// What a scheduler takes to be true of one edge machine under one front.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdgeOutlook {
    /// The edge executor.
    pub edge: InstanceId,
    /// The network.
    pub model: ModelName,
    /// The front it decides by.
    pub front: FrontId,
    /// What a message to the cloud and back takes besides its bytes.
    pub link_base_ms: Millis,
    /// The link's throughput in megabits a second; `None` where bytes take no time that could be told.
    #[serde(default)]
    pub link_mbit: Option<f64>,
    /// How old the last transfer is; `None` before the first: then the link is as when the front was measured.
    #[serde(default)]
    pub link_age_ms: Option<Millis>,
    /// The clock that the edge's processor is set to; `None` when it is not known.
    #[serde(default)]
    pub clock_khz: Option<KiloHertz>,
}

/// How the policy that decides compares with one that is only asked: counts and sums since the pair was chosen.
///
/// Both choices are judged by the same forecast of what is true now, so that the difference is the choice's and not that of two
/// ways to predict. Positive sums mean that the shadow would have been better.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Regret {
    /// Requests that both were asked for.
    pub asked: u64,
    /// Of those, where both chose the same configuration and executor.
    pub agreed: u64,
    /// Refused by the policy that decides.
    pub refused: u64,
    /// Refused by the shadow.
    pub shadow_refused: u64,
    /// Decided by both; the sums below are over these.
    pub compared: u64,
    /// Predicted to be within the limit.
    pub within: u64,
    /// Predicted to be within the limit by the shadow's choice.
    pub shadow_within: u64,
    /// Predicted latency, at the quantile that decisions compare, minus that of the shadow's choice, in ms.
    pub latency_ms: f64,
    /// Of those compared, where the energy of both choices is known.
    pub energy_compared: u64,
    /// Predicted energy minus that of the shadow's choice, in J.
    pub energy_j: f64,
    /// What came out, from the receipts of those compared.
    pub came_out: CameOut,
}

/// What came out of the requests that two policies were asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CameOut {
    /// Receipts.
    pub receipts: u64,
    /// Really within the limit.
    pub within: u64,
    /// The shadow's choice had been predicted to be.
    pub shadow_within: u64,
    /// Real latency minus the one predicted for the shadow's choice, in ms. A prediction is a quantile: it lies above
    /// most of what it is compared with.
    pub latency_ms: f64,
    /// Receipts with an energy, where that of the shadow's choice is known too.
    pub energy_receipts: u64,
    /// Real energy minus the one predicted for the shadow's choice, in J.
    pub energy_j: f64,
}
