//! `splinter front import`: a front of elsewhere, from an exported file or from recorded measurements.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use broker::{Bus, subjects};
use schemas::{
    Accelerator, Accuracy, ByteCount, Codec, Configuration, Cut, Digest, EnergyEntry, EnergySource, Front,
    FrontId, HardwareChanges, LatencySummary, Measurement, Millis, ModelDescription, ModelName, NodeId,
    Place, Provenance, SearchSummary, Share, Stage, StageTime, TimeSource, UnixMillis,
};
use search::knob::{Knob, Value};
use search::pool::{Pool, Recorded};
use search::space::SpaceFile;
use search::{Candidate, Space};

use crate::arguments::ImportArguments;
use crate::{connection, output, render};

/// How long an executor may take to describe a network.
const DESCRIBING: Duration = Duration::from_secs(5);

/// How often somebody else may publish in between.
const ATTEMPTS: u32 = 5;

/// Reads the file and publishes the front as the next revision of what is there.
pub async fn run(arguments: ImportArguments) -> anyhow::Result<()> {
    let bus = connection::connect(&arguments.broker, "front").await?;
    let imported = import(&bus, &arguments).await;
    bus.close().await;
    output::print(arguments.output.json, &imported?, render::front)
}

async fn import(bus: &Bus, arguments: &ImportArguments) -> anyhow::Result<Front> {
    let is_json = arguments.file.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let front = if is_json { exported(&arguments.file)? } else { recorded(bus, arguments).await? };
    for _ in 0..ATTEMPTS {
        let published = bus.published_front(&front.model, &front.edge, &front.cloud).await?;
        let revision = published.front.map_or(0, |front| front.revision) + 1;
        let next = broker::sealed(Front { id: FrontId::fresh(), revision, ..front.clone() });
        if bus.replace_front(&next, published.entry).await?.is_some() {
            return Ok(next);
        }
    }
    bail!("somebody else published a front each time: try again")
}

/// What `splinter front export` wrote.
fn exported(file: &Path) -> anyhow::Result<Front> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let front: Front = serde_json::from_str(&text)
        .with_context(|| format!("{} is no front as `splinter front export` writes it", file.display()))?;
    ensure!(!front.points.is_empty(), "{} has no point", file.display());
    ensure!(
        broker::is_intact(&front),
        "{} is not what its digest says: it was changed after it was exported; take its field \"content\" out to import it as it is",
        file.display()
    );
    Ok(front)
}

/// The front of recorded measurements, of a network that is served here.
async fn recorded(bus: &Bus, arguments: &ImportArguments) -> anyhow::Result<Front> {
    let (Some(model), Some(edge), Some(cloud)) = (&arguments.model, &arguments.edge, &arguments.cloud) else {
        bail!("recorded measurements do not say of what they are: name --model, --edge and --cloud");
    };
    let preset = |network: &String| {
        let name = if network.contains('-') { network.clone() } else { format!("dynasplit-{network}") };
        SpaceFile::preset(&name)
    };
    let declared = arguments.network.as_ref().map(preset).transpose()?;
    let pool = Pool::read(&arguments.file, declared)?;
    let answer = bus.ask(subjects::describe(model), DESCRIBING, &()).await.map_err(|error| error.to_fault());
    let answer =
        answer.with_context(|| format!("{model} must be served, so that it is known what its cuts are"))?;
    let description: ModelDescription = schemas::decode(&answer.body)?;
    let source =
        arguments.file.file_name().map_or("import".into(), |name| name.to_string_lossy().into_owned());
    let to = Target {
        model: model.clone(),
        digest: description.digest.clone(),
        edge: edge.clone(),
        cloud: cloud.clone(),
        pictures: arguments.pictures,
    };
    front_of(&pool, &description, to, &source)
}

/// What a front is made for.
struct Target {
    model: ModelName,
    digest: Digest,
    edge: NodeId,
    cloud: NodeId,
    pictures: Option<u32>,
}

/// The front of a pool. Configurations with an accelerator that no executor can have are left out.
fn front_of(pool: &Pool, description: &ModelDescription, to: Target, source: &str) -> anyhow::Result<Front> {
    let last_cut = description.cuts.iter().map(|cut| cut.cut).max().unwrap_or(Cut::ALL_CLOUD);
    let of_pool = pool.space().values(Knob::Cut).iter().filter_map(cut_of).max();
    ensure!(
        of_pool == Some(last_cut),
        "the measurements do not go up to cut {last_cut} as {} does: they are of another network",
        to.model
    );
    let measured: Vec<Measurement> = pool
        .recorded()
        .iter()
        .filter_map(|(candidate, recorded)| {
            let configuration = configuration(pool.space(), *candidate)?;
            let name = description.cuts.iter().find(|cut| cut.cut == configuration.cut)?.name.clone();
            Some(measurement(configuration, name, recorded, &to, source))
        })
        .collect();
    let highest = measured.iter().filter_map(|one| one.configuration.edge_frequency_khz).max();
    let baseline = |cut: Cut| {
        let at = measured.iter().filter(|one| one.configuration.cut == cut);
        let at_highest = at.filter(|one| one.configuration.edge_frequency_khz == highest);
        let fastest = at_highest.min_by(|a, b| a.latency.mean_ms.get().total_cmp(&b.latency.mean_ms.get()));
        fastest.cloned().with_context(|| format!("nothing was recorded at cut {cut} at the highest clock"))
    };
    let judged = optimizer::front::judge(&measured, last_cut);
    let now = UnixMillis::now();
    Ok(Front {
        id: FrontId::fresh(),
        revision: 1,
        model: to.model.clone(),
        digest: to.digest.clone(),
        last_cut,
        edge: to.edge.clone(),
        emulates: None,
        cloud: to.cloud.clone(),
        points: judged.points,
        tied: judged.tied,
        suspects: judged.suspects,
        all_cloud: baseline(Cut::ALL_CLOUD)?,
        all_edge: baseline(last_cut)?,
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: Some(SearchSummary {
            strategy: "import".into(),
            seed: 0,
            legal: pool.space().count() as u64,
            quantile: Share::saturating(0.5),
        }),
        measured: u32::try_from(measured.len()).unwrap_or(u32::MAX),
        started_at: now,
        ended_at: now,
        software: source.to_owned(),
        content: None,
    })
}

fn cut_of(value: &Value) -> Option<Cut> {
    match value {
        Value::Cut(cut) => Some(*cut),
        _ => None,
    }
}

/// As executors run it; `None` with an accelerator that they cannot have.
fn configuration(space: &Space, candidate: Candidate) -> Option<Configuration> {
    let accelerator = |knob| match space.value(candidate, knob) {
        Value::Accelerator(name) => match name.as_str() {
            "off" => Some(Accelerator::Cpu),
            // What the paper's cloud machine switches on is an NVIDIA graphics processor.
            "on" => Some(Accelerator::Cuda),
            other => other.parse().ok(),
        },
        _ => Some(Accelerator::Cpu),
    };
    Some(Configuration {
        cut: cut_of(space.value(candidate, Knob::Cut))?,
        codec: match space.value(candidate, Knob::Codec) {
            Value::Codec(codec) => *codec,
            _ => Codec::default(),
        },
        edge_frequency_khz: match space.value(candidate, Knob::EdgeFrequency) {
            Value::Frequency(clock) => Some(*clock),
            _ => None,
        },
        edge_accelerator: accelerator(Knob::EdgeAccelerator)?,
        edge_threads: match space.value(candidate, Knob::EdgeThreads) {
            Value::Threads(threads) => Some(*threads),
            _ => None,
        },
        cloud_accelerator: accelerator(Knob::CloudAccelerator)?,
    })
}

fn measurement(
    configuration: Configuration,
    cut_name: String,
    recorded: &Recorded,
    to: &Target,
    source: &str,
) -> Measurement {
    let Recorded { observation, rows, .. } = recorded;
    let latency = observation.latency;
    let stage = |stage, place, time_ms| StageTime { stage, place, time_ms, source: TimeSource::Measured };
    let stages = observation.parts.map_or(Vec::new(), |parts| {
        vec![
            stage(Stage::Head, Place::Edge, parts.edge_time),
            stage(Stage::Transfer, Place::Wire, parts.wire_time),
            stage(Stage::Tail, Place::Cloud, parts.cloud_time),
        ]
    });
    let entry = |place, joules| EnergyEntry { place, source: EnergySource::Measured, joules };
    let energy = match (observation.parts, observation.energy) {
        (Some(parts), Some(_)) => {
            vec![entry(Place::Edge, parts.edge_energy), entry(Place::Cloud, parts.cloud_energy)]
        }
        (None, Some(joules)) => vec![entry(Place::Edge, joules)],
        (_, None) => Vec::new(),
    };
    let now = UnixMillis::now();
    Measurement {
        configuration,
        cut_name,
        latency: LatencySummary {
            mean_ms: latency,
            p50_ms: latency,
            p95_ms: latency,
            deviation_ms: Millis::ZERO,
        },
        stages,
        energy,
        // Pools do not say on how many pictures.
        accuracy: observation.accuracy.zip(to.pictures).map(|(share, pictures)| Accuracy { share, pictures }),
        sent_bytes: ByteCount(0),
        samples: *rows,
        uncertainty: None,
        provenance: Some(Provenance {
            first_at: now,
            last_at: now,
            software: source.to_owned(),
            edge: to.edge.clone(),
            cloud: to.cloud.clone(),
            hardware: None,
            expected: None,
            measured_again: false,
            suspicions: Vec::new(),
        }),
    }
}
