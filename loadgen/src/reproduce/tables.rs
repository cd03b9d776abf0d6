//! The tables, each cell with what was published.

use schemas::{Millis, PolicyName};
use serde::Serialize;

use super::metric::Metric;
use super::published::Published;
use super::{Data, PAPER_SEED, Study};
use crate::error::LoadgenError;
use crate::recording::{Choice, RecordedFront, Recording, Side, Testbed, Values, cut_of};
use crate::simulate::draw::Draw;
use crate::simulate::figures::{Figures, Outcome};
use crate::simulate::pool::{PAPER_ORDER, RecordedRuns, simulate};

/// Whether a value agrees with the published one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// To the last printed digit.
    Pass,
    /// It does not.
    Fail,
    /// Nothing was published.
    Unpublished,
}

/// One table.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Its name in files.
    pub key: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// One row a strategy.
    pub rows: Vec<Row>,
}

/// One strategy.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The strategy; `dynasplit` is the paper's rule.
    pub strategy: String,
    /// What it achieved.
    pub figures: Figures,
    /// By metric, in the order of [`Metric::ALL`].
    pub cells: Vec<Cell>,
    /// Whether all cells agree.
    pub verdict: Verdict,
}

/// One value.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// Of what.
    pub metric: Metric,
    /// What comes out here; `None` where it is not known.
    pub value: Option<f64>,
    /// What was published.
    pub published: Option<f64>,
    /// Whether they agree.
    pub verdict: Verdict,
}

impl Table {
    /// The row of a strategy.
    pub fn row(&self, strategy: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.strategy == strategy)
    }

    /// The verdict of every cell.
    pub fn verdicts(&self) -> impl Iterator<Item = Verdict> + '_ {
        self.rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.verdict))
    }

    fn of(
        Name { key, about, .. }: Name,
        network: &str,
        figures: Vec<(String, Figures)>,
        published: &Published,
    ) -> Self {
        let baseline = figures.iter().find(|(strategy, _)| strategy == "cloud").map(|(_, figures)| *figures);
        let row = |(strategy, figures): (String, Figures)| {
            let cell = |metric: Metric| {
                let value = metric.of(&figures, baseline.as_ref());
                let printed = published.cell(network, key, &strategy, metric);
                let verdict = match (value, printed) {
                    (_, None) => Verdict::Unpublished,
                    (None, Some(_)) => Verdict::Fail,
                    (Some(value), Some(printed)) => printed.verdict(value),
                };
                Cell { metric, value, published: printed.map(|printed| printed.value()), verdict }
            };
            let cells: Vec<Cell> = Metric::ALL.into_iter().map(cell).collect();
            let verdict = verdict_of(&cells);
            Row { strategy, figures, cells, verdict }
        };
        Self { key, about, rows: figures.into_iter().map(row).collect() }
    }
}

impl Row {
    /// A metric by its key, or the number of requests by side as `decisions_cloud`, `decisions_split`, `decisions_edge`.
    pub fn quantity(&self, key: &str) -> Option<f64> {
        let [cloud, split, edge] = self.figures.decisions;
        match key {
            "decisions_cloud" => Some(cloud as f64),
            "decisions_split" => Some(split as f64),
            "decisions_edge" => Some(edge as f64),
            key => self.cells.iter().find(|cell| cell.metric.key() == key)?.value,
        }
    }
}

fn verdict_of(cells: &[Cell]) -> Verdict {
    let any = |verdict: Verdict| cells.iter().any(|cell| cell.verdict == verdict);
    if any(Verdict::Fail) {
        Verdict::Fail
    } else if any(Verdict::Pass) {
        Verdict::Pass
    } else {
        Verdict::Unpublished
    }
}

/// A table by its name in files, what it shows, and how many requests its workload has.
struct Name {
    key: &'static str,
    about: &'static str,
    requests: usize,
}

const fn name(key: &'static str, about: &'static str, requests: usize) -> Name {
    Name { key, about, requests }
}

const TESTBED: Name = name("testbed_50", "Testbed, 50 requests: measured by the paper's authors", 50);
/// No table of figures, but of what the testbed's file says too.
const DECISIONS: Name = name("decisions", "Recorded decisions, made again over the recovered fronts", 50);
const SEED_EXACT: Name =
    name("seed_exact_10000", "Simulation, 10 000 requests: the paper's front, its random numbers", 10_000);
const SEED_EXACT_50: Name =
    name("seed_exact_50", "Simulation, 50 requests: the paper's front, its random numbers", 50);
const GRID: Name = name(
    "seed_grid80_10000",
    "Simulation, 10 000 requests: the front of all trials, the paper's random numbers",
    10_000,
);
const MEANS: Name =
    name("mean_10000", "Simulation, 10 000 requests: the front of all means, each outcome a mean", 10_000);
const PORTABLE: Name =
    name("sampled_portable_10000", "Simulation, 10 000 requests: the front of all means, SplitMix64", 10_000);
const LEGACY: Name = name(
    "sampled_legacy_10000",
    "Simulation, 10 000 requests: the front of all means, the paper's random numbers",
    10_000,
);
const AT_MEANS: Name = name(
    "nsga_configs_at_means_10000",
    "Simulation, 10 000 requests: the paper's front at its means, each outcome a mean",
    10_000,
);
const MEANS_50: Name =
    name("mean_50", "Simulation, 50 requests: the front of all means, each outcome a mean", 50);

/// What could not be made, since a file is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The table's name in files.
    pub key: &'static str,
    /// What it would show.
    pub about: &'static str,
    /// What is missing, in words.
    pub missing: String,
    /// Whether values of it were published, which nothing is compared with now.
    pub published: bool,
}

/// Every table that the data allows, and those that it does not.
pub(super) fn tables(
    data: &Data,
    study: &Study,
    published: &Published,
) -> Result<(Vec<Table>, Vec<LeftOut>), LoadgenError> {
    let (recording, network) = (&data.recording, data.network.as_str());
    let runs = RecordedRuns::of(recording)?;
    let means = front_of_means(recording, study.anchors);
    let at_means = study.budget_front_at_means(recording);
    let numpy = || Draw::numpy(PAPER_SEED);
    let portable = Draw::Portable { seed: u64::from(PAPER_SEED) };
    let (mut tables, mut left_out) = (Vec::new(), Vec::new());
    let without = |Name { key, about, .. }, missing| {
        let published = published.has_table(network, key);
        LeftOut { key, about, missing, published }
    };
    match &data.testbed {
        Some(testbed) => {
            tables.push(Table::of(TESTBED, network, testbed_figures(recording, testbed)?, published));
        }
        None => {
            let missing = format!("no {}", super::testbed_file(network));
            left_out.extend([without(TESTBED, missing.clone()), without(DECISIONS, missing)]);
        }
    }
    // Where no grid was measured, all trials are those of the search.
    let grid = (study.trials != study.searched).then_some((GRID, &study.whole_front, numpy()));
    let of_search = [(SEED_EXACT, &study.budget_front, numpy())];
    let of_means = [
        (MEANS, &means, Draw::Mean),
        (PORTABLE, &means, portable),
        (LEGACY, &means, numpy()),
        (AT_MEANS, &at_means, Draw::Mean),
        (SEED_EXACT_50, &study.budget_front, numpy()),
        (MEANS_50, &means, Draw::Mean),
    ];
    for (name, front, draw) in of_search.into_iter().chain(grid).chain(of_means) {
        match data.workloads.iter().find(|(requests, _)| *requests == name.requests) {
            Some((_, limits)) => {
                tables.push(Table::of(name, network, simulated(&runs, front, limits, draw)?, published));
            }
            None => {
                let missing = format!("no limits of {network} in {}", super::workload_file(name.requests));
                left_out.push(without(name, missing));
            }
        }
    }
    Ok((tables, left_out))
}

/// The front of all means, as the reference made it: by the sums that were recorded, not by those of the stages.
fn front_of_means(recording: &Recording, anchors: (usize, usize)) -> RecordedFront {
    let choices: Vec<Choice> = (0..recording.configurations().len())
        .map(|configuration| Choice {
            configuration,
            values: Values { parts: None, ..Values::of_runs(recording, configuration) },
        })
        .collect();
    RecordedFront::non_dominated_of(recording, &choices, anchors)
}

fn simulated(
    runs: &RecordedRuns,
    front: &RecordedFront,
    limits: &[Millis],
    mut draw: Draw,
) -> Result<Vec<(String, Figures)>, LoadgenError> {
    let outcomes = simulate(runs, front, &PAPER_ORDER, limits, &mut draw)?;
    let named = PAPER_ORDER.iter().map(|policy: &PolicyName| policy.to_string()).zip(&outcomes);
    Ok(named.filter_map(|(name, outcomes)| Some((name, Figures::of(outcomes)?))).collect())
}

/// The testbed's own figures. The paper's rule goes by the name `dynasplit` everywhere.
fn testbed_figures(recording: &Recording, testbed: &Testbed) -> Result<Vec<(String, Figures)>, LoadgenError> {
    let last = recording.last_cut();
    let side = |run: &crate::recording::TestbedRun| {
        let candidate = recording.space().candidate(&run.row.values)?;
        Some(Side::of(cut_of(recording.space(), candidate), last))
    };
    let mut all = Vec::new();
    for strategy in testbed.strategies() {
        let mut outcomes = Vec::new();
        for run in testbed.of(strategy) {
            let energy = run.row.energy.ok_or_else(|| LoadgenError::NoEnergy(testbed.path.clone()))?;
            let side = side(run).ok_or_else(|| LoadgenError::InvalidRow {
                path: testbed.path.clone(),
                line: run.row.line,
                problem: format!("{} is not a configuration of this network", run.row.describe()),
            })?;
            let (latency, accuracy) = (run.row.latency, run.row.accuracy);
            outcomes.push(Outcome { limit: run.limit, latency, energy, accuracy, side });
        }
        if let Some(figures) = Figures::of(&outcomes) {
            all.push((strategy.replace("splinter:latency", "dynasplit"), figures));
        }
    }
    Ok(all)
}
