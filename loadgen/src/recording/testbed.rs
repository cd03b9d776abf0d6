//! Runs of the paper's testbed: what each strategy chose for each request, and what came of it.

use std::path::Path;

use schemas::Millis;
use search::pool::{Row, Table};

use crate::error::LoadgenError;

/// Every run of a testbed file, in its order.
#[derive(Debug, Clone)]
pub struct Testbed {
    /// The file.
    pub path: std::path::PathBuf,
    /// The runs.
    pub runs: Vec<TestbedRun>,
}

/// One request as one strategy handled it.
#[derive(Debug, Clone)]
pub struct TestbedRun {
    /// The strategy, as the file names it (`splinter:latency` is the paper's rule).
    pub strategy: String,
    /// The request's latency limit.
    pub limit: Millis,
    /// The configuration and what it took.
    pub row: Row,
}

impl Testbed {
    /// Reads a testbed file strictly.
    ///
    /// # Errors
    /// A file that cannot be read, lacks a column, or holds an unusable value.
    pub fn read(path: &Path) -> Result<Self, LoadgenError> {
        let table = Table::read(path)?;
        let invalid = |line, column: &str, problem: String| LoadgenError::InvalidValue {
            path: path.to_owned(),
            line,
            column: column.to_owned(),
            problem,
        };
        if let Some(wrong) = table.left_out.first() {
            return Err(invalid(wrong.line, &wrong.column, wrong.problem.clone()));
        }
        let column = |name: &str| {
            table
                .column(name)
                .ok_or_else(|| invalid(1, name, "there is no such column, which every testbed needs".into()))
        };
        let (limit, strategy) = (column("qos")?, column("strategy")?);
        let run = |row: &Row| {
            let text = row.text(limit);
            let value = text.parse().ok().and_then(|number| Millis::new(number).ok());
            let limit = value
                .ok_or_else(|| invalid(row.line, "qos", format!("{text:?} is no latency limit in ms")))?;
            Ok(TestbedRun { strategy: row.text(strategy).to_owned(), limit, row: row.clone() })
        };
        Ok(Self {
            path: path.to_owned(),
            runs: table.rows.iter().map(run).collect::<Result<_, LoadgenError>>()?,
        })
    }

    /// The strategies, in the order of their first run.
    pub fn strategies(&self) -> Vec<&str> {
        let mut strategies: Vec<&str> = Vec::new();
        for run in &self.runs {
            if !strategies.contains(&run.strategy.as_str()) {
                strategies.push(&run.strategy);
            }
        }
        strategies
    }

    /// The runs of one strategy.
    pub fn of<'a>(&'a self, strategy: &'a str) -> impl Iterator<Item = &'a TestbedRun> {
        self.runs.iter().filter(move |run| run.strategy == strategy)
    }
}
