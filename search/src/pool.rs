//! Recorded measurements of one network on one pair of machines, read from a CSV file: what strategies are compared
//! on without machines.
//!
//! # The file
//! One row a measurement, with a header; the order of the columns does not matter and unknown ones are ignored.
//!
//! | column | also | meaning |
//! |---|---|---|
//! | `layer` | `cut` | the cut's place, a whole number (`22` or `22.0`); needed |
//! | `latency` | `values_latency`, `values_0` | ms; needed |
//! | `accuracy` | `values_accuracy`, `values_1` where there is a `values_2` | share of right answers, 0 to 1 |
//! | `energy` | `values_energy`, `values_2`, or `values_1` where there is no `values_2` | J |
//! | `cpu-freq` | `edge-frequency` | MHz |
//! | `edge-accelerator`, `server-accelerator` | `cloud-accelerator` | names; `True` is `on`, `False` is `off` |
//! | `codec`, `edge-threads` | | as in `space.toml` |
//! | `avg latency edge (ms)`, `avg latency transfer (ms)`, `avg latency cloud (ms)`, `avg energy edge (J)`, `avg energy cloud (J)` | | the stages apart; used when all five are there |
//! | `tensor size (KB)` | | size of what crosses the cut, in units of 1024 bytes |
//! | `utilization edge cpu (%)` | | how busy the edge was |
//!
//! Each name may have the prefix `params_` or `user_attrs_` of Optuna's exported trials (`study.trials_dataframe()`); of
//! those, rows whose `state` is not `COMPLETE` are passed over. Numbered values are in the order of the paper's studies. Several rows of one configuration are repeats: their mean counts. A row in which a needed value
//! is missing or not a finite number is left out and counted ([`Pool::skipped`]).
//!
//! [`Table`] is the file row by row, for those who need each repeat, other columns, or to know what was left out and why.

mod columns;
mod row;
mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use schemas::{ByteCount, Joules, Millis, Share};

use crate::error::Error;
use crate::knob::{Knob, Value};
use crate::objectives::{Objectives, non_dominated};
use crate::observation::{CutFacts, Observation, Parts};
use crate::space::{Candidate, Rule, Space, SpaceFile};

pub use row::Row;
pub use table::{LeftOut, Table};

/// A pool.
#[derive(Debug, Clone)]
pub struct Pool {
    space: Space,
    measured: Space,
    observations: BTreeMap<Candidate, Recorded>,
    facts: Vec<CutFacts>,
    skipped: usize,
}

/// One configuration of a pool: the mean of its rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recorded {
    /// The mean of each value.
    pub observation: Observation,
    /// Rows it is the mean of.
    pub rows: u32,
}

impl Pool {
    /// Reads a pool. `declared` names its space; without one it is the space of the values that occur, with the
    /// rules of [`default_rules`].
    ///
    /// # Errors
    /// A file that cannot be read, lacks a needed column, holds no usable row, or values outside the declared space.
    pub fn read(path: &Path, declared: Option<SpaceFile>) -> Result<Self, Error> {
        Self::from_reader(table::open(path)?, path, declared)
    }

    /// As [`Pool::read`], from any text; `path` is said in errors.
    ///
    /// # Errors
    /// As [`Pool::read`].
    pub fn from_reader(
        text: impl std::io::Read,
        path: &Path,
        declared: Option<SpaceFile>,
    ) -> Result<Self, Error> {
        let Table { rows, left_out, .. } = Table::from_reader(text, path)?;
        let skipped = left_out.len();
        if rows.is_empty() {
            let problem =
                format!("it holds no usable row ({skipped} lack a value or hold one that is no number)");
            return Err(Error::Pool { file: path.to_owned(), line: None, column: None, problem });
        }
        let space = match declared {
            Some(declared) => declared.space()?,
            None => occurring(&rows)?,
        };
        let mut grouped: BTreeMap<Candidate, Vec<&Row>> = BTreeMap::new();
        for row in &rows {
            let candidate = space.candidate(&row.values).filter(|&candidate| space.is_legal(candidate));
            let candidate = candidate.ok_or_else(|| Error::Pool {
                file: path.to_owned(),
                line: Some(row.line),
                column: None,
                problem: format!("{} is not in the space: declare it, or name another space", row.describe()),
            })?;
            grouped.entry(candidate).or_default().push(row);
        }
        let facts = facts(&space, &rows);
        let observations: BTreeMap<Candidate, Recorded> =
            grouped.into_iter().map(|(candidate, rows)| (candidate, mean(&rows))).collect();
        let measured = space.clone().restricted(observations.keys().copied().collect())?;
        Ok(Self { space, measured, observations, facts, skipped })
    }

    /// Every legal configuration, measured or not.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Only those that were measured; the others cannot be evaluated.
    pub fn measured(&self) -> &Space {
        &self.measured
    }

    /// What was recorded of a configuration.
    pub fn observation(&self, candidate: Candidate) -> Option<&Observation> {
        self.observations.get(&candidate).map(|recorded| &recorded.observation)
    }

    /// Everything that was recorded, by configuration.
    pub fn recorded(&self) -> &BTreeMap<Candidate, Recorded> {
        &self.observations
    }

    /// What is known of the cuts beforehand, in the order of the knob's values.
    pub fn facts(&self) -> &[CutFacts] {
        &self.facts
    }

    /// Rows that were left out.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The objectives of everything measured.
    pub fn objectives(&self) -> impl Iterator<Item = Objectives> + '_ {
        self.observations.values().map(|recorded| recorded.observation.objectives())
    }

    /// The front of everything measured.
    pub fn front(&self) -> BTreeSet<Candidate> {
        let objectives: Vec<Objectives> = self.objectives().collect();
        let candidates: Vec<Candidate> = self.observations.keys().copied().collect();
        non_dominated(&objectives).into_iter().map(|place| candidates[place]).collect()
    }
}

/// At the first cut nothing runs on the edge and at the last nothing in the cloud, so an accelerator has no meaning there:
/// only the first of its values is legal.
pub fn default_rules(knobs: &[(Knob, Vec<Value>)]) -> Vec<Rule> {
    let values = |wanted: Knob| knobs.iter().find(|(knob, _)| *knob == wanted).map(|(_, values)| values);
    let Some(cuts) = values(Knob::Cut) else { return Vec::new() };
    let ends = [(cuts.first(), Knob::EdgeAccelerator), (cuts.last(), Knob::CloudAccelerator)];
    let rule = |(end, knob): (Option<&Value>, Knob)| {
        let first = values(knob)?.first()?.clone();
        Some(Rule { when: vec![(Knob::Cut, vec![end?.clone()])], only: (knob, vec![first]) })
    };
    ends.into_iter().filter_map(rule).collect()
}

/// The space of the values that occur. Numbers ascend; accelerators keep the order of rising performance by their known
/// names and otherwise that of the alphabet.
///
/// # Errors
/// As [`Space::new`].
pub fn occurring(rows: &[Row]) -> Result<Space, Error> {
    let mut knobs: Vec<(Knob, Vec<Value>)> = Vec::new();
    for (knob, value) in rows.iter().flat_map(|row| &row.values) {
        match knobs.iter_mut().find(|(named, _)| named == knob) {
            Some((_, values)) if values.contains(value) => {}
            Some((_, values)) => values.push(value.clone()),
            None => knobs.push((*knob, vec![value.clone()])),
        }
    }
    for (_, values) in &mut knobs {
        values.sort_by_key(rank);
    }
    let rules = default_rules(&knobs);
    // Rows that the rules call illegal show that this pool has other rules.
    let legal = |space: &Space| {
        rows.iter().all(|row| space.candidate(&row.values).is_some_and(|c| space.is_legal(c)))
    };
    let space = Space::new(knobs.clone(), &rules)?;
    if legal(&space) { Ok(space) } else { Space::new(knobs, &[]) }
}

fn rank(value: &Value) -> (u64, String) {
    match value {
        Value::Cut(cut) => (u64::from(cut.0), String::new()),
        Value::Frequency(clock) => (clock.0, String::new()),
        Value::Threads(threads) => (u64::from(threads.get()), String::new()),
        Value::Codec(codec) => {
            let place = schemas::Codec::ALL.iter().position(|known| known == codec);
            (place.unwrap_or_default() as u64, String::new())
        }
        Value::Accelerator(name) => {
            let known = ["off", "cpu", "std", "on", "max"].iter().position(|known| known == name);
            (known.unwrap_or(usize::MAX) as u64, name.clone())
        }
        Value::AsItIs => (0, String::new()),
    }
}

/// What rows say of the cuts beforehand, in the order of the knob's values: the mean of their bytes.
pub fn facts(space: &Space, rows: &[Row]) -> Vec<CutFacts> {
    let mut said: HashMap<&Value, (f64, u32)> = HashMap::new();
    for row in rows {
        let cut = row.values.iter().find(|(knob, _)| *knob == Knob::Cut);
        if let (Some((_, cut)), Some(bytes)) = (cut, row.bytes) {
            let (sum, count) = said.entry(cut).or_default();
            *sum += bytes.0 as f64;
            *count += 1;
        }
    }
    let bytes_at = |cut: &Value| {
        let mean = said.get(cut).map_or(0.0, |&(sum, count)| sum / f64::from(count));
        CutFacts::of_bytes(ByteCount(mean.round() as u64))
    };
    space.values(Knob::Cut).iter().map(bytes_at).collect()
}

/// The mean of one configuration's rows. What one of them lacks is unknown for all.
fn mean(rows: &[&Row]) -> Recorded {
    let count = rows.len() as f64;
    let of = |value: &dyn Fn(&Row) -> Option<f64>| {
        let values: Option<Vec<f64>> = rows.iter().map(|row| value(row)).collect();
        // Around the first, so that the mean of equal values is that value to the last bit and they stay equally good.
        values.map(|values| values[0] + values.iter().map(|value| value - values[0]).sum::<f64>() / count)
    };
    let time = |part: &dyn Fn(&Parts) -> Millis| {
        of(&|row| row.parts.as_ref().map(|parts| part(parts).get())).map(Millis::saturating)
    };
    let energy = |part: &dyn Fn(&Parts) -> Joules| {
        of(&|row| row.parts.as_ref().map(|parts| part(parts).get())).map(Joules::saturating)
    };
    let parts = || {
        Some(Parts {
            edge_time: time(&|parts| parts.edge_time)?,
            wire_time: time(&|parts| parts.wire_time)?,
            cloud_time: time(&|parts| parts.cloud_time)?,
            edge_energy: energy(&|parts| parts.edge_energy)?,
            cloud_energy: energy(&|parts| parts.cloud_energy)?,
        })
    };
    let latency = of(&|row| Some(row.latency.get())).unwrap_or_default();
    let observation = Observation {
        latency: Millis::saturating(latency),
        energy: of(&|row| row.energy.map(Joules::get)).map(Joules::saturating),
        accuracy: of(&|row| row.accuracy.map(Share::get)).map(Share::saturating),
        parts: parts(),
    };
    Recorded { observation, rows: u32::try_from(rows.len()).unwrap_or(u32::MAX) }
}

#[cfg(test)]
pub(crate) mod tests;
