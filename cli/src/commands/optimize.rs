//! `splinter optimize`: the offline phase over a running system, or its search strategies on recorded measurements.

mod pool;

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use broker::{Bus, Call, subjects};
use loadgen::PictureSet;
use schemas::{LabelledPicture, ModelName, OptimizeProgress, OptimizeReply, OptimizeRequest};

pub use pool::PoolReport;

use crate::arguments::OptimizeArguments;
use crate::{connection, output, render};

/// Longest time one optimisation may take.
const LONGEST: Duration = Duration::from_secs(3 * 3600);

/// The pictures travel in one message: this many bytes at most, well below the broker's limit of 16 MB.
const MOST_PICTURE_BYTES: usize = 8 << 20;

/// Measures a network and prints its front.
pub async fn run(arguments: OptimizeArguments) -> anyhow::Result<()> {
    if let Some(file) = &arguments.pool.pool {
        return pool::run(file, &arguments.pool, &arguments.output).await;
    }
    let (Some(model), Some(images)) = (&arguments.model, &arguments.images) else {
        bail!("--model and --images are needed to measure: see `splinter optimize --help`");
    };
    let pictures = PictureSet::from_folder(images)?;
    let bus = connection::connect(&arguments.broker, "splinter-optimize").await?;
    let reply = measure(&bus, model, &pictures, arguments.samples).await;
    bus.close().await;
    output::print(arguments.output.json, &reply?, |reply| render::front(&reply.front))
}

/// Has the optimizer measure a network, with a progress bar.
pub async fn measure(
    bus: &Bus,
    model: &ModelName,
    pictures: &PictureSet,
    samples: u32,
) -> anyhow::Result<OptimizeReply> {
    let request = OptimizeRequest {
        model: model.clone(),
        pictures: as_many_as_fit(pictures),
        samples,
        most_samples: None,
        search: Default::default(),
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
    let mut calling = std::pin::pin!(bus.call(call));
    let answer = loop {
        tokio::select! {
            answer = &mut calling => break answer,
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
