//! The runs of a campaign on a running system.

mod link;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use broker::Bus;
use schemas::{Millis, ModelName, NodeId, PolicyName, UnixMillis};
use tokio::sync::watch;

use super::file::ModelEntry;
use super::folder::{Begun, finish};
use super::plan::PlannedRun;
use super::{Campaign, Destination, Material, Plan, Progress, Summary};
use crate::error::LoadgenError;
use crate::pictures::PictureSet;
use crate::replay::books::{Books, Run, RunEnd};
use crate::replay::client::Client;
use crate::replay::live::Site;
use crate::replay::sending::{Due, Sending};
use crate::replay::tally::Tally;
use crate::results::{Driven, Machine, Manifest, ModelUsed, Origin, RESULTS_VERSION, Record};
use crate::trace::{Loop, Trace};
use link::LinkKeeper;

/// Makes every run of a campaign on the system behind a broker.
///
/// # Errors
/// What is missing before anything is sent; then a link that cannot be set, or results that cannot be written. What was measured stays.
pub async fn evaluate(
    bus: Bus,
    campaign: Campaign,
    to: &Destination,
    stop: &watch::Receiver<bool>,
    progress: Progress,
) -> Result<(Manifest, Summary), LoadgenError> {
    let material = Material::gather(campaign, Driven::Live)?;
    let mut system = LiveCampaign::prepare(bus, &material.campaign).await?;
    let plan = Plan::new(&material.campaign, &material.traces, Driven::Live);
    let models: Vec<ModelName> = material.campaign.models.iter().map(|model| model.name.clone()).collect();
    let (fronts, knowledge) = system.site.knowledge(&models);
    let manifest = system.manifest(&material, to.command.clone());
    let begun = Begun::begin(to, manifest, &material, &fronts, &plan)?;
    system.pass(&plan, &begun.records);
    let (all, ended) = (plan.requests(), AtomicU64::new(plan.requests() - begun.requests_left()));
    let hear = Box::new(move |record: &Record| {
        if !record.warm_up {
            progress(ended.fetch_add(1, Ordering::Relaxed) + 1, all);
        }
    });
    let fronts = Some(system.site.fronts());
    let mut books = Books { writer: begun.writer, tally: Tally::new(), knowledge, fronts, hear };
    for run in &begun.left {
        let (returned, end) = system.run(&material, run, books, stop).await?;
        if end == RunEnd::Stopped {
            return Err(LoadgenError::Stopped);
        }
        books = returned;
    }
    let (writer, to) = (books.writer, to.clone());
    match tokio::task::spawn_blocking(move || finish(writer, &to)).await {
        Ok(finished) => finished,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// A running system that a campaign is driven through.
#[derive(Debug)]
struct LiveCampaign {
    bus: Bus,
    site: Site,
    pictures: Arc<BTreeMap<ModelName, PictureSet>>,
    /// The machine whose link is changed; `None` in a campaign without links.
    edge: Option<NodeId>,
    /// How far each link has come, in closed loops.
    passed: HashMap<Lane, Millis>,
}

/// Runs that go on where the last one of them ended: round, network, trace, link and policy.
type Lane = (u32, usize, usize, Option<usize>, PolicyName);

fn lane(run: &PlannedRun) -> Lane {
    (run.key.round, run.model, run.trace, run.link, run.key.policy)
}

impl LiveCampaign {
    /// Checks that everything is there: networks, pictures, the edge whose link is changed.
    async fn prepare(bus: Bus, campaign: &Campaign) -> Result<Self, LoadgenError> {
        let site = Site::look(&bus).await?;
        let mut pictures = BTreeMap::new();
        for model in &campaign.models {
            site.served(&model.name)?;
            // Checked when the campaign was read.
            let images = model.images.as_deref().unwrap_or(std::path::Path::new(""));
            pictures.insert(model.name.clone(), PictureSet::from_folder(images)?);
        }
        let edge = match campaign.links.is_empty() {
            true => None,
            false => Some(site.edge(campaign.live.edge.as_ref())?),
        };
        Ok(Self { bus, site, pictures: Arc::new(pictures), edge, passed: HashMap::new() })
    }

    /// The manifest of a new results folder.
    fn manifest(&self, material: &Material, command: String) -> Manifest {
        let campaign = &material.campaign;
        let model = |entry: &ModelEntry| {
            let served = self.site.served(&entry.name).ok();
            let count = self.pictures.get(&entry.name).map_or(0, |set| set.pictures().len());
            let folder = entry.images.as_deref().unwrap_or(std::path::Path::new("")).display();
            ModelUsed {
                model: entry.name.clone(),
                digest: served.map(|served| served.digest.clone()),
                last_cut: served.map(|served| served.last_cut),
                pictures: Some(format!("{count} pictures of {folder}")),
                outcomes: None,
            }
        };
        Manifest {
            services: self.site.services().to_vec(),
            models: campaign.models.iter().map(model).collect(),
            links: material.links_used(Origin::Emulated),
            ..manifest(material, Driven::Live, command)
        }
    }

    /// Takes note of runs that are done already: links in closed loops go on behind them.
    fn pass(&mut self, plan: &Plan, records: &[Record]) {
        let mut lasted: HashMap<u32, Millis> = HashMap::new();
        for record in records.iter().filter(|record| !record.warm_up) {
            let ended = record.scheduled_ms + record.latency_ms;
            let last = lasted.entry(record.key.run).or_default();
            *last = if ended > *last { ended } else { *last };
        }
        for run in plan.runs() {
            if let Some(lasted) = lasted.get(&run.key.run) {
                *self.passed.entry(lane(run)).or_default() += *lasted;
            }
        }
    }

    /// Makes one run.
    async fn run(
        &mut self,
        material: &Material,
        run: &PlannedRun,
        books: Books,
        stop: &watch::Receiver<bool>,
    ) -> Result<(Books, RunEnd), LoadgenError> {
        let live = &material.campaign.live;
        let sending = Sending {
            client: Client::Nats(self.bus.clone()),
            pictures: self.pictures.clone(),
            policy: run.key.policy,
            most_in_flight: live.in_flight,
            clients: live.clients,
        };
        let trace = material.traces[run.trace].clone().to_model(&material.campaign.models[run.model].name);
        let dues = Due::of(&trace, |position| run.requests.contains(&position));
        let due_first = dues.first().and_then(|due| due.request.at);
        let (begin, offset) = match (trace.pacing(), due_first) {
            (Loop::Open, Some(first)) => (first, first),
            _ => (Millis::ZERO, self.passed.get(&lane(run)).copied().unwrap_or_default()),
        };
        let keeper = self.keeper(material, run, offset).await?;
        let mut books = books;
        if live.warm_up_requests > 0 {
            let warming = warming(run, &trace, live.warm_up_requests);
            books = books.run(&sending, warming, stop).await?.0;
        }
        let going = keeper.map(LinkKeeper::go);
        let began = tokio::time::Instant::now();
        let main = Run { key: run.key.clone(), warm_up: false, dues, begin };
        let ended = books.run(&sending, main, stop).await;
        let changes = match going {
            Some(going) => going.end().await?,
            None => Vec::new(),
        };
        let (mut books, end) = ended?;
        *self.passed.entry(lane(run)).or_default() += began.elapsed().into();
        changes.iter().try_for_each(|change| books.writer.link(change))?;
        Ok((books, end))
    }

    async fn keeper(
        &self,
        material: &Material,
        run: &PlannedRun,
        offset: Millis,
    ) -> Result<Option<LinkKeeper>, LoadgenError> {
        let (Some(link), Some(edge)) = (run.link, &self.edge) else { return Ok(None) };
        let name = material.campaign.links[link].name.to_string();
        let keeper = LinkKeeper {
            bus: self.bus.clone(),
            edge: edge.clone(),
            trace: material.links[link].clone(),
            offset,
            run: run.key.run,
            name,
        };
        keeper.hold_first().await?;
        Ok(Some(keeper))
    }
}

/// The first requests of a run, one after the other: with them the policy sets the hardware.
fn warming(run: &PlannedRun, trace: &Trace, requests: usize) -> Run {
    let end = run.requests.end.min(run.requests.start + requests);
    let dues = Due::of(&trace.clone().in_turn(), |position| (run.requests.start..end).contains(&position));
    Run { key: run.key.clone(), warm_up: true, dues, begin: Millis::ZERO }
}

/// What every manifest of a campaign has.
pub(super) fn manifest(material: &Material, driven: Driven, command: String) -> Manifest {
    let campaign = &material.campaign;
    Manifest {
        results_version: RESULTS_VERSION,
        software: concat!("loadgen ", env!("CARGO_PKG_VERSION")).into(),
        command,
        driven,
        began_at: UnixMillis::now(),
        ended_at: None,
        seed: campaign.seed,
        rounds: campaign.rounds.get(),
        settings: serde_json::to_value(campaign).unwrap_or_default(),
        machine: Machine::this(),
        services: Vec::new(),
        policies: campaign.policies.clone(),
        models: Vec::new(),
        traces: material.traces_used(),
        links: Vec::new(),
        fronts: Vec::new(),
        inputs: material.inputs(),
    }
}
