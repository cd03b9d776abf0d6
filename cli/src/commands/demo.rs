//! `splinter demo`: the whole system at work on one machine, from nothing.

mod thinning;

use anyhow::Context;
use demo_network::pictures;
use loadgen::trace::limits::Limits;
use loadgen::trace::recipe::Recipe;
use loadgen::{Evaluation, Picture, PictureSet, Replay, Trace};
use models::Bundle;
use schemas::{Measurement, Millis, OptimizeReply, PolicyName, SearchWishes};
use serde::Serialize;

use crate::arguments::DemoArguments;
use crate::commands::optimize;
use crate::output::say;
use crate::site::{Site, SiteSettings};
use crate::{output, render};
use thinning::{Act, PhaseFigures};

/// Pictures drawn for the shipped network: each policy's trace goes through them in turn.
const DRAWN_PICTURES: u64 = 100;

/// What the demo found.
#[derive(Debug, Serialize)]
struct Findings {
    offline: OptimizeReply,
    limits_ms: Range,
    policies: Vec<Evaluation>,
    /// The second act.
    thinning: Vec<PhaseFigures>,
}

#[derive(Debug, Serialize)]
struct Range {
    least: Millis,
    greatest: Millis,
}

/// Starts everything, measures, compares, prints, and stops everything.
pub async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let (bundle, pictures) = network_and_pictures(&arguments)?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder for the broker")?;
    say(
        "Starting a broker and the six services (edge: an emulated Raspberry Pi 4; cloud: a modelled share of a server) ...",
    );
    let site = Site::start(SiteSettings::demo(folder.path())).await?;
    let found = show(&site, &bundle, &pictures, &arguments).await;
    say("Stopping the services ...");
    site.leave().await;
    output::print(arguments.output.json, &found?, |found| {
        let predictions = arguments.predictions.then(|| render::predictions(&found.offline.measurements));
        predictions.map_or_else(String::new, |table| format!("{table}\n\n")) + &text(found)
    })
}

fn network_and_pictures(arguments: &DemoArguments) -> anyhow::Result<(Bundle, PictureSet)> {
    match (&arguments.model, &arguments.images) {
        (Some(model), Some(images)) => {
            Ok((crate::commands::model::read_to_use(model)?, PictureSet::from_folder(images)?))
        }
        _ => Ok((shipped_network()?, drawn_pictures(arguments.seed)?)),
    }
}

fn shipped_network() -> anyhow::Result<Bundle> {
    let shipped = demo_network::bundle();
    Bundle::from_files(shipped.model_toml, shipped.onnx.to_vec(), Some(shipped.labels))
        .context("the network that ships with splinter is damaged")
}

fn drawn_pictures(seed: u64) -> anyhow::Result<PictureSet> {
    let draw = |index| {
        let drawn = pictures::draw(seed, index);
        Picture { bytes: drawn.to_png(), class: Some(drawn.class) }
    };
    PictureSet::new((0..DRAWN_PICTURES).map(draw).collect()).context("no pictures were drawn")
}

async fn show(
    site: &Site,
    bundle: &Bundle,
    pictures: &PictureSet,
    arguments: &DemoArguments,
) -> anyhow::Result<Findings> {
    site.add_model(bundle).await?;
    say(&format!("Searching the front of {} over the live pipeline ...", bundle.name()));
    let wishes = SearchWishes::default();
    let offline = optimize::measure(site.bus(), bundle.name(), pictures, arguments.samples, wishes).await?;
    let (least, greatest) = extremes(&offline.measurements)?;
    let recipe = Recipe::sequential(bundle.name(), Limits::Weibull { least, greatest });
    let trace = Recipe { requests: arguments.requests.into(), seed: arguments.seed, ..recipe }.trace()?;
    let mut policies = Vec::new();
    for policy in PolicyName::ALL {
        policies.push(evaluate(site, bundle, pictures, policy, &trace, &offline).await);
    }
    let (model, last_cut) = (bundle.name(), offline.front.last_cut);
    let thinning = Act { site, model, pictures, trace: &trace, last_cut }.play().await?;
    Ok(Findings { offline, limits_ms: Range { least, greatest }, policies, thinning })
}

/// The limits lie between the least and the greatest latency measured, as in the paper.
fn extremes(measurements: &[Measurement]) -> anyhow::Result<(Millis, Millis)> {
    let latencies = || measurements.iter().map(|measurement| measurement.latency.mean_ms);
    let least = latencies().min_by(|a, b| a.get().total_cmp(&b.get()));
    let greatest = latencies().max_by(|a, b| a.get().total_cmp(&b.get()));
    least.zip(greatest).context("nothing was measured")
}

async fn evaluate(
    site: &Site,
    bundle: &Bundle,
    pictures: &PictureSet,
    policy: PolicyName,
    trace: &Trace,
    offline: &OptimizeReply,
) -> Evaluation {
    let bar = output::progress(trace.requests().len() as u64, &format!("policy {policy}"));
    let replay = Replay { bus: site.bus(), model: bundle.name(), pictures, policy };
    let records = replay.run(trace, |_| bar.inc(1)).await;
    bar.finish_and_clear();
    Evaluation::of(policy, &records, offline.front.last_cut)
}

/// One measurement a cut and codec, in the order of the cuts.
fn at_highest_clock(measurements: &[Measurement]) -> Vec<&Measurement> {
    let clock = |measurement: &&Measurement| measurement.configuration.edge_frequency_khz;
    let highest = measurements.iter().filter_map(|measurement| clock(&measurement)).max();
    let mut shown: Vec<_> = measurements.iter().filter(|measurement| clock(measurement) == highest).collect();
    shown.sort_by_key(|measurement| (measurement.configuration.cut, measurement.configuration.codec));
    shown
}

fn text(findings: &Findings) -> String {
    let measured = at_highest_clock(&findings.offline.measurements);
    let configurations = findings.offline.measurements.len();
    let requests = findings.policies.first().map_or(0, |row| row.requests);
    format!(
        "At the highest clock, of {configurations} configurations that the search measured (--json has them all)\n{}\n\n{}\n\n{requests} requests for each policy, latency limits from {:.1} to {:.1}\n{}\n\nThe same requests while the emulated link thins to 2 Mbit/s and recovers, {} in each phase\n{}",
        render::measurements(&measured),
        render::front(&findings.offline.front),
        findings.limits_ms.least,
        findings.limits_ms.greatest,
        render::evaluations(&findings.policies),
        findings.thinning.first().map_or(0, |phase| phase.figures.requests),
        thinning::table(&findings.thinning),
    )
}
