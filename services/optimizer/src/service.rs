//! The shell: takes requests to measure, one at a time, and publishes fronts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::{
    Announcement, Bus, Endpoint, Identity, PresenceUpdate, Presences, Request, Response, Serving, subjects,
};
use chassis::{ProcessEnvironment, RunningService, ServiceContext, ServiceSettings};
use schemas::{
    Digest, Fault, FaultKind, Front, FrontId, LabelledPicture, Millis, ModelDescription, ModelName, NodeId,
    OptimizeReply, OptimizeRequest, OptimizeTask, ServiceKind, UnixMillis,
};
use search::knob::Knob;
use search::strategy::StrategyName;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use crate::campaign::{Campaign, Search};
use crate::error::Error;
use crate::journal::{CampaignKey, Entry, Journal};
use crate::probe::{Probe, journal_fault};
use crate::publish;
use crate::record::Nodes;
use crate::settings::Settings;
use crate::site::{self, Pair, Site, Wanted};
use crate::space::Choices;

/// Requests at once: one is worked on, the others are refused with the reason, for which each needs a place.
const CAPACITY: u32 = 8;
/// When to ask again while another network is measured; measuring takes minutes.
const RETRY_AFTER_MS: f64 = 10_000.0;
/// How long an executor may take to describe a network.
const DESCRIBING: Duration = Duration::from_secs(5);
/// How long executors that have just started are waited for.
const APPEARING: Duration = Duration::from_secs(3);
/// The most samples of one configuration.
const GREATEST_SAMPLES: u32 = 1_000;

/// An optimizer that answers. Dropped, it falls silent as in a crash.
#[derive(Debug)]
pub struct Running {
    announcement: Announcement,
    serving: Serving,
}

/// Starts an optimizer; when this returns, it answers and is announced.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, Error> {
    settings.check()?;
    let ServiceContext { bus, node, instance, .. } = context;
    let at = |step| move |source| Error::Broker { step, source };
    let presences = bus.watch_presences().await.map_err(at("watching who is there"))?;
    let optimizer =
        Arc::new(Optimizer { bus: bus.clone(), presences, settings, measuring: Mutex::new(None) });
    let handler = move |request: Request| {
        let optimizer = optimizer.clone();
        async move { optimizer.answer(&request).await }
    };
    let endpoint = Endpoint::new(CAPACITY).shared(subjects::optimize_any());
    let serving = bus.serve(endpoint, handler).await.map_err(at("serving requests"))?;
    let credits = serving.credits().clone();
    let identity = Identity { service: ServiceKind::Optimizer, instance, node };
    let update = move || PresenceUpdate::from(&credits);
    let announcement =
        bus.announce(identity, env!("CARGO_PKG_VERSION"), update).await.map_err(at("announcing itself"))?;
    Ok(Running { announcement, serving })
}

impl RunningService for Running {
    async fn leave(self, grace: Duration) {
        self.announcement.leave(self.serving.leave(grace)).await;
    }
}

type SharedJournal = Arc<Mutex<Journal>>;

struct Optimizer {
    bus: Bus,
    presences: Presences,
    settings: Settings,
    /// The network that is measured now. Two at once would measure each other.
    measuring: Mutex<Option<ModelName>>,
}

impl Optimizer {
    async fn answer(&self, request: &Request) -> Result<Response, Fault> {
        let asked: OptimizeRequest<'_> = schemas::decode(&request.body)
            .map_err(|error| refused(format!("the body is not a MessagePack OptimizeRequest: {error}")))?;
        check(&asked, request.subject.last_token())?;
        let _turn = self.take_turn(&asked.model)?;
        let description = self.describe(&asked.model, request.deadline).await?;
        let started_at = UnixMillis::now();
        let reply = self.measure(&asked, &description, request.deadline, started_at).await?;
        if request.plain { Response::json(&reply) } else { Response::messagepack(&reply) }
    }

    /// Measures a network on the machines that are there and publishes its front for each pair of them.
    async fn measure(
        &self,
        asked: &OptimizeRequest<'_>,
        description: &ModelDescription,
        deadline: UnixMillis,
        started_at: UnixMillis,
    ) -> Result<OptimizeReply, Fault> {
        let wanted = Wanted { edge: asked.search.edge.as_ref(), cloud: asked.search.cloud.as_ref() };
        let Site { pairs, other_edges } = site::choose(&self.presences.snapshot(), description, wanted)?;
        let settings = &self.settings;
        let choices = Choices::new(asked.search.space.as_deref(), description, &settings.codecs, &pairs[0])
            .map_err(|error| refused(error.to_string()))?;
        let search = self.search(asked, &choices)?;
        let (journal, entries) = self.open_journal(asked, &choices, &search, &pairs[0], description).await?;
        let probe = Probe {
            bus: &self.bus,
            presences: &self.presences,
            settings,
            description,
            pictures: &asked.pictures,
            deadline,
            journal: journal.clone(),
        };
        let campaign = Campaign::new(probe, asked, &choices, search, pairs.clone(), entries);
        let mut reply = campaign.run(started_at).await?;
        for pair in pairs.iter().rev() {
            let own = Front { edge: pair.edge_node.clone(), cloud: pair.cloud_node.clone(), ..reply.front };
            reply.front = publish::publish(&self.bus, own).await?;
        }
        reply.notes.extend(notes(asked, &pairs, &other_edges));
        self.end_journal(journal, reply.front.id).await;
        Ok(reply)
    }

    fn search(&self, asked: &OptimizeRequest<'_>, choices: &Choices) -> Result<Search, Fault> {
        let wishes = &asked.search;
        let named = wishes.strategy.as_ref().map(|name| name.parse::<StrategyName>()).transpose();
        let share = wishes.budget.map_or(1.0, |budget| budget.get());
        let of_space = (share * choices.legal() as f64).ceil() as usize;
        let most = asked.most_samples.unwrap_or(asked.samples).max(asked.samples);
        Ok(Search {
            strategy: named.map_err(|error| refused(error.to_string()))?.unwrap_or(self.settings.strategy),
            seed: wishes.seed.unwrap_or(self.settings.seed),
            // The two baselines are measured in any case.
            most: of_space.clamp(2, self.settings.budget as usize),
            samples: (asked.samples, most),
            quantile: self.settings.quantile,
        })
    }

    /// The campaign's log, and what an earlier run of it left there.
    async fn open_journal(
        &self,
        asked: &OptimizeRequest<'_>,
        choices: &Choices,
        search: &Search,
        pair: &Pair,
        description: &ModelDescription,
    ) -> Result<(Option<SharedJournal>, Vec<Entry>), Fault> {
        let Some(folder) = self.settings.state_folder(&ProcessEnvironment) else {
            warn!("neither optimizer.state_dir nor HOME is set: a campaign that is broken off begins again");
            return Ok((None, Vec::new()));
        };
        let space = choices.space();
        let values =
            |knob: Knob| space.values(knob).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let key = CampaignKey {
            model: asked.model.clone(),
            digest: description.digest.clone(),
            nodes: Nodes { edge: pair.edge_node.clone(), cloud: pair.cloud_node.clone() },
            emulates: pair.emulates().map(str::to_owned),
            pictures: digest_of(&asked.pictures),
            space: Knob::ALL.map(|knob| format!("{knob}: {}", values(knob))).join("; "),
            strategy: search.strategy.to_string(),
            seed: search.seed,
            software: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let afresh = asked.search.task == OptimizeTask::MeasureAfresh;
        let opened = spawn_blocking(move || Journal::open(&folder, &key, afresh)).await;
        let opened =
            opened.map_err(|_| Fault::new(FaultKind::Internal, "opening the log was interrupted"))?;
        let (journal, entries) = opened.map_err(|error| journal_fault(&error))?;
        info!(log = %journal.path().display(), lines = entries.len(), "the campaign is written down");
        Ok((Some(Arc::new(Mutex::new(journal))), entries))
    }

    /// The front is published: a log that cannot be closed is of no harm but is gone on with the next time.
    async fn end_journal(&self, journal: Option<SharedJournal>, front: FrontId) {
        let journal = journal.and_then(Arc::into_inner).and_then(|journal| journal.into_inner().ok());
        let Some(journal) = journal else { return };
        if let Ok(Err(error)) = spawn_blocking(move || journal.end(front)).await {
            warn!(error = %error, "the campaign's log is not closed");
        }
    }

    /// Takes the one place; it is given back when the turn is dropped, however the measuring ends.
    fn take_turn(&self, model: &ModelName) -> Result<Turn<'_>, Fault> {
        let mut measuring = lock(&self.measuring);
        if let Some(other) = measuring.as_ref() {
            let message = format!("{other} is being measured now, and two would disturb each other");
            return Err(Fault {
                retry_after_ms: Some(Millis::saturating(RETRY_AFTER_MS)),
                ..Fault::new(FaultKind::Overloaded, message)
            });
        }
        *measuring = Some(model.clone());
        Ok(Turn(&self.measuring))
    }

    async fn describe(&self, model: &ModelName, deadline: UnixMillis) -> Result<ModelDescription, Fault> {
        let appearing = UnixMillis::now().after(APPEARING).min(deadline);
        let wanted = |presences: &[schemas::Presence]| site::serves(presences, model).is_ok();
        if self.presences.wait_until(appearing, wanted).await.is_err() {
            site::serves(&self.presences.snapshot(), model)?;
        }
        let within = DESCRIBING.min(deadline.remaining());
        let answer = self.bus.ask(subjects::describe(model), within, &());
        let answer = answer.await.map_err(|error| {
            let fault = error.to_fault();
            Fault { message: format!("describing {model}: {}", fault.message), ..fault }
        })?;
        schemas::decode(&answer.body)
            .map_err(|error| Fault::new(FaultKind::Internal, format!("the description of {model}: {error}")))
    }
}

/// The right to measure.
struct Turn<'a>(&'a Mutex<Option<ModelName>>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(self.0) = None;
    }
}

/// A lock that a panicking holder poisoned still guards consistent data: no code panics while it holds one.
fn lock(measuring: &Mutex<Option<ModelName>>) -> MutexGuard<'_, Option<ModelName>> {
    measuring.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a person should know of which machines were measured and with what.
fn notes(asked: &OptimizeRequest<'_>, pairs: &[Pair], other_edges: &[NodeId]) -> Vec<String> {
    let mut notes = Vec::new();
    if pairs.len() > 1 {
        let named: Vec<String> =
            pairs.iter().map(|pair| format!("{} with {}", pair.edge_node, pair.cloud_node)).collect();
        notes.push(format!("measured side by side on equal machines: {}", named.join(", ")));
    }
    if !other_edges.is_empty() && asked.search.edge.is_none() {
        let named: Vec<&str> = other_edges.iter().map(NodeId::as_str).collect();
        notes.push(format!(
            "not measured, as these are machines of another kind with a front of their own: {} (measure them with --edge)",
            named.join(", ")
        ));
    }
    if asked.pictures.iter().all(|picture| picture.class.is_none()) {
        notes.push(
            "no picture has a class, so accuracy was not measured: name the classes in labels.csv".to_owned(),
        );
    }
    notes
}

/// SHA-256 of the pictures and their classes.
fn digest_of(pictures: &[LabelledPicture<'_>]) -> Digest {
    let mut hash = Sha256::new();
    for picture in pictures {
        hash.update((picture.bytes.len() as u64).to_le_bytes());
        hash.update(&picture.bytes);
        hash.update(picture.class.map_or(u64::MAX, u64::from).to_le_bytes());
    }
    Digest::from_bytes(hash.finalize().into())
}

fn check(asked: &OptimizeRequest<'_>, subject_model: &str) -> Result<(), Fault> {
    if asked.model.as_str() != subject_model {
        return Err(refused(format!("{} was asked for on the subject of {subject_model}", asked.model)));
    }
    if asked.pictures.is_empty() {
        return Err(refused("there is no picture to measure with: send at least one".into()));
    }
    for samples in [Some(asked.samples), asked.most_samples].into_iter().flatten() {
        if (1..=GREATEST_SAMPLES).contains(&samples) {
            continue;
        }
        return Err(refused(format!("{samples} samples are out of range: use 1 to {GREATEST_SAMPLES}")));
    }
    Ok(())
}

fn refused(message: String) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}
