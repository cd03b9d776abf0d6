//! Runs of one configuration against each other.

use serde::Serialize;

use super::{Finding, Kind};
use crate::recording::Recording;

/// Fewer runs say nothing of their spread.
const LEAST_RUNS: usize = 4;
/// In robust standard deviations.
const DEVIATIONS: f64 = 6.0;
/// A robust standard deviation is taken as at least this share of the median: meters and clocks are no better.
const LEAST_SPREAD: f64 = 0.01;

/// Finds runs whose latency or energy is far from that of the other runs of their configuration.
pub fn outliers(recording: &Recording) -> Vec<Finding> {
    let mut findings = Vec::new();
    for recorded in recording.configurations().iter().filter(|recorded| recorded.rows.len() >= LEAST_RUNS) {
        let latency = |row: usize| Some(recording.rows()[row].latency.get());
        let energy = |row: usize| recording.rows()[row].energy.map(schemas::Joules::get);
        let mut far: Vec<usize> = Vec::new();
        for (name, unit, value) in
            [("latency", "ms", &latency as &dyn Fn(usize) -> Option<f64>), ("energy", "J", &energy)]
        {
            for (row, value, centre, away) in far_ones(&recorded.rows, value) {
                if far.contains(&row) {
                    continue;
                }
                far.push(row);
                let runs = recorded.rows.len();
                let why = format!(
                    "{name} {value:.2} {unit}, {away:.0} deviations from the median {centre:.2} {unit} of {runs} runs"
                );
                findings.push(Finding::of(recording, row, Kind::Outlier, Some(value / centre), why));
            }
        }
    }
    findings
}

/// Row, value, median and distance in robust deviations of those that are too far.
fn far_ones(rows: &[usize], value: &dyn Fn(usize) -> Option<f64>) -> Vec<(usize, f64, f64, f64)> {
    let values: Option<Vec<(usize, f64)>> = rows.iter().map(|&row| Some((row, value(row)?))).collect();
    let Some(values) = values else { return Vec::new() };
    let centre = median(values.iter().map(|(_, value)| *value).collect());
    let spread = 1.4826 * median(values.iter().map(|(_, value)| (value - centre).abs()).collect());
    let spread = spread.max(LEAST_SPREAD * centre);
    if spread <= 0.0 {
        return Vec::new();
    }
    let away = |value: f64| (value - centre).abs() / spread;
    values
        .into_iter()
        .filter(|(_, value)| away(*value) > DEVIATIONS)
        .map(|(row, value)| (row, value, centre, away(value)))
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// A configuration whose runs fall into two groups by how busy the edge was: the hardware was not in the same state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TwoStates {
    /// The configuration.
    pub configuration: String,
    /// The group in which the edge was less busy.
    pub idler: Group,
    /// The other.
    pub busier: Group,
}

/// One group of runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Runs.
    pub runs: usize,
    /// How busy the edge was on average, %.
    pub edge_load_percent: f64,
    /// Mean latency, ms.
    pub latency: f64,
    /// Mean energy, J.
    pub energy: Option<f64>,
    /// Where they stand in the file, from 1.
    pub lines: Vec<u64>,
}

/// Fewer runs do not make groups.
const LEAST_GROUPED: usize = 8;
/// A group has at least this share of the runs, and three.
const LEAST_GROUP: f64 = 0.1;
/// The gap between the groups is at least this many times the spread within.
const GAP_OVER_SPREAD: f64 = 4.0;
/// And at least this share of the median load.
const GAP_OVER_MEDIAN: f64 = 0.15;

/// Finds configurations that were measured in two states of the hardware.
pub fn two_states(recording: &Recording) -> Vec<TwoStates> {
    let grouped = |(place, recorded): (usize, &crate::recording::Recorded)| {
        let load = |row: usize| Some((row, recording.rows()[row].edge_load?.get()));
        let mut loads: Vec<(usize, f64)> =
            recorded.rows.iter().map(|&row| load(row)).collect::<Option<_>>()?;
        loads.sort_by(|one, other| one.1.total_cmp(&other.1));
        let boundary = boundary(&loads.iter().map(|(_, load)| *load).collect::<Vec<_>>())?;
        Some(TwoStates {
            configuration: recording.describe(place),
            idler: group(recording, &loads[..boundary]),
            busier: group(recording, &loads[boundary..]),
        })
    };
    recording.configurations().iter().enumerate().filter_map(grouped).collect()
}

/// Where ascending values fall apart into two groups, when they do.
fn boundary(sorted: &[f64]) -> Option<usize> {
    let count = sorted.len();
    if count < LEAST_GROUPED {
        return None;
    }
    let least = ((LEAST_GROUP * count as f64).ceil() as usize).max(3);
    let gap = |place: usize| sorted[place] - sorted[place - 1];
    let boundary = (least..=count - least).max_by(|&one, &other| gap(one).total_cmp(&gap(other)))?;
    // Between the quartiles, so that a straggler in a group does not hide the gap.
    let within = |group: &[f64]| group[3 * (group.len() - 1) / 4] - group[(group.len() - 1) / 4];
    let spread = within(&sorted[..boundary]).max(within(&sorted[boundary..]));
    let wide =
        gap(boundary) > GAP_OVER_SPREAD * spread && gap(boundary) > GAP_OVER_MEDIAN * sorted[count / 2];
    wide.then_some(boundary)
}

fn group(recording: &Recording, runs: &[(usize, f64)]) -> Group {
    let count = runs.len() as f64;
    let rows = || runs.iter().map(|(row, _)| &recording.rows()[*row]);
    let energies: Option<Vec<f64>> = rows().map(|row| row.energy.map(schemas::Joules::get)).collect();
    let mut lines: Vec<u64> = rows().map(|row| row.line).collect();
    lines.sort_unstable();
    Group {
        runs: runs.len(),
        edge_load_percent: 100.0 * runs.iter().map(|(_, load)| load).sum::<f64>() / count,
        latency: rows().map(|row| row.latency.get()).sum::<f64>() / count,
        energy: energies.map(|energies| energies.iter().sum::<f64>() / count),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        let two = [12.0, 12.1, 12.2, 12.3, 20.0, 20.1, 20.2, 20.3];
        assert_eq!(boundary(&two), Some(4));
        let with_stragglers = [12.0, 12.1, 12.2, 12.3, 16.0, 20.0, 20.1, 20.2, 20.3, 35.0];
        assert!(boundary(&with_stragglers).is_some());
        let one = [12.0, 12.4, 12.8, 13.2, 13.6, 14.0, 14.4, 14.8];
        assert_eq!(boundary(&one), None);
        assert_eq!(boundary(&two[..6]), None);
        // One run apart is no group.
        assert_eq!(boundary(&[12.0, 12.1, 12.1, 12.2, 12.2, 12.3, 12.3, 30.0]), None);
    }
}
