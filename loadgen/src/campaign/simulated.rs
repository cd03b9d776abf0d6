//! The runs of a campaign in the simulator: system mode with one edge, and the requests of a trace.

use std::path::Path;

use policy::NoPlan;
use schemas::{
    Fallback, Fault, FaultKind, Front, FrontId, Joules, Millis, Place, PolicyName, Share, Stage, UnixMillis,
};
use search::knob::{Knob, Value};
use sha2::{Digest, Sha256};

use super::file::{ModelEntry, SimulatorSettings};
use super::folder::{Begun, finish};
use super::material::in_inputs;
use super::plan::{PlannedRun, blocks};
use super::{Campaign, Destination, Material, Plan, Progress, Summary};
use crate::error::LoadgenError;
use crate::link::LinkTrace;
use crate::link::process::LinkProcess;
use crate::recording::{RecordedFront, Recording, Values};
use crate::replay::account::{accuracy, judged};
use crate::results::{
    Answer, Driven, Ending, FrontUsed, LinkChange, Manifest, ModelUsed, Origin, PlacedEnergy, Record, RunKey,
    TimedStage,
};
use crate::simulate::system::{
    self, CloudGroup, EdgeGroup, Network, PresenceSettings, Profile, Scenario, SimulatedAnswer, SimulatedEnd,
    SimulatedRequest,
};
use crate::trace::arrivals::Arrivals;
use crate::trace::limits::Limits;
use crate::trace::{Loop, Trace, TraceRequest};

/// Makes every run of a campaign in the simulator. It computes, and belongs on a thread of its own.
///
/// # Errors
/// A pool or front that cannot be used, or results that cannot be written.
pub fn evaluate(
    campaign: Campaign,
    to: &Destination,
    progress: &Progress,
) -> Result<(Manifest, Summary), LoadgenError> {
    let system = SimulatedCampaign::prepare(&campaign)?;
    let material = Material::gather(campaign, Driven::Simulator)?;
    let plan = Plan::new(&material.campaign, &material.traces, Driven::Simulator);
    let manifest = system.manifest(&material, to.command.clone());
    let mut begun = Begun::begin(to, manifest, &material, &system.fronts(), &plan)?;
    let mut ended = plan.requests() - begun.requests_left();
    for run in &begun.left {
        let (records, changes) = system.run(&material, run)?;
        records.iter().try_for_each(|record| begun.writer.record(record))?;
        changes.iter().try_for_each(|change| begun.writer.link(change))?;
        ended += records.len() as u64;
        progress(ended, plan.requests());
    }
    finish(begun.writer, to)
}

/// Everything that a campaign's runs draw from.
#[derive(Debug)]
struct SimulatedCampaign {
    models: Vec<SimulatedModel>,
}

/// A network's outcomes and front.
#[derive(Debug)]
struct SimulatedModel {
    profile: Profile,
    front: Front,
    /// Where outcomes are recorded runs.
    recording: Option<Recording>,
    /// Whether joules are known of every configuration.
    energy_known: bool,
}

impl SimulatedCampaign {
    /// Reads the outcomes of every network.
    fn prepare(campaign: &Campaign) -> Result<Self, LoadgenError> {
        let models = campaign.models.iter().map(SimulatedModel::read).collect::<Result<_, _>>()?;
        Ok(Self { models })
    }

    /// The fronts that are decided on.
    fn fronts(&self) -> Vec<Front> {
        self.models.iter().map(|model| model.front.clone()).collect()
    }

    /// The manifest of a new results folder.
    fn manifest(&self, material: &Material, command: String) -> Manifest {
        // The campaign of the material names the copies.
        let copy = |entry: &ModelEntry| entry.pool.as_deref().or(entry.front.as_deref()).map(in_inputs);
        let model = |(entry, model): (&ModelEntry, &SimulatedModel)| ModelUsed {
            model: entry.name.clone(),
            digest: None,
            last_cut: Some(model.front.last_cut),
            pictures: None,
            outcomes: copy(entry),
        };
        Manifest {
            models: material.campaign.models.iter().zip(&self.models).map(model).collect(),
            links: material.links_used(Origin::Simulated),
            ..super::live::manifest(material, Driven::Simulator, command)
        }
    }

    /// Makes one run: its records in the order in which the requests ended, and the changes of its link. Rounds draw from seeds of their
    /// own; policies of one round meet the same.
    fn run(
        &self,
        material: &Material,
        run: &PlannedRun,
    ) -> Result<(Vec<Record>, Vec<LinkChange>), LoadgenError> {
        let campaign = &material.campaign;
        let (entry, model) = (&campaign.models[run.model], &self.models[run.model]);
        let trace = material.traces[run.trace].clone().to_model(&entry.name);
        let link = run.link.map(|link| &material.links[link]);
        let scenario = scenario(&campaign.simulator, entry, &trace, link);
        let seed = campaign.seed.wrapping_add(u64::from(run.key.round));
        let blocks = blocks(&trace, campaign.block_requests.get());
        let mut records = Vec::with_capacity(trace.requests().len());
        let policy = run.key.policy;
        let mut hear = |ended: SimulatedRequest| {
            let block = blocks.partition_point(|block| block.end <= ended.request);
            let key = RunKey { block: u32::try_from(block).unwrap_or(u32::MAX), ..run.key.clone() };
            records.push(model.record(key, &trace.requests()[ended.request], &ended));
        };
        system::replay(&scenario, &model.profile, policy, seed, trace.requests(), &mut hear)?;
        let changes = changes(run, link, &records);
        Ok((records, changes))
    }
}

/// The states of the link while requests were there.
fn changes(run: &PlannedRun, link: Option<&LinkTrace>, records: &[Record]) -> Vec<LinkChange> {
    let (Some(link), Some(name)) = (link, &run.key.link) else { return Vec::new() };
    let ended = records.iter().map(|record| record.scheduled_ms + record.latency_ms);
    let last = ended.fold(Millis::ZERO, |last, ended| if ended > last { ended } else { last });
    let within = link.states().iter().filter(|(at, _)| *at <= last);
    let change = |(at_ms, state): &(Millis, schemas::LinkState)| LinkChange {
        run: run.key.run,
        at_ms: *at_ms,
        link: name.clone(),
        state: *state,
        origin: Origin::Simulated,
    };
    within.map(change).collect()
}

fn scenario(
    settings: &SimulatorSettings,
    entry: &ModelEntry,
    trace: &Trace,
    link: Option<&LinkTrace>,
) -> Scenario {
    let edge = EdgeGroup {
        count: 1,
        arrivals: if trace.pacing() == Loop::Closed { Arrivals::Sequential } else { Arrivals::Offline },
        limits: Limits::Constant(Millis::ZERO),
        queue: settings.edge_queue,
        link: link.map(|link| LinkProcess::Steps(link.states().to_vec())),
        clock_change_ms: settings.clock_change_ms,
        accelerator_change_ms: settings.accelerator_change_ms,
        failures: None,
    };
    let cloud = CloudGroup {
        count: settings.clouds,
        queue: settings.cloud_queue,
        batch: settings.batch,
        batch_wait_ms: settings.batch_wait_ms,
        batch_cost: settings.batch_cost,
        speed: 1.0,
        failures: None,
    };
    Scenario {
        seed: 0,
        requests: trace.requests().len() as u64,
        runs: 1,
        policies: vec![PolicyName::Adaptive],
        network: Network { name: entry.name.to_string(), pool: None, front: None },
        edges: vec![edge],
        clouds: vec![cloud],
        presence: PresenceSettings::default(),
    }
}

impl SimulatedModel {
    fn read(entry: &ModelEntry) -> Result<Self, LoadgenError> {
        match (&entry.pool, &entry.front) {
            (Some(pool), _) => {
                let recording = Recording::read(pool, entry.name.as_str(), None)?;
                let anchors = (recording.all_cloud()?, recording.all_edge()?);
                let front = RecordedFront::of_means(&recording, anchors).front().clone();
                let front = Front { model: entry.name.clone(), ..front };
                Ok(Self {
                    profile: Profile::of_recording(&recording)?,
                    front: named_by_content(front),
                    recording: Some(recording),
                    energy_known: true,
                })
            }
            (None, Some(path)) => {
                let front = Front { model: entry.name.clone(), ..Profile::front_of_file(path)? };
                let measured = front.points.iter().chain([&front.all_cloud, &front.all_edge]);
                let energy_known = measured.chain(&front.tied).all(|point| point.joules().is_some());
                Ok(Self { profile: Profile::of_front(&front), recording: None, energy_known, front })
            }
            // Checked when the campaign was read.
            (None, None) => Err(LoadgenError::NoPool {
                folder: Path::new(entry.name.as_str()).to_owned(),
                problem: "it has neither pool nor front".into(),
            }),
        }
    }

    fn record(&self, key: RunKey, request: &TraceRequest, ended: &SimulatedRequest) -> Record {
        let latency_ms = ended.ended - ended.arrived;
        let failed = |fault: Fault| Ending::Failed { fault: fault.kind, message: fault.message };
        let (outcome, answer) = match &ended.end {
            SimulatedEnd::Answered(answer) => {
                (judged(latency_ms, request.qos.latency_ms), Some(self.answer(answer)))
            }
            SimulatedEnd::TurnedAway => {
                let message = "the edge holds as many requests as it may";
                (failed(Fault::new(FaultKind::Overloaded, message)), None)
            }
            // As the scheduler says it.
            SimulatedEnd::Refused(refusal) => (failed(NoPlan::from(*refusal).to_fault()), None),
            SimulatedEnd::Lost => (failed(Fault::new(FaultKind::Unavailable, "the edge went down")), None),
        };
        Record {
            key,
            model: request.model.as_ref().clone(),
            request: ended.request as u64,
            query: request.query,
            tenant: request.tenant.as_ref().map(|tenant| tenant.as_ref().clone()),
            warm_up: false,
            scheduled_ms: ended.arrived,
            sent_ms: ended.arrived,
            at: UnixMillis(ended.arrived.get() as u64),
            limit_ms: request.qos.latency_ms,
            latency_ms,
            service_ms: latency_ms,
            outcome,
            answer,
        }
    }

    fn answer(&self, answer: &SimulatedAnswer) -> Answer {
        let (edge, cloud) = self.accelerators(answer);
        let energy = |place: Place, joules: Joules| PlacedEnergy { place, joules, origin: Origin::Simulated };
        let energy = match self.energy_known {
            true => {
                vec![energy(Place::Edge, answer.edge_energy), energy(Place::Cloud, answer.cloud_energy)]
            }
            false => Vec::new(),
        };
        Answer {
            id: None,
            gateway_ms: None,
            configuration: answer.configuration,
            edge_accelerator: edge,
            cloud_accelerator: cloud,
            side: Some(answer.side),
            fallback: answer.at_home.then_some(Fallback::FinishedAtHome),
            reason: Some(answer.reason),
            front: Some(FrontUsed { id: self.front.id, revision: Some(self.front.revision) }),
            label: None,
            correct: None,
            accuracy: self.accuracy(answer),
            sent_bytes: Some(answer.sent),
            stages: stages(answer),
            energy,
        }
    }

    fn accuracy(&self, answer: &SimulatedAnswer) -> Option<Share> {
        match &self.recording {
            Some(recording) => Values::of_runs(recording, answer.place).accuracy,
            None => accuracy(&self.front, &answer.configuration),
        }
    }

    /// In the words of the pool: its accelerators are not those that executors have.
    fn accelerators(&self, answer: &SimulatedAnswer) -> (Option<String>, Option<String>) {
        let Some(recording) = &self.recording else { return (None, None) };
        let candidate = recording.configurations()[answer.place].candidate;
        let name = |knob: Knob| {
            let value = recording.space().value(candidate, knob);
            // A pool need not say what computed.
            (*value != Value::AsItIs).then(|| value.to_string())
        };
        (name(Knob::EdgeAccelerator), name(Knob::CloudAccelerator))
    }
}

/// The stages that took any time.
fn stages(answer: &SimulatedAnswer) -> Vec<TimedStage> {
    let all = [
        (Stage::HardwareChange, Place::Edge, answer.hardware_change.unwrap_or_default()),
        (Stage::Queue, Place::Edge, answer.edge_queue),
        (Stage::Head, Place::Edge, answer.head),
        (Stage::Transfer, Place::Wire, answer.wire),
        (Stage::Queue, Place::Cloud, answer.cloud_queue),
        (Stage::Tail, Place::Cloud, answer.tail),
        (Stage::Tail, Place::Edge, answer.home),
    ];
    let stage = |(stage, place, time_ms)| TimedStage { stage, place, time_ms, origin: Origin::Simulated };
    all.into_iter().filter(|(_, _, time)| *time > Millis::ZERO).map(stage).collect()
}

/// The front's id from what is in it, so that the same pool gives the same records.
fn named_by_content(front: Front) -> Front {
    let mut content = serde_json::to_value(&front).unwrap_or_default();
    if let Some(fields) = content.as_object_mut() {
        fields.remove("id");
    }
    let digest = Sha256::digest(content.to_string());
    let mut digits: Vec<char> = digest.iter().take(16).flat_map(|byte| hexadecimal(*byte)).collect();
    // The version and variant of an id that is made in a way of one's own (RFC 9562, version 8).
    (digits[12], digits[16]) = ('8', '8');
    let id = digits.into_iter().collect::<String>().parse::<FrontId>().unwrap_or(front.id);
    Front { id, ..front }
}

fn hexadecimal(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
}
