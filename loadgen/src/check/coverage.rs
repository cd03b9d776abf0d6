//! What was run of what could be.

use search::Space;
use search::pool::Row;
use serde::Serialize;

use super::{Finding, Kind};
use crate::recording::Recording;

/// Legal configurations, and which of them were run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Legal configurations.
    pub legal: usize,
    /// Of them, those that were run.
    pub measured: usize,
    /// Of those, the ones that were run once: nothing is known of their spread.
    pub once: usize,
    /// The legal ones that were never run.
    pub missing: Vec<String>,
}

/// More are not listed one by one.
const MOST_LISTED: usize = 10_000;

/// Counts a recording's configurations.
pub fn of(recording: &Recording) -> Coverage {
    let measured: std::collections::BTreeSet<_> =
        recording.configurations().iter().map(|recorded| recorded.candidate).collect();
    let space = recording.space();
    let missing = space.candidates().filter(|candidate| !measured.contains(candidate));
    Coverage {
        legal: space.count(),
        measured: measured.len(),
        once: recording.configurations().iter().filter(|recorded| recorded.rows.len() == 1).count(),
        missing: missing.take(MOST_LISTED).map(|candidate| space.describe(candidate).to_string()).collect(),
    }
}

/// Finds rows whose configuration is not legal.
pub fn illegal(space: &Space, rows: &[Row]) -> Vec<Finding> {
    let illegal = rows.iter().filter_map(|row| {
        let why = match space.candidate(&row.values) {
            None => "a knob has a value that the space does not name",
            Some(candidate) if !space.is_legal(candidate) => "the space's rules forbid it",
            Some(_) => return None,
        };
        Some((row, why.to_owned()))
    });
    illegal
        .map(|(row, why)| Finding {
            kind: Kind::Illegal,
            line: row.line,
            configuration: row.describe(),
            ratio: None,
            why,
            row: None,
        })
        .collect()
}
