//! `splinter model`: networks, in files and in a running system.

mod add;
mod pull;

use std::path::Path;

use anyhow::{Context, bail};
use broker::subjects;
use models::{Bundle, Device, Network, Preset};
use schemas::{Cut, ModelDescription, ModelName, ServedModel, Tensor};
use serde::Serialize;

use crate::arguments::{BrokerArguments, ModelCommand};
use crate::output::say;
use crate::{connection, output, render};

/// The rule by which head∘tail counts as the whole network: |a − b| ≤ this × (1 + |b|) for each output.
const SAME_RESULT: f32 = 1e-4;

/// Runs one of the model commands.
pub async fn run(command: ModelCommand) -> anyhow::Result<()> {
    match command {
        ModelCommand::Add(arguments) => add::run(arguments).await,
        ModelCommand::Pull(arguments) => pull::run(arguments).await,
        ModelCommand::List { broker, output } => {
            let served = served(&broker).await?;
            output::print(output.json, &served, |served| list(served))
        }
        ModelCommand::Inspect { model, broker, output } => {
            let description = describe(&model, &broker).await?;
            output::print(output.json, &description, inspection)
        }
        ModelCommand::Verify { path, output } => {
            let report = tokio::task::spawn_blocking(move || verify(&path)).await??;
            output::print(output.json, &report, Verification::text)?;
            if report.holds() { Ok(()) } else { bail!("head and tail differ from the whole network") }
        }
    }
}

/// Reads a bundle folder or a bare ONNX file; that file's preprocessing is then a guess, which matters only to who
/// gives it pictures.
fn read(path: &Path) -> anyhow::Result<Bundle> {
    let bundle = if path.is_dir() { Bundle::open(path) } else { Bundle::from_onnx(path, Preset::default()) };
    bundle.with_context(|| format!("{} is not a network that can be used", path.display()))
}

/// As [`read`], and says that it guesses where it does.
pub fn read_to_use(path: &Path) -> anyhow::Result<Bundle> {
    if path.is_file() {
        let guess = Preset::default();
        say(&format!(
            "{}: preprocessing guessed as {guess} ({}); a bundle, or `model add --preset`, says it",
            path.display(),
            guess.about()
        ));
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
    let bus = connection::connect(broker, "model").await?;
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

/// From a file or folder where there is one of that name, otherwise from a running system.
async fn describe(model: &str, broker: &BrokerArguments) -> anyhow::Result<ModelDescription> {
    if Path::new(model).exists() {
        let bundle = read(Path::new(model))?;
        return tokio::task::spawn_blocking(move || {
            let network = Network::load(&bundle, Device::Cpu)?;
            Ok(network.describe(bundle.name(), bundle.labels()))
        })
        .await?;
    }
    let name: ModelName = model
        .parse()
        .with_context(|| format!("{model:?} is neither a file, nor a folder, nor the name of a network"))?;
    let bus = connection::connect(broker, "model").await?;
    let answer = bus.ask(subjects::describe(&name), connection::PATIENCE, &()).await;
    bus.close().await;
    let answer = answer.map_err(|error| error.to_fault()).with_context(|| format!("nobody serves {name}"))?;
    schemas::decode(&answer.body).context("the executor's answer is not readable")
}

fn inspection(description: &ModelDescription) -> String {
    format!(
        "{}  SHA-256 {}\ninput {} {}  output {} {}  {} labels\n{}",
        description.name,
        description.digest,
        description.input.name,
        render::shape(&description.input.shape),
        description.output.name,
        render::shape(&description.output.shape),
        description.labels.len(),
        render::cuts(description),
    )
}

/// What `verify` found.
#[derive(Debug, Serialize)]
struct Verification {
    model: ModelName,
    digest: String,
    cuts: usize,
    /// Greatest |head∘tail − whole| ÷ (1 + |whole|) over all outputs and cuts.
    greatest_difference: f32,
    at_cut: Cut,
}

impl Verification {
    fn holds(&self) -> bool {
        self.greatest_difference <= SAME_RESULT
    }

    fn text(&self) -> String {
        let verdict = if self.holds() { "equal" } else { "DIFFER FROM" };
        format!(
            "{}: digests match; head and tail {verdict} the whole network at {} cuts (greatest difference {:.1e}, at cut {})",
            self.model, self.cuts, self.greatest_difference, self.at_cut,
        )
    }
}

fn verify(path: &Path) -> anyhow::Result<Verification> {
    let bundle = read(path)?;
    let network = Network::load(&bundle, Device::Cpu)?;
    let description = network.describe(bundle.name(), bundle.labels());
    let input = probe(&description.input.shape)?;
    let whole = network.run(&input)?.to_f32()?;
    let mut found = Verification {
        model: bundle.name().clone(),
        digest: bundle.digest().to_string(),
        cuts: description.cuts.len(),
        greatest_difference: 0.0,
        at_cut: Cut::ALL_CLOUD,
    };
    let bar = output::progress(description.cuts.len() as u64, "verifying");
    for cut in description.cuts.iter().map(|cut| cut.cut) {
        let parts = network.tail(cut, &network.head(cut, &input)?)?.to_f32()?;
        let difference = greatest_difference(&parts, &whole);
        if difference > found.greatest_difference {
            (found.greatest_difference, found.at_cut) = (difference, cut);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(found)
}

/// Infinite when the lengths differ or a value is not a number.
fn greatest_difference(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return f32::INFINITY;
    }
    a.iter().zip(b).fold(0.0, |greatest: f32, (a, b)| {
        let difference = (a - b).abs() / (1.0 + b.abs());
        if difference.is_nan() { f32::INFINITY } else { greatest.max(difference) }
    })
}

/// A deterministic input between −1 and 1 that excites every channel.
fn probe(shape: &[u64]) -> anyhow::Result<Tensor<'static>> {
    let elements: u64 = shape.iter().product();
    let values: Vec<f32> = (0..elements).map(|index| ((index as f32) * 0.618).sin()).collect();
    Ok(Tensor::from_f32(shape.to_vec(), &values)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_strange_number_is_the_greatest_difference() {
        assert_eq!(greatest_difference(&[1.0], &[1.0, 2.0]), f32::INFINITY);
        assert_eq!(greatest_difference(&[f32::NAN], &[1.0]), f32::INFINITY);
        assert_eq!(greatest_difference(&[3.0], &[1.0]), 1.0);
    }
}
