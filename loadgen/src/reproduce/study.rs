//! What the paper's fronts were made from: the trials of its offline phase, which are the last rows of a pool.
//!
//! A pool is the rows of additional measurements, then those of the testbed, then the trials, in that order (reference §8). So the
//! trials begin after the last row that the testbed's file has too, and not before the longest run of rows at the end in which no
//! configuration comes twice, since no trial was repeated. The first fifth of the legal configurations' number of them is the
//! budget of the search; all of them are the grid, where one was measured.

use std::collections::BTreeSet;
use std::ops::Range;

use schemas::PolicyName;
use serde::Serialize;

use crate::error::LoadgenError;
use crate::recording::{Choice, RecordedFront, Recording, Testbed, Values};

/// The paper's offline phase and its fronts.
#[derive(Debug, Clone)]
pub struct Study {
    /// The rows of the trials.
    pub trials: Range<usize>,
    /// Of them, those within the search's budget.
    pub searched: Range<usize>,
    /// The front of the search: what the paper schedules with.
    pub budget_front: RecordedFront,
    /// The front of all trials.
    pub whole_front: RecordedFront,
    /// The configurations of the baselines `cloud` and `edge`.
    pub anchors: (usize, usize),
}

/// What a study is, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Rows of the pool.
    pub rows: usize,
    /// Configurations that were run.
    pub configurations: usize,
    /// Legal configurations.
    pub legal: usize,
    /// Rows that are trials.
    pub trials: usize,
    /// Trials within the search's budget: a fifth of the legal configurations.
    pub budget: usize,
    /// Points of the front of the search.
    pub budget_front: usize,
    /// Points of the front of all trials.
    pub whole_front: usize,
}

impl Study {
    /// Finds the trials and makes the fronts.
    ///
    /// # Errors
    /// A baseline was never run.
    pub fn of(recording: &Recording, testbed: Option<&Testbed>) -> Result<Self, LoadgenError> {
        let rows = recording.rows().len();
        let after_testbed =
            testbed.and_then(|testbed| last_of_testbed(recording, testbed)).map(|row| row + 1);
        let begin = after_testbed.filter(|&begin| begin < rows).unwrap_or(0).max(distinct_end(recording));
        let trials = begin..rows;
        let budget = recording.space().count().div_ceil(5);
        let searched = begin..rows.min(begin + budget);
        let anchors = anchors(recording, testbed)?;
        let front = |rows: Range<usize>| {
            let choices: Vec<Choice> = rows
                .map(|row| Choice {
                    configuration: recording.configuration_of(row),
                    values: Values::of_row(recording, row),
                })
                .collect();
            RecordedFront::non_dominated_of(recording, &choices, anchors)
        };
        let (budget_front, whole_front) = (front(searched.clone()), front(trials.clone()));
        Ok(Self { trials, searched, budget_front, whole_front, anchors })
    }

    /// The front of the search with each configuration's mean instead of its single run. Only the points that the rule
    /// could choose are in: those that another point beats in energy and latency are there for their accuracy, which the
    /// rule does not ask for.
    pub fn budget_front_at_means(&self, recording: &Recording) -> RecordedFront {
        let front = &self.budget_front;
        let chosen = |point: &&Choice| {
            let decided = front.decide(PolicyName::Dynasplit, point.values.latency.mean_ms);
            decided.is_ok_and(|configuration| configuration == point.configuration)
        };
        let points = front.points().iter().filter(chosen).map(|point| Choice {
            configuration: point.configuration,
            values: Values { parts: None, ..Values::of_runs(recording, point.configuration) },
        });
        RecordedFront::new(recording, points.collect(), self.anchors)
    }

    /// In numbers.
    pub fn summary(&self, recording: &Recording) -> Summary {
        Summary {
            rows: recording.rows().len(),
            configurations: recording.configurations().len(),
            legal: recording.space().count(),
            trials: self.trials.len(),
            budget: self.searched.len(),
            budget_front: self.budget_front.points().len(),
            whole_front: self.whole_front.points().len(),
        }
    }
}

/// The last row that the testbed has too: the same configuration with the same latency and energy, to the last bit.
fn last_of_testbed(recording: &Recording, testbed: &Testbed) -> Option<usize> {
    let bits = |latency: schemas::Millis, energy: Option<schemas::Joules>| {
        (latency.get().to_bits(), energy.map(|energy| energy.get().to_bits()))
    };
    let seen: BTreeSet<_> = testbed.runs.iter().map(|run| bits(run.row.latency, run.row.energy)).collect();
    recording.rows().iter().rposition(|row| seen.contains(&bits(row.latency, row.energy)))
}

/// Where the longest end begins in which no configuration comes twice.
fn distinct_end(recording: &Recording) -> usize {
    let mut seen = BTreeSet::new();
    let repeated =
        (0..recording.rows().len()).rev().find(|&row| !seen.insert(recording.configuration_of(row)));
    repeated.map_or(0, |row| row + 1)
}

/// The baselines as the testbed ran them, otherwise as they are defined.
fn anchors(recording: &Recording, testbed: Option<&Testbed>) -> Result<(usize, usize), LoadgenError> {
    let ran = |strategy: &str| {
        let run = testbed?.of(strategy).next()?;
        recording.find(recording.space().candidate(&run.row.values)?)
    };
    let cloud = ran("cloud").map_or_else(|| recording.all_cloud(), Ok)?;
    let edge = ran("edge").map_or_else(|| recording.all_edge(), Ok)?;
    Ok((cloud, edge))
}
