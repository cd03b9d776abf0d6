//! `splinter model inspect`: where a network can be cut and what each cut costs.

mod plot;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use broker::subjects;
use models::{Accelerator, DominatedCut, Network};
use schemas::{ByteCount, Cut, CutDescription, ElementFormat, ModelDescription, ModelName};
use serde::Serialize;

use super::read;
use crate::arguments::{BrokerArguments, InspectArguments};
use crate::output::say;
use crate::{connection, output, render};

/// A network, what its cuts cost, and which of them need not be tried.
#[derive(Debug, Serialize)]
struct Inspection {
    #[serde(flatten)]
    description: ModelDescription,
    costs: Vec<Costs>,
    dominated: Vec<Dominated>,
}

/// What a cut costs beyond what its description says.
#[derive(Debug, Serialize)]
struct Costs {
    cut: Cut,
    /// What crosses in each format of its elements. With a compression it is at most this and a few bytes.
    bytes: BTreeMap<&'static str, ByteCount>,
    /// Memory of the head's weights, which are held in `f32`.
    weight_bytes_before: ByteCount,
    weight_bytes_after: ByteCount,
}

#[derive(Debug, Serialize)]
struct Dominated {
    #[serde(flatten)]
    one: DominatedCut,
    reason: String,
}

/// The formats of a frontier's elements, by name.
pub const FORMATS: [(&str, ElementFormat); 4] = [
    ("f32", ElementFormat::F32),
    ("f16", ElementFormat::F16),
    ("i8", ElementFormat::I8),
    ("i8-channel", ElementFormat::I8Channel),
];

/// A weight is an `f32`.
const WEIGHT_BYTES: u64 = 4;

impl Costs {
    fn of(cut: &CutDescription) -> Self {
        let bytes = |(name, elements)| Some((name, cut.bytes_in(elements).ok()?));
        Self {
            cut: cut.cut,
            bytes: FORMATS.into_iter().filter_map(bytes).collect(),
            weight_bytes_before: ByteCount(cut.parameters_before.saturating_mul(WEIGHT_BYTES)),
            weight_bytes_after: ByteCount(cut.parameters_after.saturating_mul(WEIGHT_BYTES)),
        }
    }
}

pub async fn run(arguments: InspectArguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.plot {
        output::check_free(path, arguments.force)?;
    }
    let description = describe(&arguments.model, &arguments.broker).await?;
    let costs = description.cuts.iter().map(Costs::of).collect();
    let with_reason = |one: DominatedCut| Dominated { reason: one.to_string(), one };
    let dominated = models::dominated(&description.cuts).into_iter().map(with_reason).collect();
    let inspection = Inspection { description, costs, dominated };
    if let Some(path) = &arguments.plot {
        plot::page(&inspection.description).write(path)?;
        say(&format!("drawn in {}", path.display()));
    }
    output::print(arguments.output.json, &inspection, |inspection| inspection.text(arguments.all))
}

/// From a file or folder where there is one of that name, otherwise from a running system.
async fn describe(model: &str, broker: &BrokerArguments) -> anyhow::Result<ModelDescription> {
    if Path::new(model).exists() {
        let bundle = read(Path::new(model))?;
        return tokio::task::spawn_blocking(move || {
            let network = Network::load(&bundle, Accelerator::Cpu)?;
            Ok(network.describe(bundle.name(), bundle.labels()))
        })
        .await?;
    }
    let name: ModelName = model
        .parse()
        .with_context(|| format!("{model:?} is neither a file, nor a folder, nor the name of a network"))?;
    let bus = connection::connect(broker, "splinter-model").await?;
    let answer = bus.ask(subjects::describe(&name), connection::PATIENCE, &()).await;
    bus.close().await;
    let answer = answer.map_err(|error| error.to_fault()).with_context(|| format!("nobody serves {name}"))?;
    schemas::decode(&answer.body).context("the executor's answer is not readable")
}

impl Inspection {
    fn text(&self, all: bool) -> String {
        let description = &self.description;
        let is_dominated =
            |cut: &CutDescription| self.dominated.iter().any(|dominated| dominated.one.cut == cut.cut);
        let shown: Vec<&CutDescription> =
            description.cuts.iter().filter(|cut| all || !is_dominated(cut)).collect();
        let left_out = match self.dominated.len() {
            0 => String::new(),
            count if all => format!("\n{count} of them are dominated; without --all they are left out"),
            count => format!(
                "\n{count} of {} cuts are left out: beside each, one shown divides the work alike and no more bytes cross \
                 (--all shows them, --json says which and why)",
                description.cuts.len()
            ),
        };
        format!(
            "{}  SHA-256 {}\ninput {} {}  output {} {}  {} labels\n{}{left_out}",
            description.name,
            description.digest,
            description.input.name,
            render::shape(&description.input.shape),
            description.output.name,
            render::shape(&description.output.shape),
            description.labels.len(),
            render::cuts(&shown),
        )
    }
}
