//! `splinter model`: networks, in files and in a running system.

mod add;
mod cut;
mod inspect;
mod pull;
mod verify;

use std::path::Path;

use anyhow::Context;
use models::{Bundle, Preset};
use schemas::ServedModel;
use serde::Serialize;

use crate::arguments::{BrokerArguments, ModelCommand};
use crate::output::say;
use crate::{connection, output, render};

/// Runs one of the model commands.
pub async fn run(command: ModelCommand) -> anyhow::Result<()> {
    match command {
        ModelCommand::Add(arguments) => add::run(arguments).await,
        ModelCommand::Pull(arguments) => pull::run(arguments).await,
        ModelCommand::List { broker, output } => {
            let served = served(&broker).await?;
            output::print(output.json, &served, |served| list(served))
        }
        ModelCommand::Inspect(arguments) => inspect::run(arguments).await,
        ModelCommand::Cut(arguments) => tokio::task::spawn_blocking(move || cut::run(&arguments)).await?,
        ModelCommand::Verify(arguments) => verify::run(arguments).await,
    }
}

/// Reads a bundle folder or a bare ONNX file, to look at it: no picture goes in.
fn read(path: &Path) -> anyhow::Result<Bundle> {
    let bundle = if path.is_dir() { Bundle::open(path) } else { Bundle::from_onnx_to_look_at(path) };
    bundle.with_context(|| unusable(path))
}

fn unusable(path: &Path) -> String {
    format!("{} is not a network that can be used", path.display())
}

/// Reads a bundle folder or a bare ONNX file to give it pictures. The file's preprocessing is a guess, which is said.
pub fn read_to_use(path: &Path) -> anyhow::Result<Bundle> {
    if path.is_file() {
        let guess = Preset::default();
        say(&format!(
            "{}: preprocessing guessed as {guess} ({}); a bundle, or `model add --preset`, says it",
            path.display(),
            guess.about()
        ));
        return Bundle::from_onnx(path, guess).with_context(|| unusable(path));
    }
    read(path)
}

/// One network and who serves it.
#[derive(Debug, Serialize)]
struct Served {
    model: ServedModel,
    instances: Vec<String>,
}

async fn served(broker: &BrokerArguments) -> anyhow::Result<Vec<Served>> {
    let bus = connection::connect(broker, "splinter-model").await?;
    let presences = bus.watch_presences().await?;
    let mut served: Vec<Served> = Vec::new();
    for presence in presences.snapshot().iter() {
        let instance = format!("{} {} on {}", presence.service, presence.instance, presence.node);
        for model in &presence.models {
            match served.iter_mut().find(|known| known.model == *model) {
                Some(known) => known.instances.push(instance.clone()),
                None => served.push(Served { model: model.clone(), instances: vec![instance.clone()] }),
            }
        }
    }
    bus.close().await;
    Ok(served)
}

fn list(served: &[Served]) -> String {
    if served.is_empty() {
        return "no executor serves a network yet: add one with `splinter model add PATH`".into();
    }
    let line = |one: &Served| {
        format!(
            "{}  {}…  {} cuts  input {}  served by {}",
            one.model.name,
            &one.model.digest.as_str()[..12],
            u32::from(one.model.last_cut.0) + 1,
            render::shape(&one.model.input.shape),
            one.instances.join(", "),
        )
    };
    served.iter().map(line).collect::<Vec<_>>().join("\n")
}
