//! `loadgen trace`: makes traces and looks at them.

mod arguments;
mod show;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use command::output;
use loadgen::trace::recipe::{Mix, Recipe};
use loadgen::trace::{TraceFormat, paper};
use loadgen::{LoadgenError, Trace};
use schemas::Millis;

use super::made_by;

pub use arguments::TraceCommand;
use arguments::{LinkArguments, OutputFile, PaperArguments, RequestsArguments};

/// Makes, converts or shows a trace.
pub fn run(command: TraceCommand) -> anyhow::Result<()> {
    match command {
        TraceCommand::Requests(arguments) => requests(arguments),
        TraceCommand::Paper(arguments) => paper_workload(&arguments),
        TraceCommand::Link(arguments) => link(&arguments),
        TraceCommand::Convert(arguments) => {
            let trace = Trace::read(&arguments.file)?.faster(arguments.speed);
            write(&trace, &arguments.to, arguments.format.into())
        }
        TraceCommand::Show { file, output } => show::run(&file, output),
    }
}

fn requests(arguments: RequestsArguments) -> anyhow::Result<()> {
    let format = arguments.format.into();
    let mut limits_of = BTreeMap::new();
    let mut default = None;
    for (whose, limits) in arguments.limits {
        let earlier = match whose {
            Some(name) => limits_of.insert(name, limits),
            None => default.replace(limits),
        };
        if earlier.is_some() {
            bail!("--limits is given twice for the same requests");
        }
    }
    check_names(&limits_of, &arguments.model, &arguments.tenant)?;
    let recipe = Recipe {
        models: Mix::new(arguments.model).context("no network is named: use --model")?,
        tenants: Mix::new(arguments.tenant),
        arrivals: arguments.arrivals,
        limits: default.context("--limits names no limits for every request: use one without NAME=")?,
        limits_of,
        requests: arguments.requests,
        seed: arguments.seed,
    };
    write(&recipe.trace()?, &arguments.to, format)
}

/// Limits of a name that no request has would be left out without a word.
fn check_names<A: ToString, B: ToString, V>(
    limits_of: &BTreeMap<String, V>,
    models: &[(A, f64)],
    tenants: &[(B, f64)],
) -> anyhow::Result<()> {
    let mut names: Vec<String> = models.iter().map(|(name, _)| name.to_string()).collect();
    names.extend(tenants.iter().map(|(name, _)| name.to_string()));
    match limits_of.keys().find(|name| !names.contains(name)) {
        Some(name) => bail!("--limits {name}=…: no network and no tenant has that name"),
        None => Ok(()),
    }
}

fn paper_workload(arguments: &PaperArguments) -> anyhow::Result<()> {
    let wanted: Vec<&str> = arguments.network.iter().map(String::as_str).collect();
    let trace = paper::workload(arguments.seed, arguments.requests, &wanted)?;
    write(&trace, &arguments.to, arguments.format.into())
}

fn link(arguments: &LinkArguments) -> anyhow::Result<()> {
    let duration = Millis::new(arguments.duration_s * 1e3)?;
    let trace = arguments.process.trace(duration, arguments.seed)?;
    write_to(&arguments.to, |to| trace.write(to, &made_by()))
}

fn write(trace: &Trace, to: &OutputFile, format: TraceFormat) -> anyhow::Result<()> {
    write_to(to, |writer| trace.write(writer, format, &made_by()))
}

/// Writes to a file, whole or not at all, or to standard output.
fn write_to(
    to: &OutputFile,
    write: impl FnOnce(&mut dyn Write) -> Result<(), LoadgenError>,
) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    let Some(path) = to.output.as_deref().filter(|path| *path != Path::new("-")) else {
        return match io::stdout().lock().write_all(&bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.context("cannot write to standard output"),
        };
    };
    output::check_free(path, to.force)?;
    output::write_whole(path, &bytes)?;
    output::say(&format!("wrote {}", path.display()));
    Ok(())
}
