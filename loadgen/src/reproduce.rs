//! The paper's own evaluation on its own data, bit for bit, and Splinter's on the same.
//!
//! From a folder of the paper's files ([`crate::recording`]) this recovers the fronts ([`study`]), replays the testbed's recorded
//! decisions, runs the paper's simulation with the paper's random numbers, and sets the published values ([`published`]) beside
//! every figure. Then the same requests go through Splinter's fronts and policies ([`comparison`]).
//!
//! Any network whose files have that form will do; where nothing was published of one, its figures stand alone.

pub mod comparison;
pub mod metric;
pub mod published;
pub mod study;
mod tables;

use std::path::Path;

use schemas::Millis;
use search::space::SpaceFile;
use serde::Serialize;

pub use comparison::Comparison;
pub use metric::Metric;
pub use published::Published;
pub use study::Study;
pub use tables::{Cell, LeftOut, Row, Table, Verdict};

use crate::error::LoadgenError;
use crate::recording::{Recording, Testbed, network_of, read_workload};
use crate::trace::paper;

/// The seed of everything random in the paper's programs.
pub const PAPER_SEED: u32 = 123_456_789;

/// The lengths of the paper's workloads.
pub const WORKLOADS: [usize; 2] = [50, 10_000];

/// The files of one network.
#[derive(Debug, Clone)]
pub struct Data {
    /// The network.
    pub network: String,
    /// Its recorded runs.
    pub recording: Recording,
    /// Runs of the testbed, where there is such a file.
    pub testbed: Option<Testbed>,
    /// The limits of the workloads, by their number of requests: from the files, otherwise, for the paper's networks, drawn again.
    pub workloads: Vec<(usize, Vec<Millis>)>,
    /// Files that were looked for and are not there, and what was taken instead.
    pub replaced: Vec<String>,
}

/// One network's evaluation.
#[derive(Debug, Clone, Serialize)]
pub struct Reproduction {
    /// The network.
    pub network: String,
    /// What the fronts were made from.
    pub study: study::Summary,
    /// Recorded decisions of the testbed that the rule makes again.
    pub decisions: Vec<Decisions>,
    /// What was claimed, one by one.
    pub claims: Vec<Claim>,
    /// Every table.
    pub tables: Vec<Table>,
    /// Splinter on the same requests.
    pub comparison: Option<Comparison>,
    /// What could not be made, since a file is not there.
    pub left_out: Vec<LeftOut>,
    /// Files that are not there, and what was taken instead.
    pub replaced: Vec<String>,
    /// Values that were compared with published ones.
    pub compared: usize,
    /// Of them, those that differ.
    pub failed: usize,
}

/// How many of a strategy's recorded decisions the rule makes again over the recovered front.
#[derive(Debug, Clone, Serialize)]
pub struct Decisions {
    /// The strategy, as the testbed's file names it.
    pub strategy: String,
    /// Decisions made again.
    pub same: usize,
    /// Decisions recorded.
    pub recorded: usize,
    /// Whether all were.
    pub verdict: Verdict,
}

/// A published number and ours.
#[derive(Debug, Clone, Serialize)]
pub struct Claim {
    /// What it is, in words.
    pub what: String,
    /// Where it was published.
    pub source: String,
    /// The published value, as it was printed.
    pub published: String,
    /// What comes out here; `None` when the data for it is not there.
    pub value: Option<f64>,
    /// Whether the two agree to the last printed digit.
    pub verdict: Verdict,
}

impl Data {
    /// Reads what a folder holds of a network.
    ///
    /// # Errors
    /// No pool of that network, or a file that cannot be used.
    pub fn read(folder: &Path, network: &str, declared: Option<SpaceFile>) -> Result<Self, LoadgenError> {
        let pool = folder.join(format!("simulation_pool_{network}.csv"));
        if !pool.is_file() {
            let problem = format!("there is no simulation_pool_{network}.csv");
            return Err(LoadgenError::NoPool { folder: folder.to_owned(), problem });
        }
        let recording = Recording::read(&pool, network, declared)?;
        let present = |name: String| Some(folder.join(name)).filter(|path| path.is_file());
        let testbed = present(testbed_file(network)).map(|path| Testbed::read(&path)).transpose()?;
        let (mut workloads, mut replaced) = (Vec::new(), Vec::new());
        for requests in WORKLOADS {
            let name = workload_file(requests);
            let read = present(name.clone()).map(|path| read_workload(&path, network));
            match read {
                Some(Ok(limits)) => workloads.push((requests, limits)),
                None | Some(Err(LoadgenError::NoLimits { .. })) => {
                    if let Some(limits) = drawn(network, requests)? {
                        replaced.push(format!("no limits in {name}: they are drawn again, to the last bit"));
                        workloads.push((requests, limits));
                    }
                }
                Some(Err(error)) => return Err(error),
            }
        }
        Ok(Self { network: network.to_owned(), recording, testbed, workloads, replaced })
    }
}

fn testbed_file(network: &str) -> String {
    format!("testbed_{network}.csv")
}

fn workload_file(requests: usize) -> String {
    format!("workload_{requests}_samples.csv")
}

/// The paper's own limits of one of its networks, drawn again; `None` for other networks.
fn drawn(network: &str, requests: usize) -> Result<Option<Vec<Millis>>, LoadgenError> {
    if paper::NETWORKS.iter().all(|known| known.name != network) {
        return Ok(None);
    }
    let workload = paper::workload(paper::SEED, requests, &[network])?;
    Ok(Some(workload.requests().iter().map(|request| request.qos.latency_ms).collect()))
}

/// The networks of which a folder holds a pool, in the order of their names.
///
/// # Errors
/// A folder that cannot be read or holds no pool.
pub fn networks_in(folder: &Path) -> Result<Vec<String>, LoadgenError> {
    let unreadable = |source| LoadgenError::Unreadable { path: folder.to_owned(), source };
    let mut networks = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_pool =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("simulation_pool_"));
        if let (true, Some(network)) = (is_pool, network_of(&path)) {
            networks.push(network.to_owned());
        }
    }
    networks.sort();
    if networks.is_empty() {
        let problem = "it holds no simulation_pool_<network>.csv".to_owned();
        return Err(LoadgenError::NoPool { folder: folder.to_owned(), problem });
    }
    Ok(networks)
}

/// How Splinter is compared with the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// Draws of outcomes.
    pub seeds: u32,
    /// Whether Splinter's own search is run with the paper's budget, which takes some seconds.
    pub search: bool,
}

/// Re-runs the evaluation of one network.
///
/// # Errors
/// Data without energy, or without a run of a baseline.
pub fn reproduce(data: &Data, published: &Published, wishes: Wishes) -> Result<Reproduction, LoadgenError> {
    let study = Study::of(&data.recording, data.testbed.as_ref())?;
    let (tables, left_out) = tables::tables(data, &study, published)?;
    let claims = claims(&data.network, published, &tables);
    let decisions = data.testbed.as_ref().map(|testbed| decisions(data, testbed, &study)).transpose()?;
    let decisions = decisions.unwrap_or_default();
    let longest = data.workloads.iter().max_by_key(|(requests, _)| *requests);
    let comparison = longest
        .map(|(_, limits)| comparison::compare(&data.recording, &study, limits, wishes))
        .transpose()?;
    let verdicts: Vec<Verdict> = claims
        .iter()
        .map(|claim| claim.verdict)
        .chain(decisions.iter().map(|decisions| decisions.verdict))
        .chain(tables.iter().flat_map(Table::verdicts))
        .collect();
    Ok(Reproduction {
        network: data.network.clone(),
        study: study.summary(&data.recording),
        decisions,
        claims,
        tables,
        comparison,
        left_out,
        replaced: data.replaced.clone(),
        compared: verdicts.iter().filter(|verdict| **verdict != Verdict::Unpublished).count(),
        failed: verdicts.iter().filter(|verdict| **verdict == Verdict::Fail).count(),
    })
}

fn claims(network: &str, published: &Published, tables: &[Table]) -> Vec<Claim> {
    let of_network = published.claims().iter().filter(|claim| claim.network == network);
    of_network
        .map(|claim| {
            let table = tables.iter().find(|table| table.key == claim.table);
            let row = table.and_then(|table| table.row(&claim.strategy));
            let value = row.and_then(|row| row.quantity(&claim.quantity));
            Claim {
                what: claim.what.clone(),
                source: claim.source.clone(),
                published: claim.value.text().to_owned(),
                value,
                verdict: value.map_or(Verdict::Unpublished, |value| claim.value.verdict(value)),
            }
        })
        .collect()
}

/// Lets the rule decide the testbed's requests again.
fn decisions(data: &Data, testbed: &Testbed, study: &Study) -> Result<Vec<Decisions>, LoadgenError> {
    let fronts =
        [("splinter:latency", &study.budget_front), ("splinter:latency_exhaustive", &study.whole_front)];
    let mut all = Vec::new();
    for (strategy, front) in fronts {
        let (mut same, mut recorded) = (0, 0);
        for run in testbed.of(strategy) {
            let decided = front.decide(schemas::PolicyName::Dynasplit, run.limit);
            let decided = data.recording.configurations()[decided.map_err(LoadgenError::Refused)?].candidate;
            recorded += 1;
            same += usize::from(data.recording.space().candidate(&run.row.values) == Some(decided));
        }
        if recorded > 0 {
            let verdict = if same == recorded { Verdict::Pass } else { Verdict::Fail };
            all.push(Decisions { strategy: strategy.to_owned(), same, recorded, verdict });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
