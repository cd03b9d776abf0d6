//! Makes the material of a report from a results folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use schemas::{Configuration, Place, PolicyName, Stage};

use super::material::{Cell, Material, Network, PolicyRun, Request, Timeline};
use crate::error::LoadgenError;
use crate::recording::{Recording, network_of};
use crate::results::{Answer, Driven, Manifest, Origin, Record, Results};

/// A condition: network, trace, link.
type Condition = (String, String, Option<String>);

/// How often each configuration ran, by network and policy.
type Chosen = HashMap<(String, Configuration), BTreeMap<usize, u64>>;

/// As [`Cell::origins`].
type Origins = BTreeMap<&'static str, BTreeMap<&'static str, BTreeSet<&'static str>>>;

/// What is gathered of one condition while records are read.
#[derive(Default)]
struct Gathered {
    by_policy: Vec<(PolicyName, Vec<Request>)>,
    origins: Origins,
    /// Requests of each run of each policy, to find one that shows how time passed.
    runs: BTreeMap<u32, (PolicyName, Vec<Request>)>,
}

impl Material {
    /// Of a results folder: of every record but those that only warmed the system up.
    ///
    /// # Errors
    /// No results folder, one of another version, one without a request that counts, or a file that is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self, LoadgenError> {
        let results = Results::open(folder)?;
        let manifest = results.manifest();
        let mut conditions: BTreeMap<Condition, Gathered> = BTreeMap::new();
        let mut chosen = Chosen::new();
        for record in results.records()? {
            let record = record?;
            if !record.warm_up {
                take(&record, manifest.driven, &mut conditions, &mut chosen);
            }
        }
        if conditions.is_empty() {
            return Err(LoadgenError::NothingToReport(folder.to_owned()));
        }
        let mut networks = networks(&results)?;
        for network in &mut networks {
            count(network, &chosen);
        }
        let cells =
            conditions.into_iter().map(|(condition, gathered)| cell(condition, gathered, &results)).collect();
        let name = folder
            .file_name()
            .map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned());
        Ok(Self { title: format!("Splinter: {name}"), facts: facts(manifest), cells, networks })
    }
}

fn take(
    record: &Record,
    driven: Driven,
    conditions: &mut BTreeMap<Condition, Gathered>,
    chosen: &mut Chosen,
) {
    let key = (record.model.to_string(), record.key.trace.clone(), record.key.link.clone());
    let gathered = conditions.entry(key).or_default();
    let policy = record.key.policy;
    let request = request(record, driven);
    if let Some(answer) = &record.answer {
        note_origins(answer, &mut gathered.origins);
        let position = PolicyName::SIMULATED.iter().position(|known| *known == policy).unwrap_or_default();
        let of_configuration = chosen.entry((record.model.to_string(), answer.configuration)).or_default();
        *of_configuration.entry(position).or_default() += 1;
    }
    if policy == PolicyName::Adaptive {
        gathered.runs.entry(record.key.run).or_insert_with(|| (policy, Vec::new())).1.push(request.clone());
    }
    match gathered.by_policy.iter_mut().find(|(known, _)| *known == policy) {
        Some((_, requests)) => requests.push(request),
        None => gathered.by_policy.push((policy, vec![request])),
    }
}

fn request(record: &Record, driven: Driven) -> Request {
    let request = Request {
        at_s: record.scheduled_ms.get() / 1e3,
        limit_ms: record.limit_ms.get(),
        ..Request::default()
    };
    let Some(answer) = &record.answer else { return request };
    let time = |stage: Stage| {
        let times =
            answer.stages.iter().filter(|timed| timed.stage == stage).map(|timed| timed.time_ms.get());
        times.reduce(|sum, time| sum + time)
    };
    let explained: f64 = answer.stages.iter().map(|timed| timed.time_ms.get()).sum();
    // In virtual time messages take no time: there is nothing to explain.
    let is_live = driven == Driven::Live && !answer.stages.is_empty();
    Request {
        latency_ms: Some(record.latency_ms.get()),
        joules: [Place::Edge, Place::Wire, Place::Cloud]
            .map(|place| answer.joules_at(place).map(schemas::Joules::get)),
        cut: Some(answer.configuration.cut.0),
        side: answer.side,
        plan_ms: time(Stage::Plan),
        change_ms: time(Stage::HardwareChange),
        unexplained_ms: is_live.then(|| (record.service_ms.get() - explained).max(0.0)),
        ..request
    }
}

/// Notes what of an answer was not measured as it is.
fn note_origins(answer: &Answer, origins: &mut Origins) {
    let word = |origin: Origin| match origin {
        Origin::Measured => None,
        Origin::Attributed => Some("A share of what a meter read for more"),
        Origin::Modelled => Some("Modelled"),
        Origin::Emulated => Some("Emulated"),
        Origin::Simulated => Some("Simulated"),
    };
    let name = |place: Place| match place {
        Place::Edge => "edge",
        Place::Wire => "wire",
        Place::Cloud => "cloud",
    };
    let times = answer.stages.iter().map(|timed| (timed.origin, "time", timed.place));
    let joules = answer.energy.iter().map(|entry| (entry.origin, "energy", entry.place));
    for (origin, what, place) in times.chain(joules) {
        if let Some(origin) = word(origin) {
            origins.entry(origin).or_default().entry(what).or_default().insert(name(place));
        }
    }
}

fn cell((model, trace, link): Condition, gathered: Gathered, results: &Results) -> Cell {
    let order = |policy: &PolicyName| PolicyName::SIMULATED.iter().position(|known| known == policy);
    let mut by_policy = gathered.by_policy;
    by_policy.sort_by_key(|(policy, _)| order(policy));
    let with_link = link.as_ref().map_or(String::new(), |link| format!(", link {link}"));
    let longest = gathered
        .runs
        .into_iter()
        .max_by_key(|(run, (_, requests))| (requests.len(), std::cmp::Reverse(*run)));
    let timeline = longest.map(|(run, (policy, mut requests))| {
        requests.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        let changes = results.links().iter().filter(|change| change.run == run);
        let link =
            changes.map(|change| (change.at_ms.get() / 1e3, change.state.bandwidth_mbit.get())).collect();
        Timeline { policy, requests, link }
    });
    Cell {
        name: format!("{model}, {trace}{with_link}"),
        model,
        trace,
        origins: gathered.origins,
        runs: by_policy.into_iter().map(|(policy, requests)| PolicyRun { policy, requests }).collect(),
        timeline,
    }
}

/// The networks' measured configurations: those of the pool that outcomes were drawn from, otherwise those that the latest front tells
/// of.
fn networks(results: &Results) -> Result<Vec<Network>, LoadgenError> {
    let manifest = results.manifest();
    let mut networks = Vec::new();
    for used in &manifest.models {
        let copied = |file: &&str| file.starts_with("inputs/") && file.ends_with(".csv");
        if let Some(file) = used.outcomes.as_deref().filter(copied) {
            let pool = results.folder().join(file);
            let network = network_of(&pool).unwrap_or(used.model.as_str()).to_owned();
            networks
                .push(Network::of_recording(used.model.as_str(), &Recording::read(&pool, &network, None)?)?);
            continue;
        }
        let fronts = manifest.fronts.iter().filter(|front| front.model == used.model);
        let latest = fronts.max_by_key(|front| front.revision).and_then(|front| results.front(&front.file));
        networks.extend(latest.map(Network::of_front));
    }
    Ok(networks)
}

/// Notes how often each policy chose each configuration.
fn count(network: &mut Network, chosen: &Chosen) {
    for one in &mut network.measured {
        let Some(decided) = one.decided else { continue };
        let Some(by_policy) = chosen.get(&(network.name.clone(), decided)) else { continue };
        one.chosen =
            by_policy.iter().map(|(position, count)| (PolicyName::SIMULATED[*position], *count)).collect();
    }
}

fn facts(manifest: &Manifest) -> Vec<(String, String)> {
    let driven = match manifest.driven {
        Driven::Live => "a running system",
        Driven::Simulator => "the simulator: every time and every joule is simulated",
    };
    let policies: Vec<String> = manifest.policies.iter().map(PolicyName::to_string).collect();
    let machine = &manifest.machine;
    let processor = machine.processor.as_deref().unwrap_or("an unnamed processor");
    let services: Vec<String> = manifest
        .services
        .iter()
        .map(|service| {
            let emulated = service.hardware.as_ref().and_then(|hardware| hardware.emulates.as_ref());
            let emulated = emulated.map_or(String::new(), |device| format!(" (emulating a {device})"));
            format!("{} {} on {}{emulated}", service.service, service.version, service.node)
        })
        .collect();
    let mut facts = vec![
        ("driven", driven.to_owned()),
        ("made with", manifest.software.clone()),
        ("command", manifest.command.clone()),
        ("seed", manifest.seed.to_string()),
        ("rounds", manifest.rounds.to_string()),
        ("policies", policies.join(", ")),
        ("machine", format!("{}, {processor}, {} threads", machine.system, machine.cores)),
    ];
    for trace in &manifest.traces {
        facts.push(("trace", format!("{}: {} requests", trace.name, trace.requests)));
    }
    for link in &manifest.links {
        let (least, greatest) = (link.least_bandwidth_mbit, link.greatest_bandwidth_mbit);
        facts.push(("link", format!("{}: {least} to {greatest}", link.name)));
    }
    if !services.is_empty() {
        facts.push(("services", services.join(", ")));
    }
    if manifest.ended_at.is_none() {
        facts.push(("not done", "runs are missing: this folder is being written, or was cut off".to_owned()));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
