//! Recorded runs of one network: the form of the paper's data, and of every pool that is read here.
//!
//! - a **pool** `simulation_pool_<network>.csv`, one row a measured run ([`search::pool`] says its columns);
//! - a **testbed** `testbed_<network>.csv`, the same columns and `qos` (the limit, ms) and `strategy` of each run;
//! - a **workload** `workload_<n>_samples.csv` with the columns `Index`, `Network` and `Latency` (the limit, ms).
//!
//! Reading is strict: a value that is missing, no number, below zero or beyond any measurement is an error that names the file, the
//! line and the column. Nothing is left out silently.

mod front;
mod spread;
mod testbed;
mod workload;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemas::{Cut, Joules, Millis};
use search::knob::{Knob, Value};
use search::pool::{Row, Table, occurring};
use search::space::{PRESETS, SpaceFile};
use search::{Candidate, Space};

pub use front::{Choice, RecordedFront, Values};
pub use spread::PooledSpread;
pub use testbed::{Testbed, TestbedRun};
pub use workload::read_workload;

use crate::error::LoadgenError;

/// The runs of one network, in the order of the file, and which configuration each is of.
#[derive(Debug, Clone)]
pub struct Recording {
    path: PathBuf,
    space: Space,
    rows: Vec<Row>,
    configurations: Vec<Recorded>,
    /// The configuration of each row, as a place in `configurations`.
    of_row: Vec<usize>,
}

/// A configuration and its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The configuration, in the recording's space.
    pub candidate: Candidate,
    /// Its rows, ascending.
    pub rows: Vec<usize>,
}

/// Where a configuration runs the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// All of it in the cloud.
    Cloud,
    /// Cut between the two.
    Split,
    /// All of it on the edge.
    Edge,
}

impl Side {
    /// Where a cut runs a network whose last cut is known.
    pub fn of(cut: Cut, last: Cut) -> Self {
        match cut {
            Cut::ALL_CLOUD => Self::Cloud,
            cut if cut == last => Self::Edge,
            _ => Self::Split,
        }
    }
}

impl Recording {
    /// Reads a pool strictly. Its space is that of [`space_of`] the network.
    ///
    /// # Errors
    /// A file that cannot be read, lacks a column, or holds an unusable value or an illegal configuration.
    pub fn read(path: &Path, network: &str, declared: Option<SpaceFile>) -> Result<Self, LoadgenError> {
        let table = Table::read(path)?;
        if let Some(wrong) = table.left_out.first() {
            return Err(LoadgenError::InvalidValue {
                path: path.to_owned(),
                line: wrong.line,
                column: wrong.column.clone(),
                problem: wrong.problem.clone(),
            });
        }
        if let Some((row, problem)) = table.rows.iter().find_map(|row| Some((row, in_another_unit(row)?))) {
            let (path, column) = (path.to_owned(), "latency".to_owned());
            return Err(LoadgenError::InvalidValue { path, line: row.line, column, problem });
        }
        let space = space_of(network, declared, &table.rows)?;
        let legal = |row: &Row| space.candidate(&row.values).filter(|&candidate| space.is_legal(candidate));
        if let Some(row) = table.rows.iter().find(|row| legal(row).is_none()) {
            return Err(LoadgenError::InvalidRow {
                path: path.to_owned(),
                line: row.line,
                problem: format!("{} is not a legal configuration of this network", row.describe()),
            });
        }
        Self::new(path, space, table.rows).ok_or_else(|| LoadgenError::NoRows(path.to_owned()))
    }

    /// From rows that were read already. Rows outside the space are left out; `None` when no row is left.
    pub fn new(path: &Path, space: Space, rows: Vec<Row>) -> Option<Self> {
        let mut places: BTreeMap<Candidate, usize> = BTreeMap::new();
        let mut recording = Self {
            path: path.to_owned(),
            space,
            rows: Vec::with_capacity(rows.len()),
            configurations: Vec::new(),
            of_row: Vec::with_capacity(rows.len()),
        };
        for row in rows {
            let candidate = recording.space.candidate(&row.values);
            let Some(candidate) = candidate.filter(|&c| recording.space.is_legal(c)) else { continue };
            let place = *places.entry(candidate).or_insert_with(|| {
                recording.configurations.push(Recorded { candidate, rows: Vec::new() });
                recording.configurations.len() - 1
            });
            recording.configurations[place].rows.push(recording.rows.len());
            recording.of_row.push(place);
            recording.rows.push(row);
        }
        (!recording.rows.is_empty()).then_some(recording)
    }

    /// The same without some rows, given by their places; `None` when none is left.
    pub fn without(&self, places: &std::collections::BTreeSet<usize>) -> Option<Self> {
        let kept = self.rows.iter().enumerate().filter(|(place, _)| !places.contains(place));
        Self::new(&self.path, self.space.clone(), kept.map(|(_, row)| row.clone()).collect())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every legal configuration, measured or not.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Every run, in the order of the file.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Every configuration that was run, in the order of the first run.
    pub fn configurations(&self) -> &[Recorded] {
        &self.configurations
    }

    /// The configuration of a row, as a place in [`Recording::configurations`].
    pub fn configuration_of(&self, row: usize) -> usize {
        self.of_row[row]
    }

    /// Where a configuration is, when it was run.
    pub fn find(&self, candidate: Candidate) -> Option<usize> {
        self.configurations.iter().position(|recorded| recorded.candidate == candidate)
    }

    /// The cut of a configuration.
    pub fn cut(&self, configuration: usize) -> Cut {
        cut_of(&self.space, self.configurations[configuration].candidate)
    }

    /// The cut with everything on the edge.
    pub fn last_cut(&self) -> Cut {
        let cuts = self.space.values(Knob::Cut).iter();
        cuts.filter_map(|value| if let Value::Cut(cut) = value { Some(*cut) } else { None })
            .max()
            .unwrap_or(Cut::ALL_CLOUD)
    }

    /// Where a configuration runs the network.
    pub fn side(&self, configuration: usize) -> Side {
        Side::of(self.cut(configuration), self.last_cut())
    }

    /// A configuration in words.
    pub fn describe(&self, configuration: usize) -> String {
        self.space.describe(self.configurations[configuration].candidate).to_string()
    }

    /// The baseline that runs everything in the cloud: the edge at its highest clock without its accelerator, the cloud
    /// with its best.
    ///
    /// # Errors
    /// That configuration was never run.
    pub fn all_cloud(&self) -> Result<usize, LoadgenError> {
        self.baseline(Cut::ALL_CLOUD, &[Knob::EdgeAccelerator])
    }

    /// The baseline that runs everything on the edge: the highest clock and the best accelerator.
    ///
    /// # Errors
    /// That configuration was never run.
    pub fn all_edge(&self) -> Result<usize, LoadgenError> {
        self.baseline(self.last_cut(), &[Knob::CloudAccelerator])
    }

    /// Every knob at its last value (knobs ascend), except those that are without a meaning.
    fn baseline(&self, cut: Cut, meaningless: &[Knob]) -> Result<usize, LoadgenError> {
        let best = |knob: Knob| match knob {
            Knob::Cut => Value::Cut(cut),
            knob if meaningless.contains(&knob) || knob == Knob::Codec => self.space.values(knob)[0].clone(),
            knob => self.space.values(knob)[self.space.values(knob).len() - 1].clone(),
        };
        let values: Vec<(Knob, Value)> = Knob::ALL.into_iter().map(|knob| (knob, best(knob))).collect();
        let candidate = self.space.candidate(&values);
        candidate.and_then(|candidate| self.find(candidate)).ok_or_else(|| {
            let turned = values.iter().filter(|(_, value)| *value != Value::AsItIs);
            let words: Vec<String> = turned.map(|(knob, value)| format!("{knob} {value}")).collect();
            LoadgenError::BaselineMissing { path: self.path.clone(), configuration: words.join(", ") }
        })
    }

    /// The least and greatest latency of any run: the bounds between which the paper draws its limits.
    pub fn latency_range(&self) -> (Millis, Millis) {
        let latencies = || self.rows.iter().map(|row| row.latency);
        let least = latencies().reduce(|least, other| if other < least { other } else { least });
        let greatest = latencies().reduce(|greatest, other| if other > greatest { other } else { greatest });
        (least.unwrap_or_default(), greatest.unwrap_or_default())
    }

    /// The energy of a run.
    ///
    /// # Errors
    /// The file has no such column.
    pub fn energy(&self, row: usize) -> Result<Joules, LoadgenError> {
        self.rows[row].energy.ok_or_else(|| LoadgenError::NoEnergy(self.path.clone()))
    }
}

/// Whole and stages that are so many times apart are in different units: seconds and milliseconds are a thousand.
const ANOTHER_UNIT: f64 = 50.0;

fn in_another_unit(row: &Row) -> Option<String> {
    let parts = row.parts?;
    let sum = (parts.edge_time + parts.wire_time + parts.cloud_time).get();
    let whole = row.latency.get();
    let apart = whole > 0.0 && sum > 0.0 && !(1.0 / ANOTHER_UNIT..=ANOTHER_UNIT).contains(&(whole / sum));
    apart.then(|| format!("{whole} ms are not the sum of the stages, {sum} ms: another unit?"))
}

/// The cut of a candidate.
pub fn cut_of(space: &Space, candidate: Candidate) -> Cut {
    match space.value(candidate, Knob::Cut) {
        Value::Cut(cut) => *cut,
        // Every pool has a column for the cut.
        _ => Cut::ALL_CLOUD,
    }
}

/// The space of a network: the declared one; that of the paper for its four networks; otherwise every combination of
/// the values that occur, with every cut up to the last that occurs.
///
/// # Errors
/// A space that cannot be.
pub fn space_of(network: &str, declared: Option<SpaceFile>, rows: &[Row]) -> Result<Space, LoadgenError> {
    if let Some(declared) = declared {
        return Ok(declared.space()?);
    }
    let preset = format!("dynasplit-{network}");
    if PRESETS.iter().any(|(name, _)| *name == preset) {
        return Ok(SpaceFile::preset(&preset)?.space()?);
    }
    Ok(occurring(rows)?)
}

/// The network that a file of a folder of such data is about: what stands between the prefix and `.csv`.
pub fn network_of(path: &Path) -> Option<&str> {
    let stem = path.file_stem()?.to_str()?;
    ["simulation_pool_", "testbed_"].iter().find_map(|prefix| stem.strip_prefix(prefix))
}
