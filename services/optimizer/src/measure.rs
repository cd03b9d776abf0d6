//! A campaign as the service runs it: where, in which space, how, with which log.

use std::sync::{Arc, Mutex};

use chassis::ProcessEnvironment;
use schemas::{
    Digest, Fault, FaultKind, Front, FrontId, LabelledPicture, ModelDescription, NodeId, OptimizeReply,
    OptimizeRequest, OptimizeTask, UnixMillis,
};
use search::knob::Knob;
use search::strategy::StrategyName;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use crate::campaign::{Campaign, Search};
use crate::journal::{CampaignKey, Entry, Journal, Left};
use crate::ledger::Ledger;
use crate::probe::{Probe, journal_fault};
use crate::publish;
use crate::record::Nodes;
use crate::sampler::{Care, Sampler};
use crate::service::{Optimizer, refused};
use crate::site::{self, Pair, Site, Wanted};
use crate::space::Choices;

pub(crate) type SharedJournal = Arc<Mutex<Journal>>;

impl Optimizer {
    /// Measures a network on the machines that are there and publishes its front for each pair of them.
    pub(crate) async fn measure(
        &self,
        asked: &OptimizeRequest<'_>,
        description: &ModelDescription,
        deadline: UnixMillis,
    ) -> Result<OptimizeReply, Fault> {
        let started_at = UnixMillis::now();
        let wanted = Wanted { edge: asked.search.edge.as_ref(), cloud: asked.search.cloud.as_ref() };
        let Site { pairs, other_edges } = site::choose(&self.presences.snapshot(), description, wanted)?;
        let settings = &self.settings;
        let choices = Choices::new(asked.search.space.as_deref(), description, &settings.codecs, &pairs[0])
            .map_err(|error| refused(error.to_string()))?;
        let search = self.search(asked, &choices)?;
        let (journal, entries) = self.campaign_log(asked, &choices, &search, &pairs[0], description).await?;
        let probe = self.probe(asked, description, deadline, journal.clone());
        let care = self.care(asked);
        let ledger = Ledger::new(care.quantile, description, Left::of(entries));
        let sampler = Sampler::new(probe, ledger, pairs.clone(), care, search.most.min(choices.legal()));
        let mut reply = Campaign { sampler, choices: &choices, search }.run(started_at).await?;
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
        Ok(Search {
            strategy: named.map_err(|error| refused(error.to_string()))?.unwrap_or(self.settings.strategy),
            seed: wishes.seed.unwrap_or(self.settings.seed),
            // The two baselines are measured in any case.
            most: of_space.clamp(2, self.settings.budget as usize),
        })
    }

    /// How well configurations are measured for a request.
    pub(crate) fn care(&self, asked: &OptimizeRequest<'_>) -> Care {
        let most = asked.most_samples.unwrap_or(asked.samples).max(asked.samples);
        Care { samples: (asked.samples, most), quantile: self.settings.quantile }
    }

    /// What executions need; live requests wait for them.
    pub(crate) fn probe<'p>(
        &'p self,
        asked: &'p OptimizeRequest<'p>,
        description: &'p ModelDescription,
        deadline: UnixMillis,
        journal: Option<SharedJournal>,
    ) -> Probe<'p> {
        Probe {
            metrics: &self.metrics,
            bus: &self.bus,
            presences: &self.presences,
            settings: &self.settings,
            description,
            pictures: &asked.pictures,
            deadline,
            journal,
            changes: Mutex::default(),
            yields: false,
        }
    }

    /// The campaign's log, and what an earlier run of it left there.
    async fn campaign_log(
        &self,
        asked: &OptimizeRequest<'_>,
        choices: &Choices,
        search: &Search,
        pair: &Pair,
        description: &ModelDescription,
    ) -> Result<(Option<SharedJournal>, Vec<Entry>), Fault> {
        let space = choices.space();
        let values =
            |knob: Knob| space.values(knob).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let key = CampaignKey {
            space: Knob::ALL.map(|knob| format!("{knob}: {}", values(knob))).join("; "),
            strategy: search.strategy.to_string(),
            seed: search.seed,
            ..key(asked, pair, description)
        };
        self.open_journal(key, asked.search.task == OptimizeTask::MeasureAfresh).await
    }

    /// The log of what a key says, and what an earlier run left there; nothing where logs have no place.
    pub(crate) async fn open_journal(
        &self,
        key: CampaignKey,
        afresh: bool,
    ) -> Result<(Option<SharedJournal>, Vec<Entry>), Fault> {
        let Some(folder) = self.settings.state_folder(&ProcessEnvironment) else {
            warn!("neither optimizer.state_dir nor HOME is set: a campaign that is broken off begins again");
            return Ok((None, Vec::new()));
        };
        let opened = spawn_blocking(move || Journal::open(&folder, &key, afresh)).await;
        let opened =
            opened.map_err(|_| Fault::new(FaultKind::Internal, "opening the log was interrupted"))?;
        let (journal, entries) = opened.map_err(|error| journal_fault(&error))?;
        info!(log = %journal.path().display(), lines = entries.len(), "the campaign is written down");
        Ok((Some(Arc::new(Mutex::new(journal))), entries))
    }

    /// The front is published: a log that cannot be closed is of no harm but is gone on with the next time.
    pub(crate) async fn end_journal(&self, journal: Option<SharedJournal>, front: FrontId) {
        let journal = journal.and_then(Arc::into_inner).and_then(|journal| journal.into_inner().ok());
        let Some(journal) = journal else { return };
        if let Ok(Err(error)) = spawn_blocking(move || journal.end(front)).await {
            warn!(error = %error, "the campaign's log is not closed");
        }
    }
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

/// What a campaign on a pair is, but for its space and how it searches.
pub(crate) fn key(asked: &OptimizeRequest<'_>, pair: &Pair, description: &ModelDescription) -> CampaignKey {
    CampaignKey {
        model: asked.model.clone(),
        digest: description.digest.clone(),
        nodes: Nodes::of(pair),
        emulates: pair.emulates().map(str::to_owned),
        pictures: digest_of(&asked.pictures),
        space: String::new(),
        strategy: String::new(),
        seed: 0,
        software: env!("CARGO_PKG_VERSION").to_owned(),
    }
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
