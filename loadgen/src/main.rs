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
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run(run(arguments.command))
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Trace(command) => commands::trace::run(command),
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
