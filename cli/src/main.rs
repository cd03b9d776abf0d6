//! `splinter`, the command people type.

mod arguments;
mod catalogue;
mod commands;
mod render;
mod site;

use std::process::ExitCode;

use clap::Parser;
use command::{connection, output, page};

use crate::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run(run(arguments.command))
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(arguments) => commands::demo::run(arguments).await,
        Command::Up(arguments) => commands::up::run(arguments).await,
        Command::Infer(arguments) => commands::infer::run(arguments).await,
        Command::Model(command) => commands::model::run(command).await,
        Command::Optimize(arguments) => commands::optimize::run(arguments).await,
        Command::Front(command) => commands::front::run(command).await,
        Command::Policy(command) => commands::policy::run(command).await,
        Command::Top(arguments) => commands::top::run(arguments).await,
        Command::Energy(command) => commands::energy::run(command).await,
        Command::Keys(arguments) => commands::keys::run(&arguments),
    }
}
