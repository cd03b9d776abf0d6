//! What `GET /v1/events` says: the data of each event, as JSON. `docs/page.md` is the contract for its readers.

use schemas::{
    Cut, EdgeOutlook, EnergySource, Fallback, FaultKind, Front, FrontId, InstanceId, KiloHertz, Measurement,
    Millis, ModelName, NodeId, Outcome, Place, PlanReason, PolicyChoice, PolicyName, Presence, Receipt,
    RequestId, ServiceKind, ServiceState, UnixMillis,
};
use serde::Serialize;
use watch::Counts;

/// Marks of one front that are told at most: fronts have some ten points, and a chart of more is a cloud.
const GREATEST_MARKS: usize = 256;
/// Characters of a text that others wrote, at most.
const LONGEST_TEXT: usize = 96;

/// Joules at one place from one source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spent {
    /// Where.
    pub place: Place,
    /// Where the number comes from.
    pub source: EnergySource,
    /// How many.
    pub joules: f64,
}

/// The last minute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Minute {
    /// The time that it spans: less than 60 while less is known.
    pub seconds: f64,
    /// How its requests ended.
    pub counts: Counts,
    /// Median latency of those with a result; `null` without one.
    pub p50_ms: Option<Millis>,
    /// 95th percentile, by nearest rank.
    pub p95_ms: Option<Millis>,
    /// Requests that said any joules.
    pub priced: u64,
    /// Their joules.
    pub joules: Vec<Spent>,
}

/// An instance of a service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Instance {
    /// What it is.
    pub service: ServiceKind,
    /// Which one.
    pub instance: InstanceId,
    /// Its machine.
    pub node: NodeId,
    /// Its software version.
    pub version: String,
    /// Where it is in its life.
    pub state: ServiceState,
    /// Requests that it would take now.
    pub credits: u32,
    /// Requests that it takes at most at once.
    pub capacity: u32,
    /// The networks that it serves.
    pub models: Vec<ModelName>,
    /// When it said so.
    pub at: UnixMillis,
}

impl From<&Presence> for Instance {
    fn from(presence: &Presence) -> Self {
        Self {
            service: presence.service,
            instance: presence.instance.clone(),
            node: presence.node.clone(),
            version: short(&presence.version),
            state: presence.state,
            credits: presence.credits,
            capacity: presence.capacity,
            models: presence.models.iter().take(32).map(|served| served.name.clone()).collect(),
            at: presence.at,
        }
    }
}

/// What a scheduler takes to be true of the link of one edge executor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Link {
    /// The edge executor.
    pub edge: InstanceId,
    /// The network.
    pub model: ModelName,
    /// What a message to the cloud and back takes besides its bytes.
    pub round_trip_ms: Millis,
    /// Megabits a second; `null` where bytes take no time that could be told.
    pub mbit: Option<f64>,
    /// How old the last transfer is; `null` before the first.
    pub age_ms: Option<Millis>,
    /// The clock of the edge's processor; `null` when it is not known.
    pub clock_khz: Option<KiloHertz>,
}

impl From<&EdgeOutlook> for Link {
    fn from(outlook: &EdgeOutlook) -> Self {
        Self {
            edge: outlook.edge.clone(),
            model: outlook.model.clone(),
            round_trip_ms: outlook.link_base_ms,
            mbit: outlook.link_mbit.filter(|mbit| mbit.is_finite()),
            age_ms: outlook.link_age_ms,
            clock_khz: outlook.clock_khz,
        }
    }
}

/// Event `state`: everything but single requests and fronts. Each second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// Now, by the gateway's clock.
    pub at: UnixMillis,
    /// When the gateway began to listen: totals are since then.
    pub since: UnixMillis,
    /// Whether the broker is reachable.
    pub connected: bool,
    /// How requests ended since then.
    pub total: Counts,
    /// Joules since then.
    pub total_joules: Vec<Spent>,
    /// The last minute.
    pub minute: Minute,
    /// `[within, late, failed]` of each of the last seconds, the oldest first.
    pub seconds: Vec<[u32; 3]>,
    /// Who is there, by service and name.
    pub instances: Vec<Instance>,
    /// Instances that are not among them, as there are too many.
    pub more_instances: usize,
    /// The links.
    pub links: Vec<Link>,
    /// What a scheduler goes by; `null` when none says anything.
    pub policy: Option<PolicyChoice>,
}

/// One request that ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ended {
    /// The how-manieth since the gateway began to listen, from 1.
    pub number: u64,
    /// The request.
    pub id: RequestId,
    /// When it ended, by the gateway's clock.
    pub at: UnixMillis,
    /// The network.
    pub model: ModelName,
    /// `within`, `late` or `failed`.
    pub outcome: &'static str,
    /// The kind of its error.
    pub fault: Option<FaultKind>,
    /// From its arrival to its answer.
    pub latency_ms: Millis,
    /// The limit that it named.
    pub limit_ms: Option<Millis>,
    /// The cut that ran.
    pub cut: Option<Cut>,
    /// The configuration that ran, in words.
    pub configuration: Option<String>,
    /// All its joules.
    pub joules: Option<f64>,
    /// The policy that chose.
    pub policy: Option<PolicyName>,
    /// Why it chose so.
    pub reason: Option<PlanReason>,
    /// Why another configuration ran than the planned one.
    pub fallback: Option<Fallback>,
    /// The front that it was chosen from.
    pub front: Option<FrontId>,
    /// The mark of that front that ran.
    pub mark: Option<usize>,
    /// The edge executor.
    pub edge: Option<InstanceId>,
    /// The cloud executor.
    pub cloud: Option<InstanceId>,
}

impl Ended {
    /// What is told of a receipt.
    pub fn new(number: u64, receipt: &Receipt, mark: Option<usize>, now: UnixMillis) -> Self {
        let (outcome, fault) = match receipt.outcome {
            Outcome::Within => ("within", None),
            Outcome::Late => ("late", None),
            Outcome::Failed(kind) => ("failed", Some(kind)),
        };
        Self {
            number,
            id: receipt.id,
            at: now,
            model: receipt.model.clone(),
            outcome,
            fault,
            latency_ms: receipt.latency_ms,
            limit_ms: receipt.qos.map(|qos| qos.latency_ms),
            cut: receipt.executed.map(|configuration| configuration.cut),
            configuration: receipt.executed.map(|configuration| configuration.to_string()),
            joules: schemas::total_joules(&receipt.energy).map(schemas::Joules::get),
            policy: receipt.policy,
            reason: receipt.reason,
            fallback: receipt.fallback,
            front: receipt.front,
            mark,
            edge: receipt.edge.clone(),
            cloud: receipt.cloud.clone(),
        }
    }
}

/// Event `requests`: those that ended since the last such event. At most five a second; the first one of a stream has
/// the last ones that are remembered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Requests<'a> {
    /// Requests that ended and are not told one by one, as there were too many.
    pub left_out: u64,
    /// The others, the oldest first.
    pub requests: &'a [Ended],
}

/// What a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// A point of the front.
    Point,
    /// The baseline with everything in the cloud.
    AllCloud,
    /// The baseline with everything on the edge.
    AllEdge,
}

/// One measured configuration of a front.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    /// What it is.
    pub kind: MarkKind,
    /// The cut.
    pub cut: Cut,
    /// The cut's name.
    pub cut_name: String,
    /// The configuration in words.
    pub configuration: String,
    /// The latency that it is judged by.
    pub latency_ms: Millis,
    /// The joules of one request; `null` where they are not known.
    pub joules: Option<f64>,
    /// Where these numbers come from, each source once.
    pub sources: Vec<EnergySource>,
    /// Share of right answers, where it was measured.
    pub accuracy: Option<f64>,
    /// Requests measured.
    pub samples: u32,
}

impl Mark {
    fn new(kind: MarkKind, measured: &Measurement) -> Self {
        let mut sources: Vec<EnergySource> = Vec::new();
        for entry in &measured.energy {
            if !sources.contains(&entry.source) {
                sources.push(entry.source);
            }
        }
        Self {
            kind,
            cut: measured.configuration.cut,
            cut_name: short(&measured.cut_name),
            configuration: measured.configuration.to_string(),
            latency_ms: measured.judged_ms(),
            joules: measured.joules().map(schemas::Joules::get),
            sources,
            accuracy: measured.accuracy.map(|accuracy| accuracy.share.get()),
            samples: measured.samples,
        }
    }
}

/// A front. Event `fronts` is a list of all of them; first, and whenever one changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrontMarks {
    /// The front.
    pub id: FrontId,
    /// The network.
    pub model: ModelName,
    /// The edge machine.
    pub edge: NodeId,
    /// The device that it plays.
    pub emulates: Option<String>,
    /// The cloud machine.
    pub cloud: NodeId,
    /// The how-manieth.
    pub revision: u64,
    /// The network's last cut.
    pub last_cut: Cut,
    /// Configurations measured.
    pub measured: u32,
    /// When the measuring ended.
    pub ended_at: UnixMillis,
    /// Its points in the order they were measured, then the baselines.
    pub marks: Vec<Mark>,
}

impl From<&Front> for FrontMarks {
    fn from(front: &Front) -> Self {
        let points = front.points.iter().take(GREATEST_MARKS).map(|point| Mark::new(MarkKind::Point, point));
        let baselines =
            [Mark::new(MarkKind::AllCloud, &front.all_cloud), Mark::new(MarkKind::AllEdge, &front.all_edge)];
        Self {
            id: front.id,
            model: front.model.clone(),
            edge: front.edge.clone(),
            emulates: front.emulates.as_deref().map(short),
            cloud: front.cloud.clone(),
            revision: front.revision,
            last_cut: front.last_cut,
            measured: front.measured,
            ended_at: front.ended_at,
            marks: points.chain(baselines).collect(),
        }
    }
}

/// Which mark of a front a configuration is.
pub fn mark_of(front: &Front, configuration: &schemas::Configuration) -> Option<usize> {
    let told = front.points.len().min(GREATEST_MARKS);
    let mut points = front.points.iter().take(told);
    let is_it = |measured: &Measurement| measured.configuration == *configuration;
    points
        .position(is_it)
        .or_else(|| is_it(&front.all_cloud).then_some(told))
        .or_else(|| is_it(&front.all_edge).then_some(told + 1))
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
