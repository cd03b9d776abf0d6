//! `splinter front`: what the optimizer published, to look at, compare, take along and bring.

mod difference;
mod exchange;
mod import;
mod plot;

use anyhow::{Context, bail, ensure};
use broker::Bus;
use schemas::Front;

use crate::arguments::{
    DiffArguments, ExportArguments, FrontCommand, PlotArguments, ShowArguments, WhichFront,
};
use crate::output::say;
use crate::{connection, output, render};

pub use difference::Difference;

/// Runs one of the front commands.
pub async fn run(command: FrontCommand) -> anyhow::Result<()> {
    match command {
        FrontCommand::Show(arguments) => show(arguments).await,
        FrontCommand::Plot(arguments) => plot(arguments).await,
        FrontCommand::Diff(arguments) => diff(arguments).await,
        FrontCommand::Export(arguments) => export(arguments).await,
        FrontCommand::Import(arguments) => import::run(arguments).await,
    }
}

async fn show(arguments: ShowArguments) -> anyhow::Result<()> {
    let fronts =
        if arguments.history { revisions(&arguments.front).await? } else { fronts(&arguments.front).await? };
    output::print(arguments.output.json, &fronts, |fronts| {
        if arguments.history {
            render::revisions(fronts)
        } else {
            fronts.iter().map(render::front).collect::<Vec<_>>().join("\n\n")
        }
    })
}

async fn plot(arguments: PlotArguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.html {
        output::check_free(path, arguments.force)?;
    }
    let front = one(&arguments.front).await?;
    let Some(path) = &arguments.html else {
        return output::print(false, &front, plot::text);
    };
    plot::page(&front).write(path)?;
    say(&format!("{} is written", path.display()));
    Ok(())
}

async fn diff(arguments: DiffArguments) -> anyhow::Result<()> {
    let revisions = revisions(&arguments.front).await?;
    let find = |wanted: u64| {
        let known: Vec<String> = revisions.iter().map(|front| front.revision.to_string()).collect();
        let found = revisions.iter().find(|front| front.revision == wanted);
        found.with_context(|| format!("revision {wanted} is not kept: there are {}", known.join(", ")))
    };
    let (before, after) = match (arguments.from, arguments.to) {
        (Some(from), Some(to)) => (find(from)?, find(to)?),
        (Some(from), None) => (find(from)?, revisions.last().context("there is no front")?),
        _ => match revisions.as_slice() {
            [.., before, after] => (before, after),
            _ => bail!("there is only one revision: nothing to compare it with"),
        },
    };
    let difference = Difference::between(before, after);
    output::print(arguments.output.json, &difference, render::difference)
}

async fn export(arguments: ExportArguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.to {
        output::check_free(path, arguments.force)?;
    }
    let front = one(&arguments.front).await?;
    let text = exchange::write(&front, arguments.format)?;
    match &arguments.to {
        Some(path) => {
            output::write_whole(path, text.as_bytes())?;
            say(&format!("{} is written", path.display()));
            Ok(())
        }
        None => output::print(false, &front, |_| text.trim_end().to_owned()),
    }
}

/// The fronts that are meant, at least one.
async fn fronts(which: &WhichFront) -> anyhow::Result<Vec<Front>> {
    if let Some(revision) = which.revision {
        let found: Vec<Front> =
            revisions(which).await?.into_iter().filter(|front| front.revision == revision).collect();
        ensure!(!found.is_empty(), "revision {revision} is not kept; --history lists those that are");
        return Ok(found);
    }
    let bus = connection::connect(&which.broker, "front").await?;
    let found = published(&bus, which).await;
    bus.close().await;
    found
}

/// The one front that is meant.
async fn one(which: &WhichFront) -> anyhow::Result<Front> {
    let mut found = fronts(which).await?;
    if found.len() > 1 {
        let pairs: Vec<String> =
            found.iter().map(|front| format!("--edge {} --cloud {}", front.edge, front.cloud)).collect();
        bail!(
            "{} has a front on several pairs of machines: say which with {}",
            which.model,
            pairs.join(" or ")
        );
    }
    found.pop().context("there is no front")
}

/// Every revision that is kept, the oldest first.
async fn revisions(which: &WhichFront) -> anyhow::Result<Vec<Front>> {
    let bus = connection::connect(&which.broker, "front").await?;
    let reading = async {
        let mut kept = Vec::new();
        for front in published(&bus, which).await? {
            kept.extend(bus.front_revisions(&front.model, &front.edge, &front.cloud).await?);
        }
        anyhow::Ok(kept)
    };
    let kept = reading.await;
    bus.close().await;
    kept
}

async fn published(bus: &Bus, which: &WhichFront) -> anyhow::Result<Vec<Front>> {
    let WhichFront { model, edge, cloud, .. } = which;
    let fronts = bus.watch_fronts().await?;
    let is_meant = |front: &Front| {
        edge.as_ref().is_none_or(|edge| front.edge == *edge)
            && cloud.as_ref().is_none_or(|cloud| front.cloud == *cloud)
    };
    let found: Vec<Front> =
        fronts.for_model(model).iter().map(|front| Front::clone(front)).filter(is_meant).collect();
    if found.is_empty() {
        bail!(
            "{model} has no front{} yet: measure one with `splinter optimize --model {model} --images DIR`",
            if edge.is_some() || cloud.is_some() { " on these machines" } else { "" }
        );
    }
    Ok(found)
}
