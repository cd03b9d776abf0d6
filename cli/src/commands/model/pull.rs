//! `splinter model pull`: a network of the catalogue as a bundle folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use download::{Event, Limits, Source};
use models::Bundle;
use schemas::{Digest, ModelName};
use serde::Serialize;

use super::add;
use crate::arguments::PullArguments;
use crate::catalogue::{Catalogue, CatalogueNetwork};
use crate::output::say;
use crate::{output, render};

/// What was fetched.
#[derive(Debug, Serialize)]
struct Pulled {
    model: ModelName,
    digest: Digest,
    licence: String,
    folder: PathBuf,
}

/// Fetches a network, or lists the catalogue.
pub async fn run(arguments: PullArguments) -> anyhow::Result<()> {
    let catalogue = match &arguments.catalogue {
        Some(path) => Catalogue::read(path)?,
        None => Catalogue::shipped()?,
    };
    let Some(name) = &arguments.name else {
        return output::print(arguments.output.json, &catalogue.networks, |networks| {
            render::catalogue(networks)
        });
    };
    let network = catalogue.find(name)?;
    let folder = arguments.output_dir.unwrap_or_else(|| PathBuf::from(name.as_str()));
    let bundle = match fs::symlink_metadata(&folder) {
        Ok(_) => already_there(network, &folder)?,
        Err(_) => fetch(network, &folder).await?,
    };
    let (model, digest) = (bundle.name().clone(), bundle.digest().clone());
    let pulled = Pulled { model, digest, licence: network.licence.clone(), folder };
    output::print(arguments.output.json, &pulled, |pulled| {
        format!("{} ({}) is in {}", pulled.model, pulled.licence, pulled.folder.display())
    })?;
    if arguments.add { add::store(&bundle, &arguments.broker).await } else { Ok(()) }
}

/// The bundle that an earlier call has fetched.
fn already_there(network: &CatalogueNetwork, folder: &Path) -> anyhow::Result<Bundle> {
    let found = Bundle::open(folder);
    match found {
        Ok(bundle) if *bundle.digest() == network.onnx.sha256 => Ok(bundle),
        _ => bail!(
            "{} is there already and is not the catalogue's {}: name another folder with -o",
            folder.display(),
            network.name
        ),
    }
}

/// Everything is made in `FOLDER.part`, which becomes the folder in one step.
async fn fetch(network: &CatalogueNetwork, folder: &Path) -> anyhow::Result<Bundle> {
    let mut unfinished = folder.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let unwritable = |path: &Path| format!("cannot write {}", path.display());
    fs::create_dir_all(&unfinished).with_context(|| unwritable(&unfinished))?;
    let bundle = match fill(network, &unfinished).await {
        Ok(bundle) => bundle,
        Err(error) => {
            // Where nothing of use has arrived nothing is left; a folder with something in it stays.
            let _kept = fs::remove_dir(&unfinished);
            return Err(error);
        }
    };
    fs::rename(&unfinished, folder).with_context(|| unwritable(folder))?;
    Ok(bundle)
}

async fn fill(network: &CatalogueNetwork, folder: &Path) -> anyhow::Result<Bundle> {
    let onnx = folder.join("model.onnx");
    download(&network.onnx, &onnx, network.name.as_str()).await?;
    let bundle = Bundle::from_onnx(&onnx, network.preset)
        .with_context(|| format!("{} of the catalogue is not a network that can be used", network.name))?
        .renamed(network.name.clone())
        .with_origin(&network.onnx.address, &network.licence);
    let bundle = match &network.labels {
        Some(source) => {
            let labels = folder.join("labels.txt");
            download(source, &labels, "labels").await?;
            bundle.with_labels(&labels)?
        }
        None => bundle,
    };
    bundle.write_to(folder)?;
    Ok(bundle)
}

async fn download(source: &Source, to: &Path, doing: &str) -> anyhow::Result<()> {
    let bar = output::byte_progress(source.bytes, doing);
    let shown = |event: Event<'_>| match event {
        Event::Received(bytes) => bar.set_position(bytes),
        Event::TriesAgain(error) => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
            bar.suspend(|| say(&format!("{error}{}; trying again", cause.unwrap_or_default())));
        }
    };
    let ended = download::download(source, to, &Limits::default(), shown).await;
    bar.finish_and_clear();
    ended.map_err(|error| match resumable(to) {
        Some(bytes) => anyhow::Error::new(error).context(format!(
            "{doing} is not whole: {bytes} of {} bytes are kept, the next call goes on",
            source.bytes
        )),
        None => error.into(),
    })
}

/// Bytes that are kept for the next call.
fn resumable(to: &Path) -> Option<u64> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    fs::metadata(part).map(|part| part.len()).ok().filter(|length| *length > 0)
}
