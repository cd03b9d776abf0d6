//! Runs configurations on a pair of machines, one picture after another: the shell between a campaign and the site.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use broker::{Bus, Call, CallError, Presences, Subject, subjects};
use chassis::metrics::OptimizerMetrics;
use schemas::{
    Configuration, Cut, ExecuteReply, ExecuteRequest, Fault, FaultKind, HardwareChanges, HardwareReadBack,
    Input, LabelledPicture, LayerProfile, Millis, ModelDescription, Presence, RequestId, ServiceKind,
    TuneReply, TuneRequest, UnixMillis,
};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use crate::changes::Changes;
use crate::journal::{Entry, Journal};
use crate::record::{Answer, Nodes, Record, Sample, deviation};
use crate::settings::Settings;
use crate::site::{self, Pair};

/// How long a full executor is waited for before it is asked again, when it does not say.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest that an executor's own wish to be asked later is followed.
const GREATEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a machine may take to say that it is there.
const ANSWERING: Duration = Duration::from_secs(1);

/// How often it is looked whether live requests are still under way.
const YIELDING: Duration = Duration::from_millis(20);

/// How often lost machines are looked for.
const LOOKING: Duration = Duration::from_millis(250);

/// What all executions of a campaign need.
pub(crate) struct Probe<'a> {
    pub(crate) metrics: &'a OptimizerMetrics,
    pub(crate) bus: &'a Bus,
    pub(crate) presences: &'a Presences,
    pub(crate) settings: &'a Settings,
    pub(crate) description: &'a ModelDescription,
    pub(crate) pictures: &'a [LabelledPicture<'a>],
    /// When the whole must be done.
    pub(crate) deadline: UnixMillis,
    /// `None` where nothing is written down.
    pub(crate) journal: Option<Arc<Mutex<Journal>>>,
    /// What setting the hardware took.
    pub(crate) changes: Mutex<Changes>,
    /// Whether live requests go first: nothing is run while one is under way.
    pub(crate) yields: bool,
}

/// Why a sample could not be taken.
pub(crate) enum Trouble {
    /// This configuration does not run here; others may.
    Configuration(String),
    /// A machine of the pair is gone.
    Lost(String),
    /// No configuration can be measured any more.
    Final(Fault),
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Final(fault) => fault,
            Trouble::Configuration(reason) | Trouble::Lost(reason) => {
                Self::new(FaultKind::Unavailable, reason)
            }
        }
    }
}

/// One execution that ran as it was asked.
struct Ran {
    sample: Sample,
    profiles: Vec<LayerProfile>,
}

/// What one visit of a configuration brought besides its samples.
#[derive(Default)]
pub(crate) struct Visited {
    /// The time of each layer, where it was asked for.
    pub(crate) profiles: Vec<LayerProfile>,
}

impl Probe<'_> {
    /// Takes so many samples of a configuration, with the pictures in turn. `warm_up` runs it once before, which does not
    /// count, and times the layers. Where a machine is lost, another of its kind goes on.
    pub(crate) async fn visit(
        &self,
        pair: &mut Pair,
        in_use: &[Pair],
        record: &mut Record,
        samples: u32,
        warm_up: bool,
    ) -> Result<Visited, Trouble> {
        let mut visited = Visited::default();
        let mut is_cold = warm_up;
        let wanted = record.count() + samples;
        while record.count() < wanted {
            match self.step(pair, record, is_cold, &mut visited).await {
                Ok(()) => is_cold = false,
                Err(Trouble::Lost(reason)) => {
                    warn!(configuration = %record.configuration(), reason, "a machine is lost, waiting for it or another");
                    *pair = self.find_again(pair, in_use, &reason).await?;
                    let nodes = Nodes::of(pair);
                    if *record.nodes() != nodes {
                        self.write(Entry::SetAside {
                            configuration: *record.configuration(),
                            doubted: false,
                        })
                        .await?;
                        record.begin_again(nodes);
                    }
                    is_cold = true;
                }
                Err(other) => return Err(other),
            }
        }
        if let Some(hardware) = self.read_back(pair).await {
            record.read_back(hardware);
        }
        Ok(visited)
    }

    async fn step(
        &self,
        pair: &Pair,
        record: &mut Record,
        is_cold: bool,
        visited: &mut Visited,
    ) -> Result<(), Trouble> {
        let configuration = *record.configuration();
        if is_cold {
            visited.profiles = self.run(pair, &configuration, 0, true).await?.profiles;
            if !visited.profiles.is_empty() {
                let profiles = visited.profiles.clone();
                self.write(Entry::Profiled { configuration, profiles }).await?;
            }
        }
        let picture = record.count() as usize % self.pictures.len();
        let sample = self.run(pair, &configuration, picture, false).await?.sample;
        self.write(Entry::Sample { configuration, nodes: record.nodes().clone(), sample: sample.clone() })
            .await?;
        record.push(sample);
        Ok(())
    }

    /// Classifies a picture without measuring it.
    pub(crate) async fn answer(
        &self,
        pair: &Pair,
        configuration: &Configuration,
        picture: usize,
    ) -> Result<Answer, Trouble> {
        let answer = self.run(pair, configuration, picture, false).await?.sample.answer;
        self.write(Entry::Answered { configuration: *configuration, picture, answer }).await?;
        Ok(answer)
    }

    /// Runs one picture, again when something else ran than was asked for.
    async fn run(
        &self,
        pair: &Pair,
        configuration: &Configuration,
        picture: usize,
        profile: bool,
    ) -> Result<Ran, Trouble> {
        let mut last = String::new();
        for attempt in 0..=self.settings.retries {
            match self.execute(pair, configuration, picture, profile).await {
                Err(Trouble::Configuration(reason)) => {
                    debug!(attempt, reason, "a sample was rejected");
                    last = reason;
                }
                ended => return ended,
            }
        }
        Err(Trouble::Configuration(last))
    }

    async fn execute(
        &self,
        pair: &Pair,
        configuration: &Configuration,
        picture: usize,
        profile: bool,
    ) -> Result<Ran, Trouble> {
        let labelled = self.pictures.get(picture).ok_or_else(|| internal("a picture was lost"))?;
        let model = &self.description.name;
        let id = RequestId::fresh();
        let request = ExecuteRequest {
            id,
            model: model.clone(),
            input: Input::Encoded { bytes: Cow::Borrowed(&labelled.bytes) },
            configuration: *configuration,
            cloud: Some(pair.cloud.clone()),
            profile,
        };
        let body = schemas::encode(&request).map_err(|error| internal(&error.to_string()))?;
        if self.yields {
            self.wait_for_quiet(pair).await?;
        }
        let within = self.settings.call_timeout_ms.to_duration().min(self.deadline.remaining());
        // That instance or none: the front is of its machine.
        let target = subjects::execute_edge_at(model, &pair.edge);
        let call = Call { id, ..Call::new(vec![target], within, body) };
        let began = Instant::now();
        let answer = self.bus.call(call).await;
        let wall = Millis::from(began.elapsed());
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.trouble(pair, error.to_fault()).await),
        };
        let reply: ExecuteReply<'_> = schemas::decode(&answer.body)
            .map_err(|error| internal(&format!("the edge executor's reply: {error}")))?;
        match deviation(configuration, &reply) {
            None => {
                self.note_change(pair, &reply);
                let sample = Sample::new(wall, &reply, picture, labelled.class);
                Ok(Ran { sample, profiles: reply.profiles })
            }
            Some(reason) if reply.fallback.is_some() => Err(self.is_it_lost(pair, reason).await),
            Some(reason) => Err(Trouble::Configuration(reason)),
        }
    }

    fn note_change(&self, pair: &Pair, reply: &ExecuteReply<'_>) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.note(&pair.edge_node, &reply.configuration, schemas::hardware_change(&reply.stages));
    }

    /// What setting the hardware took so far.
    pub(crate) fn hardware_changes(&self) -> HardwareChanges {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).medians()
    }

    /// Waits until no live request is at a gateway or at the edge: each says how many it would take just now. One that comes
    /// in the middle of a sample waits for that one.
    async fn wait_for_quiet(&self, pair: &Pair) -> Result<(), Trouble> {
        while self.is_busy(pair).await {
            if self.deadline.remaining().is_zero() {
                return Err(Trouble::Final(Fault::new(
                    FaultKind::DeadlineExceeded,
                    "the deadline passed while live requests were under way, which go first: ask again at a quieter time; what \
                     was measured is kept, and the same request goes on from there",
                )));
            }
            sleep(YIELDING).await;
        }
        Ok(())
    }

    async fn is_busy(&self, pair: &Pair) -> bool {
        let snapshot = self.presences.snapshot();
        let counts = |one: &&Presence| {
            let is_edge = one.service == ServiceKind::EdgeExecutor && one.node == pair.edge_node;
            is_edge || one.service == ServiceKind::Gateway
        };
        for known in snapshot.iter().filter(counts) {
            let now = self.bus.presence_of(known.service, &known.instance, ANSWERING).await;
            // One that does not answer is as it last said.
            if !is_idle(now.as_ref().unwrap_or(known)) {
                return true;
            }
        }
        false
    }

    /// What a failed execution means; a full executor is given time first.
    async fn trouble(&self, pair: &Pair, fault: Fault) -> Trouble {
        let late = self.deadline.remaining().is_zero();
        match fault.kind {
            FaultKind::DeadlineExceeded if late => Trouble::Final(Fault::new(
                FaultKind::DeadlineExceeded,
                "the deadline passed before everything was measured: send a later one, or fewer samples; what was measured \
                 is kept, and the same request goes on from there",
            )),
            // The same for every configuration: a wrong picture, another model.
            FaultKind::BadRequest | FaultKind::UnknownModel => Trouble::Final(fault),
            FaultKind::Overloaded => {
                let pause = fault.retry_after_ms.map_or(PAUSE, Millis::to_duration);
                sleep(pause.min(GREATEST_PAUSE)).await;
                Trouble::Configuration(fault.to_string())
            }
            FaultKind::Internal => Trouble::Configuration(fault.to_string()),
            _ => self.is_it_lost(pair, fault.to_string()).await,
        }
    }

    /// Whether a failure is that of a machine which is gone, or of the configuration.
    async fn is_it_lost(&self, pair: &Pair, reason: String) -> Trouble {
        if self.is_there(pair).await { Trouble::Configuration(reason) } else { Trouble::Lost(reason) }
    }

    /// Whether everything of a pair answers. An empty message to an executor is no request and is refused at once.
    async fn is_there(&self, pair: &Pair) -> bool {
        let model = &self.description.name;
        self.answers(subjects::execute_edge_at(model, &pair.edge)).await
            && self.answers(subjects::execute_cloud_at(model, &pair.cloud)).await
            && (pair.tuner.is_none() || self.tuner_reports(pair).await.is_some())
    }

    async fn answers(&self, subject: Subject) -> bool {
        let within = ANSWERING.min(self.deadline.remaining());
        match self.bus.call(Call::new(vec![subject], within, Vec::new())).await {
            // A refusal is an answer.
            Ok(_) | Err(CallError::Fault(_)) => true,
            Err(_) => false,
        }
    }

    /// Waits for a lost pair, or for another of its kind.
    async fn find_again(&self, lost: &Pair, in_use: &[Pair], reason: &str) -> Result<Pair, Trouble> {
        let patience = self.settings.patience_ms.to_duration().min(self.deadline.remaining());
        let until = Instant::now() + patience;
        loop {
            let found = site::replacement(&self.presences.snapshot(), self.description, lost, in_use);
            if let Some(found) = found
                && self.is_there(&found).await
            {
                info!(edge = %found.edge_node, cloud = %found.cloud_node, "measuring goes on");
                return Ok(found);
            }
            if Instant::now() >= until {
                let message = format!(
                    "{} or {} (or its tuner) was lost while measuring and no machine of its kind came within {} s: {reason}; \
                     what was measured is kept, and the same request goes on from there",
                    lost.edge_node,
                    lost.cloud_node,
                    patience.as_secs()
                );
                return Err(Trouble::Final(Fault::new(FaultKind::Unavailable, message)));
            }
            sleep(LOOKING).await;
        }
    }

    async fn tuner_reports(&self, pair: &Pair) -> Option<TuneReply> {
        let within = ANSWERING.min(self.deadline.remaining());
        let answer = self.bus.ask(subjects::tune(&pair.edge_node), within, &TuneRequest::Report).await;
        let answer = answer.inspect_err(|error| debug!(%error, "the tuner does not report")).ok()?;
        schemas::decode(&answer.body).ok()
    }

    async fn read_back(&self, pair: &Pair) -> Option<HardwareReadBack> {
        pair.tuner.as_ref()?;
        let hardware = self.tuner_reports(pair).await?.hardware;
        Some(HardwareReadBack {
            frequency_khz: hardware.frequency_khz,
            governor: hardware.governor,
            slowdown: hardware.slowdown,
            power: hardware.power,
        })
    }

    /// Writes a line of the journal.
    pub(crate) async fn write(&self, entry: Entry) -> Result<(), Trouble> {
        self.with_journal(move |journal| journal.append(&entry)).await
    }

    /// Makes sure that what was written survives a loss of power.
    pub(crate) async fn sync(&self) -> Result<(), Trouble> {
        self.with_journal(|journal| journal.sync()).await
    }

    async fn with_journal(
        &self,
        work: impl FnOnce(&mut Journal) -> Result<(), crate::journal::JournalError> + Send + 'static,
    ) -> Result<(), Trouble> {
        let Some(journal) = self.journal.clone() else { return Ok(()) };
        let written =
            spawn_blocking(move || work(&mut journal.lock().unwrap_or_else(PoisonError::into_inner))).await;
        let written = written.map_err(|_| internal("writing the log was interrupted"))?;
        written.map_err(|error| Trouble::Final(journal_fault(&error)))
    }
}

/// Whether an instance has nothing to do.
pub(crate) fn is_idle(presence: &Presence) -> bool {
    presence.credits == presence.capacity
}

/// A journal's error as it travels.
pub(crate) fn journal_fault(error: &crate::journal::JournalError) -> Fault {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let message = format!(
        "{error}: {cause}; nothing that was measured before is lost: free some space or correct the folder (optimizer.state_dir), and \
         the same request goes on from there"
    );
    Fault::new(FaultKind::Unavailable, message)
}

/// Whether a configuration runs all of the network at one place, so that one profile tells of every cut.
pub(crate) fn is_end(cut: Cut, last_cut: Cut) -> bool {
    cut == Cut::ALL_CLOUD || cut == last_cut
}

pub(crate) fn internal(message: &str) -> Trouble {
    Trouble::Final(Fault::new(FaultKind::Internal, message))
}
