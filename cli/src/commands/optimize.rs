//! `splinter optimize`: the offline phase over a running system, or its search strategies on recorded measurements.

mod pool;

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use broker::{Bus, Call, CallError, subjects};
use loadgen::PictureSet;
use schemas::{
    LabelledPicture, ModelName, OptimizeProgress, OptimizeReply, OptimizeRequest, OptimizeTask, SearchWishes,
    Share,
};

pub use pool::PoolReport;

use crate::arguments::{OptimizeArguments, Samples};
use crate::{connection, output, render};

/// Longest time one optimisation may take.
const LONGEST: Duration = Duration::from_secs(3 * 3600);

/// How often an optimizer that fell silent is asked again, with a pause before.
const MOST_SILENCES: u32 = 6;

/// The pictures travel in one message: this many bytes at most, well below the broker's limit of 16 MB.
const MOST_PICTURE_BYTES: usize = 8 << 20;

/// Measures a network and prints its front.
pub async fn run(arguments: OptimizeArguments) -> anyhow::Result<()> {
    if let Some(file) = &arguments.pool.pool {
        return pool::run(file, &arguments.pool, &arguments.search, &arguments.output).await;
    }
    let (Some(model), Some(images)) = (&arguments.model, &arguments.images) else {
        bail!("--model and --images are needed to measure: see `splinter optimize --help`");
    };
    let search = wishes(&arguments)?;
    let pictures = PictureSet::from_folder(images)?;
    let bus = connection::connect(&arguments.broker, "optimize").await?;
    let reply = measure(&bus, model, &pictures, arguments.samples, search).await;
    bus.close().await;
    output::print(arguments.output.json, &reply?, |reply| {
        if arguments.predictions {
            format!("{}\n\n{}", render::predictions(&reply.measurements), render::optimized(reply))
        } else {
            render::optimized(reply)
        }
    })
}

/// What the command line says of how to search.
fn wishes(arguments: &OptimizeArguments) -> anyhow::Result<SearchWishes> {
    let OptimizeArguments { search, edge, cloud, .. } = arguments;
    ensure!(
        search.strategy.len() <= 1,
        "one network is measured with one --strategy; several are compared with --pool"
    );
    ensure!(
        search.budget.len() <= 1,
        "one network is measured with one --budget; several are compared with --pool"
    );
    Ok(SearchWishes {
        task: match (arguments.refresh, arguments.afresh) {
            (true, _) => OptimizeTask::Refresh,
            (false, true) => OptimizeTask::MeasureAfresh,
            (false, false) => OptimizeTask::Measure,
        },
        strategy: search.strategy.first().map(ToString::to_string),
        seed: search.seed,
        budget: search.budget.first().map(|share| Share::new(*share)).transpose()?,
        space: search.space.as_deref().map(space_text).transpose()?,
        edge: edge.clone(),
        cloud: cloud.clone(),
    })
}

/// The text of a space: of a file, or of a preset where there is no such file.
fn space_text(path: &Path) -> anyhow::Result<String> {
    let preset = search::space::PRESETS.iter().find(|(name, _)| path.as_os_str() == *name);
    match preset {
        Some((_, text)) if !path.exists() => Ok((*text).to_owned()),
        _ => std::fs::read_to_string(path).with_context(|| {
            let presets: Vec<&str> = search::space::PRESETS.iter().map(|(name, _)| *name).collect();
            format!("cannot read {}, and it is none of the presets {}", path.display(), presets.join(", "))
        }),
    }
}

/// Has the optimizer measure a network, with a progress bar.
pub async fn measure(
    bus: &Bus,
    model: &ModelName,
    pictures: &PictureSet,
    samples: Samples,
    search: SearchWishes,
) -> anyhow::Result<OptimizeReply> {
    let request = OptimizeRequest {
        model: model.clone(),
        pictures: as_many_as_fit(pictures),
        samples: samples.least,
        most_samples: Some(samples.most),
        search,
    };
    ensure!(
        !request.pictures.is_empty(),
        "the first picture alone is larger than {MOST_PICTURE_BYTES} bytes"
    );
    let call = Call {
        accept_within: Some(connection::PATIENCE),
        ..Call::new(vec![subjects::optimize(model)], LONGEST, schemas::encode(&request)?)
    };
    let mut events = bus.subscribe(subjects::event("optimize")).await?;
    let bar = output::progress(1, "measuring");
    let mut calling = std::pin::pin!(bus.call(call.clone()));
    let mut silences = 0;
    let answer = loop {
        tokio::select! {
            answer = &mut calling => match answer {
                // Over a restart of the broker the optimizer measures on; asked again, it answers to the same request.
                Err(CallError::Silent(_) | CallError::Broker(_)) if silences < MOST_SILENCES => {
                    silences += 1;
                    tokio::time::sleep(connection::PATIENCE).await;
                    calling.set(bus.call(call.clone()));
                }
                answer => break answer,
            },
            Some(event) = events.next() => {
                if let Ok(progress) = schemas::decode::<OptimizeProgress>(&event.body)
                    && progress.model == *model
                {
                    bar.set_length(u64::from(progress.total));
                    bar.set_position(u64::from(progress.done));
                    bar.set_message(progress.last.configuration.to_string());
                }
            }
        }
    };
    bar.finish_and_clear();
    let answer =
        answer.map_err(|error| error.to_fault()).context("the optimizer did not measure the network")?;
    schemas::decode(&answer.body).context("the optimizer's answer is not readable")
}

fn as_many_as_fit(pictures: &PictureSet) -> Vec<LabelledPicture<'_>> {
    let mut room = MOST_PICTURE_BYTES;
    pictures
        .pictures()
        .iter()
        .take_while(|picture| {
            let fits = picture.bytes.len() <= room;
            room = room.saturating_sub(picture.bytes.len());
            fits
        })
        .map(|picture| LabelledPicture { bytes: Cow::Borrowed(&picture.bytes), class: picture.class })
        .collect()
}
