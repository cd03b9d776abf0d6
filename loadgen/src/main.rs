//! `loadgen`, the command that drives and judges Splinter.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Drives a running Splinter with traces of requests, and judges it: how many were answered within their limits, and
/// with how much energy.
///
/// Begin with `loadgen trace requests --help`: what is replayed is a trace, a file with a line for each request.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version, propagate_version = true)]
struct Arguments {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make traces of requests and of links, from a seed, and look at them
    #[command(subcommand)]
    Trace(commands::trace::TraceCommand),
    /// Send a trace through a running system, over NATS or HTTP, and record what becomes of every request
    Replay(commands::replay::ReplayArguments),
    /// Record the requests of a running system as a trace
    Record(commands::record::RecordArguments),
    /// Compare policies on traces, networks and links: on a running system or in the simulator, in pairs
    Evaluate(commands::evaluate::EvaluateArguments),
    /// Run the scheduler's own core in virtual time: on recorded runs, or with queues, links and failures
    #[command(subcommand)]
    Simulate(commands::simulate::SimulateCommand),
    /// Re-run a published evaluation on its own data, every published value beside ours
    #[command(subcommand)]
    Reproduce(commands::reproduce::ReproduceCommand),
    /// Find what is wrong with a recorded pool, and what it changes
    Check(commands::check::CheckArguments),
    /// Draw a results folder: one page with every plot that needs no network, Markdown, CSV
    Report(commands::report::ReportArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run(run(arguments.command))
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Trace(command) => commands::trace::run(command),
        Command::Replay(arguments) => commands::replay::run(arguments).await,
        Command::Record(arguments) => commands::record::run(arguments).await,
        Command::Evaluate(arguments) => commands::evaluate::run(arguments).await,
        Command::Simulate(command) => commands::simulate::run(&command),
        Command::Reproduce(command) => commands::reproduce::run(&command),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
