//! `splinter optimize --pool`: search strategies on recorded measurements.

use std::path::Path;

use anyhow::Context;
use search::comparison::{Outcome, Plan, compare};
use search::pool::Pool;
use search::space::SpaceFile;
use search::strategy::StrategyName;
use serde::Serialize;

use crate::arguments::{OutputArguments, PoolArguments, SearchArguments};
use crate::{output, render};

/// What a comparison came to, and on what.
#[derive(Debug, Serialize)]
pub struct PoolReport {
    /// The file.
    pub pool: String,
    /// Configurations that are legal.
    pub space: usize,
    /// Of them, those that the file holds.
    pub measured: usize,
    /// Rows that were left out because a value is missing or no number.
    pub skipped_rows: usize,
    /// Configurations of the exact front.
    pub front: usize,
    /// Runs of each strategy.
    pub seeds: u32,
    /// The strategies, in the order they were asked for.
    pub strategies: Vec<Outcome>,
}

/// Compares strategies and prints the table.
pub async fn run(
    file: &Path,
    arguments: &PoolArguments,
    search: &SearchArguments,
    output: &OutputArguments,
) -> anyhow::Result<()> {
    let declared = declared_space(arguments, search)?;
    let file = file.to_owned();
    let wanted = if search.strategy.is_empty() { default_strategies() } else { search.strategy.clone() };
    let shares = if search.budget.is_empty() { BUDGETS.to_vec() } else { search.budget.clone() };
    let seeds = arguments.seeds;
    let (first_seed, batch) = (arguments.first_seed, arguments.batch as usize);
    let spinner = output::progress(1, "comparing strategies");
    // Minutes of computing are nothing for the threads that serve messages.
    let report = tokio::task::spawn_blocking(move || -> anyhow::Result<PoolReport> {
        let pool = Pool::read(&file, declared)?;
        let measured = pool.recorded().len();
        let budgets =
            shares.iter().map(|share| ((share * measured as f64).round() as usize).max(1)).collect();
        let plan = Plan { budgets, seeds, first_seed, batch };
        Ok(PoolReport {
            pool: file.display().to_string(),
            space: pool.space().count(),
            measured,
            skipped_rows: pool.skipped(),
            front: pool.front().len(),
            seeds,
            strategies: compare(&pool, &wanted, &plan)?,
        })
    });
    let report = report.await.context("the comparison broke off")??;
    spinner.finish_and_clear();
    output::print(output.json, &report, render::comparison)
}

/// The grid takes the space in order and is of use only to measure all of it.
fn default_strategies() -> Vec<StrategyName> {
    StrategyName::ALL.into_iter().filter(|name| *name != StrategyName::Grid).collect()
}

/// Shares of the pool after which strategies are compared where none is asked for.
const BUDGETS: [f64; 4] = [0.05, 0.1, 0.2, 0.5];

/// The networks of the paper go by their own names.
fn declared_space(arguments: &PoolArguments, search: &SearchArguments) -> anyhow::Result<Option<SpaceFile>> {
    if let Some(network) = &arguments.network {
        let preset = if network.contains('-') { network.clone() } else { format!("dynasplit-{network}") };
        return Ok(Some(SpaceFile::preset(&preset)?));
    }
    let Some(path) = &search.space else { return Ok(None) };
    let text = super::space_text(path)?;
    Ok(Some(SpaceFile::parse(&text, &path.display().to_string())?))
}
