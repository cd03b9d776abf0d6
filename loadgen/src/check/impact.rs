//! What the rows in doubt change.

use std::collections::BTreeSet;

use schemas::{Millis, PolicyName};
use serde::Serialize;

use crate::error::LoadgenError;
use crate::recording::{Choice, RecordedFront, Recording, Values};
use crate::simulate::draw::Draw;
use crate::simulate::figures::Figures;
use crate::simulate::pool::{RecordedRuns, simulate};
use crate::trace::limits::Limits;

/// Fronts and figures with and without the rows in doubt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Impact {
    /// Requests that the fronts were judged by.
    pub requests: usize,
    /// One line for each set of rows and kind of front.
    pub lines: Vec<Line>,
}

/// One front on one set of rows, under the paper's rule. Every request gets the mean of its configuration's runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Which rows were taken.
    pub rows: Rows,
    /// How many they are.
    pub count: usize,
    /// What a configuration is taken for.
    pub taken: Taken,
    /// Points of the front.
    pub front: usize,
    /// Of them, those whose only runs are in doubt.
    pub front_in_doubt: usize,
    /// What comes of it; `None` where a baseline or the energy is missing.
    pub figures: Option<Figures>,
}

/// Which rows of the pool were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// All legal ones.
    All,
    /// Without those that cannot be true.
    WithoutContradictions,
    /// Without all that are in doubt.
    WithoutDoubtful,
}

/// What a configuration is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    /// The last of its runs, as in the paper, whose pools end with the single runs of its search.
    LastRun,
    /// The mean of all its runs.
    Mean,
}

/// Requests that are drawn where none are given, with the seed of the paper.
const REQUESTS: usize = 10_000;
const SEED: u64 = 123_456_789;

/// Judges fronts of the recording with and without the rows in doubt. `None` when the recording has no energy or lacks a baseline,
/// since then there is nothing to judge by.
///
/// # Errors
/// The rows without those in doubt cannot be simulated.
pub fn judge(
    recording: &Recording,
    contradictions: &BTreeSet<usize>,
    doubtful: &BTreeSet<usize>,
    limits: Option<Vec<Millis>>,
) -> Result<Option<Impact>, LoadgenError> {
    if recording.energy(0).is_err() || recording.all_cloud().is_err() || recording.all_edge().is_err() {
        return Ok(None);
    }
    let limits = match limits {
        Some(limits) => limits,
        None => {
            let (least, greatest) = recording.latency_range();
            Limits::Weibull { least, greatest }.sequence(SEED, REQUESTS)
        }
    };
    let mut lines = Vec::new();
    let sets = [
        (Rows::All, BTreeSet::new()),
        (Rows::WithoutContradictions, contradictions.clone()),
        (Rows::WithoutDoubtful, doubtful.clone()),
    ];
    for (rows, without) in sets {
        if rows != Rows::All && without.is_empty() {
            continue;
        }
        let Some(kept) = recording.without(&without) else { continue };
        let in_doubt: BTreeSet<u64> = doubtful.iter().map(|&row| recording.rows()[row].line).collect();
        for taken in [Taken::LastRun, Taken::Mean] {
            lines.push(line(&kept, rows, taken, &in_doubt, &limits)?);
        }
    }
    Ok(Some(Impact { requests: limits.len(), lines }))
}

fn line(
    recording: &Recording,
    rows: Rows,
    taken: Taken,
    in_doubt: &BTreeSet<u64>,
    limits: &[Millis],
) -> Result<Line, LoadgenError> {
    let count = recording.rows().len();
    let (Ok(cloud), Ok(edge)) = (recording.all_cloud(), recording.all_edge()) else {
        return Ok(Line { rows, count, taken, front: 0, front_in_doubt: 0, figures: None });
    };
    let choice = |configuration: usize| {
        let of = &recording.configurations()[configuration].rows;
        let values = match taken {
            Taken::LastRun => Values::of_row(recording, of[of.len() - 1]),
            Taken::Mean => Values::of_runs(recording, configuration),
        };
        Choice { configuration, values }
    };
    let choices: Vec<Choice> = (0..recording.configurations().len()).map(choice).collect();
    let front = RecordedFront::non_dominated_of(recording, &choices, (cloud, edge));
    let runs = RecordedRuns::of(recording)?;
    let outcomes = simulate(&runs, &front, &[PolicyName::Dynasplit], limits, &mut Draw::Mean)?;
    let doubtful = |choice: &&Choice| {
        let rows = &recording.configurations()[choice.configuration].rows;
        rows.iter().all(|&row| in_doubt.contains(&recording.rows()[row].line))
    };
    Ok(Line {
        rows,
        count,
        taken,
        front: front.points().len(),
        front_in_doubt: front.points().iter().filter(doubtful).count(),
        figures: outcomes.first().and_then(|outcomes| Figures::of(outcomes)),
    })
}
