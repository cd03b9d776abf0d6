//! `splinter`, the command people type.

mod arguments;
mod catalogue;
mod commands;
mod connection;
mod output;
mod page;
mod render;
mod site;

use std::error::Error;
use std::process::ExitCode;

use chassis::SettingsError;
use clap::Parser;

use crate::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    chassis::run(async { run(arguments.command).await.map_err(unwrapped) })
}

/// The error as itself where it is one of settings: its kind decides the exit code, and `anyhow` would hide it.
fn unwrapped(error: anyhow::Error) -> Box<dyn Error + Send + Sync> {
    match error.downcast::<SettingsError>() {
        Ok(settings) => settings.into(),
        Err(other) => other.into(),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(arguments) => commands::demo::run(arguments).await,
        Command::Up(arguments) => commands::up::run(arguments).await,
        Command::Infer(arguments) => commands::infer::run(arguments).await,
        Command::Model(command) => commands::model::run(command).await,
        Command::Optimize(arguments) => commands::optimize::run(arguments).await,
        Command::Front(command) => commands::front::run(command).await,
    }
}
