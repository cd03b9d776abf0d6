//! What is wrong with a pool, and how much it matters.
//!
//! - [`clock`]: heads that are faster or slower than their clock allows.
//! - [`repeats`]: runs far from the other runs of their configuration, and configurations that were measured in two states.
//! - [`sums`]: stages that do not add up, and work without energy.
//! - [`coverage`]: illegal configurations, and legal ones that were never run.
//! - [`impact`]: fronts and figures with and without the rows in question.
//!
//! No check knows a network, a device or a row: each compares the pool with itself.

pub mod clock;
pub mod coverage;
pub mod impact;
pub mod repeats;
pub mod sums;

use std::collections::BTreeSet;
use std::path::Path;

use schemas::Millis;
use search::pool::Table;
use search::space::SpaceFile;
use serde::Serialize;

pub use coverage::Coverage;
pub use impact::Impact;

use crate::error::LoadgenError;
use crate::recording::{Recording, space_of};

/// What kind of doubt there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A value that is missing or is no number.
    Unusable,
    /// A configuration that is not legal.
    Illegal,
    /// The head was faster than its clock allows: another clock was set.
    ClockNotApplied,
    /// The stages do not add up to the whole.
    DoesNotAddUp,
    /// The cloud worked and no energy was recorded for it.
    EnergyMissing,
    /// The head was slower than its clock explains.
    SlowHead,
    /// Latency or energy far from the other runs of the same configuration.
    Outlier,
}

impl Kind {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Unusable,
        Self::Illegal,
        Self::ClockNotApplied,
        Self::DoesNotAddUp,
        Self::EnergyMissing,
        Self::SlowHead,
        Self::Outlier,
    ];

    /// In words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Unusable => "value missing or no number",
            Self::Illegal => "not a legal configuration",
            Self::ClockNotApplied => "head faster than its clock allows",
            Self::DoesNotAddUp => "stages do not add up",
            Self::EnergyMissing => "cloud at work without energy",
            Self::SlowHead => "head slower than its clock explains",
            Self::Outlier => "far from its other runs",
        }
    }

    /// Whether the row cannot be true as it stands; the others are doubtful only.
    pub const fn is_contradiction(self) -> bool {
        !matches!(self, Self::SlowHead | Self::Outlier)
    }
}

/// A row in doubt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Why.
    pub kind: Kind,
    /// Where it stands in the file, from 1.
    pub line: u64,
    /// Its configuration.
    pub configuration: String,
    /// What was recorded, over what was to be expected; 1 is no doubt. `None` where there is no such number.
    pub ratio: Option<f64>,
    /// The same in words.
    pub why: String,
    /// The row's place among the legal ones.
    #[serde(skip)]
    row: Option<usize>,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The file.
    pub pool: String,
    /// The network.
    pub network: String,
    /// Rows with usable values.
    pub rows: usize,
    /// Rows in doubt, by kind and line.
    pub findings: Vec<Finding>,
    /// Configurations that were measured in two states.
    pub two_states: Vec<repeats::TwoStates>,
    /// What was run of what could be.
    pub coverage: Coverage,
    /// With and without the rows in doubt.
    pub impact: Option<Impact>,
}

/// Checks a pool. Its space is the declared one or that of [`space_of`]; `limits` are the requests by which the impact is judged, by
/// default drawn as the paper draws them.
///
/// # Errors
/// A file that cannot be read or holds no legal row.
pub fn check(
    path: &Path,
    network: &str,
    declared: Option<SpaceFile>,
    limits: Option<Vec<Millis>>,
) -> Result<Report, LoadgenError> {
    let table = Table::read(path)?;
    let space = space_of(network, declared, &table.rows)?;
    let mut findings: Vec<Finding> = table.left_out.iter().map(unusable).collect();
    findings.extend(coverage::illegal(&space, &table.rows));
    let rows = table.rows.len();
    let recording =
        Recording::new(path, space, table.rows).ok_or_else(|| LoadgenError::NoRows(path.to_owned()))?;
    findings.extend(clock::check(&recording));
    findings.extend(sums::check(&recording));
    findings.extend(repeats::outliers(&recording));
    findings.sort_by_key(|finding| (finding.kind, finding.line));
    let in_doubt = |wanted: fn(Kind) -> bool| -> BTreeSet<usize> {
        findings.iter().filter(|finding| wanted(finding.kind)).filter_map(|finding| finding.row).collect()
    };
    let (contradictions, all) = (in_doubt(Kind::is_contradiction), in_doubt(|_| true));
    let impact = impact::judge(&recording, &contradictions, &all, limits)?;
    Ok(Report {
        pool: path.display().to_string(),
        network: network.to_owned(),
        rows,
        two_states: repeats::two_states(&recording),
        coverage: coverage::of(&recording),
        findings,
        impact,
    })
}

fn unusable(left_out: &search::pool::LeftOut) -> Finding {
    Finding {
        kind: Kind::Unusable,
        line: left_out.line,
        configuration: String::new(),
        ratio: None,
        why: format!("column {:?}: {}", left_out.column, left_out.problem),
        row: None,
    }
}

impl Finding {
    /// Of a row of a recording.
    fn of(recording: &Recording, row: usize, kind: Kind, ratio: Option<f64>, why: String) -> Self {
        Self {
            kind,
            line: recording.rows()[row].line,
            configuration: recording.describe(recording.configuration_of(row)),
            ratio,
            why,
            row: Some(row),
        }
    }
}

#[cfg(test)]
mod tests;
