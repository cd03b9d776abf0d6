//! `loadgen replay`: a trace through a running system.

mod arguments;
mod render;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use command::{connection, output};
use loadgen::replay::account::Knowledge;
use loadgen::replay::books::{Books, Run, RunEnd};
use loadgen::replay::client::{Client, HttpClient};
use loadgen::replay::live::Site;
use loadgen::replay::sending::{Due, Sending};
use loadgen::replay::tally::Tally;
use loadgen::results::{
    Driven, InputFile, Machine, Manifest, ModelUsed, RESULTS_VERSION, ResultsWriter, RunKey, TraceUsed,
};
use loadgen::trace::Loop;
use loadgen::{LoadgenError, PictureSet, Trace};
use schemas::{Front, Millis, ModelName, UnixMillis};

pub use arguments::ReplayArguments;

use super::{input, made_by, stopping};

/// Sends the trace, prints what came of it, and fails where a requirement is missed.
pub async fn run(arguments: ReplayArguments) -> anyhow::Result<()> {
    let (trace, file) = read_trace(&arguments)?;
    let pictures = pictures(&arguments, &trace)?;
    let system = System::reach(&arguments, &trace).await?;
    let prepared = prepare(&arguments, &trace, file, &system, &pictures)?;
    let (end, books) = send(&arguments, trace, pictures, &system, prepared).await?;
    let figures = books.tally.figures();
    if end == RunEnd::Stopped {
        output::print(arguments.output.json, &figures, |figures| {
            render::figures(figures, &arguments.results)
        })?;
        return Err(LoadgenError::Stopped.into());
    }
    let folder = arguments.results.clone();
    tokio::task::spawn_blocking(move || books.writer.finish(None::<&()>)).await??;
    output::print(arguments.output.json, &figures, |figures| render::figures(figures, &folder))?;
    let missed: Vec<String> =
        arguments.require.iter().filter_map(|required| required.missed(&figures)).collect();
    if missed.is_empty() { Ok(()) } else { bail!(missed.join("; ")) }
}

/// The trace as it is sent, and the file as it is.
fn read_trace(arguments: &ReplayArguments) -> anyhow::Result<(Trace, Vec<u8>)> {
    let mut trace = Trace::read(&arguments.trace)?.faster(arguments.speed);
    if let Some(model) = &arguments.model {
        trace = trace.to_model(model);
    }
    if arguments.in_turn {
        trace = trace.in_turn();
    }
    let file = std::fs::read(&arguments.trace)
        .with_context(|| format!("cannot read {}", arguments.trace.display()))?;
    Ok((trace, file))
}

fn pictures(arguments: &ReplayArguments, trace: &Trace) -> anyhow::Result<BTreeMap<ModelName, PictureSet>> {
    let mut sets = BTreeMap::new();
    for model in trace.models() {
        let own = arguments.images.iter().find(|(of, _)| of.as_ref() == Some(model.as_ref()));
        let any = arguments.images.iter().find(|(of, _)| of.is_none());
        let (_, folder) = own.or(any).with_context(|| {
            format!("the trace asks {model}, for which no pictures are named: use --images")
        })?;
        sets.insert(model.as_ref().clone(), PictureSet::from_folder(folder)?);
    }
    Ok(sets)
}

/// The running system, as far as it can be seen.
struct System {
    client: Client,
    site: Option<Site>,
}

impl System {
    async fn reach(arguments: &ReplayArguments, trace: &Trace) -> anyhow::Result<Self> {
        if let Some(address) = &arguments.http {
            return Ok(Self { client: Client::Http(HttpClient::new(address)?), site: None });
        }
        let bus = connection::connect(&arguments.broker, "loadgen-replay").await?;
        let site = Site::look(&bus).await?;
        for model in trace.models() {
            site.served(&model)?;
        }
        Ok(Self { client: Client::Nats(bus), site: Some(site) })
    }

    fn seen(&self, models: &[ModelName]) -> (Vec<Front>, Knowledge) {
        self.site.as_ref().map(|site| site.knowledge(models)).unwrap_or_default()
    }
}

/// A results folder, and what is left to send.
struct Prepared {
    writer: ResultsWriter,
    tally: Tally,
    knowledge: Knowledge,
    run: u32,
    left: Vec<bool>,
}

fn prepare(
    arguments: &ReplayArguments,
    trace: &Trace,
    file: Vec<u8>,
    system: &System,
    pictures: &BTreeMap<ModelName, PictureSet>,
) -> anyhow::Result<Prepared> {
    let models: Vec<ModelName> = pictures.keys().cloned().collect();
    let (fronts, knowledge) = system.seen(&models);
    let name = arguments.trace.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entry = input(&name, &arguments.trace.display().to_string(), &file);
    let mut left = vec![true; trace.requests().len()];
    if !arguments.resume {
        let manifest = manifest(arguments, trace, system, pictures, entry);
        let writer = ResultsWriter::create(&arguments.results, manifest, &[(name, file)], &fronts)?;
        return Ok(Prepared { writer, tally: Tally::new(), knowledge, run: 0, left });
    }
    let (writer, records) = ResultsWriter::resume(&arguments.results)?;
    check_same(writer.manifest(), &manifest(arguments, trace, system, pictures, entry), &arguments.results)?;
    let (mut tally, mut run) = (Tally::new(), 0);
    for record in &records {
        tally.add(record);
        run = run.max(record.key.run + 1);
        if let Some(left) = left.get_mut(record.request as usize).filter(|_| !record.warm_up) {
            *left = false;
        }
    }
    Ok(Prepared { writer, tally, knowledge, run, left })
}

/// Records of another trace or policy would be mixed with those that are there.
fn check_same(begun: &Manifest, now: &Manifest, folder: &Path) -> Result<(), LoadgenError> {
    if begun.inputs != now.inputs || begun.settings != now.settings {
        let (path, command) = (folder.to_owned(), begun.command.clone());
        return Err(LoadgenError::OtherResults { path, command });
    }
    Ok(())
}

fn manifest(
    arguments: &ReplayArguments,
    trace: &Trace,
    system: &System,
    pictures: &BTreeMap<ModelName, PictureSet>,
    entry: InputFile,
) -> Manifest {
    let site = system.site.as_ref();
    let model = |(model, set): (&ModelName, &PictureSet)| {
        let served = site.and_then(|site| site.served(model).ok());
        ModelUsed {
            model: model.clone(),
            digest: served.map(|served| served.digest.clone()),
            last_cut: served.map(|served| served.last_cut),
            pictures: Some(format!("{} pictures", set.pictures().len())),
            outcomes: None,
        }
    };
    Manifest {
        results_version: RESULTS_VERSION,
        software: concat!("loadgen ", env!("CARGO_PKG_VERSION")).into(),
        command: made_by(),
        driven: Driven::Live,
        began_at: UnixMillis::now(),
        ended_at: None,
        // Nothing is drawn in a replay.
        seed: 0,
        rounds: 1,
        settings: arguments.settings(),
        machine: Machine::this(),
        services: site.map(|site| site.services().to_vec()).unwrap_or_default(),
        policies: vec![arguments.policy],
        models: pictures.iter().map(model).collect(),
        traces: vec![TraceUsed {
            name: arguments.trace_name(),
            file: entry.file.clone(),
            requests: trace.requests().len() as u64,
            pacing: trace.pacing(),
            duration_ms: trace.duration(),
        }],
        links: Vec::new(),
        fronts: Vec::new(),
        inputs: vec![entry],
    }
}

async fn send(
    arguments: &ReplayArguments,
    trace: Trace,
    pictures: BTreeMap<ModelName, PictureSet>,
    system: &System,
    prepared: Prepared,
) -> anyhow::Result<(RunEnd, Books)> {
    let Prepared { writer, tally, knowledge, run, left } = prepared;
    let sending = Sending {
        client: system.client.clone(),
        pictures: Arc::new(pictures),
        policy: arguments.policy,
        most_in_flight: arguments.in_flight,
        clients: arguments.clients,
    };
    let key = RunKey {
        run,
        round: 0,
        block: 0,
        policy: arguments.policy,
        trace: arguments.trace_name(),
        link: None,
    };
    let dues = Due::of(&trace, |position| left[position]);
    let begin = match (trace.pacing(), dues.first().and_then(|due| due.request.at)) {
        // What is resumed begins with what is missing.
        (Loop::Open, Some(first)) if arguments.resume => first,
        _ => Millis::ZERO,
    };
    let bar = output::progress(left.len() as u64, "replaying");
    bar.set_position((left.len() - dues.len()) as u64);
    let shown = bar.clone();
    let hear = Box::new(move |record: &loadgen::results::Record| {
        if !record.warm_up {
            shown.inc(1);
        }
    });
    let fronts = system.site.as_ref().map(Site::fronts);
    let mut books = Books { writer, tally, knowledge, fronts, hear };
    let stop = stopping();
    if arguments.warm_up > 0 {
        let first = trace.clone().in_turn();
        let dues = Due::of(&first, |position| position < arguments.warm_up);
        let warming = Run { key: key.clone(), warm_up: true, dues, begin: Millis::ZERO };
        books = books.run(&sending, warming, &stop).await?.0;
    }
    let (books, end) = books.run(&sending, Run { key, warm_up: false, dues, begin }, &stop).await?;
    bar.finish_and_clear();
    Ok((end, books))
}
