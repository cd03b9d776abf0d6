//! Traces as files: our own CSV format and the paper's.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use schemas::{Cut, Millis, ModelName, Qos, Share};

use super::capture::{CutOff, PARTIAL};
use super::{GREATEST_MS, Loop, Trace, TraceRequest, follows};
use crate::error::LoadgenError;
use crate::table::{Row, Table};

/// The first line of a trace of ours; its number grows when an older reader would misunderstand the file.
const MARK: &str = "# splinter trace ";
const VERSION: &str = "1";

const COLUMNS: [&str; 11] = [
    "at_ms",
    "at_s",
    "query",
    "model",
    "tenant",
    "limit_ms",
    "limit_s",
    "limit",
    "accuracy_floor",
    "least_cut",
    "energy_weight",
];
/// The paper's columns.
const PAPER_COLUMNS: [&str; 3] = ["Index", "Network", "Latency"];

/// How a trace is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceFormat {
    /// The one of `docs/traces.md`.
    Splinter,
    /// The paper's `Index,Network,Latency`: limits in milliseconds, no times. Everything else is left out.
    Paper,
}

/// What the columns of a file are and mean.
struct Columns {
    at: Option<(&'static str, f64)>,
    limit: (&'static str, f64),
    model: &'static str,
    query: Option<&'static str>,
    paper: bool,
}

impl Trace {
    /// Reads a trace in either format; its header tells which. An error names file, line and column.
    pub fn read(path: &Path) -> Result<Self, LoadgenError> {
        if path.extension().is_some_and(|ending| ending == PARTIAL) {
            let trace = path.with_extension("");
            CutOff::find(&trace)?;
            return Err(LoadgenError::RecordingCutOff { partial: path.to_path_buf(), trace });
        }
        check_version(path, MARK, VERSION, "trace")?;
        let known: Vec<&str> = COLUMNS.into_iter().chain(PAPER_COLUMNS).collect();
        let mut table = Table::open(path, &known)?;
        let columns = Columns::of(&table)?;
        let mut names: HashMap<String, Arc<ModelName>> = HashMap::new();
        let mut requests: Vec<TraceRequest> = Vec::new();
        while let Some(row) = table.next_row()? {
            let request = columns.request(&row, requests.len(), &mut names)?;
            if let Some(earlier) = requests.last() {
                let column = columns.at.map_or("query", |(column, _)| column);
                follows(earlier, &request).map_err(|problem| row.refused(column, problem))?;
            }
            requests.push(request);
        }
        if requests.is_empty() {
            return Err(LoadgenError::Empty { path: path.to_path_buf(), what: "request" });
        }
        Self::new(requests)
    }

    /// Writes the trace. `made_by` is the command it came from, told in a comment.
    pub fn write(&self, to: impl Write, format: TraceFormat, made_by: &str) -> Result<(), LoadgenError> {
        match format {
            TraceFormat::Splinter => self.write_splinter(to, made_by),
            TraceFormat::Paper => self.write_paper(to),
        }
        .map_err(|source| LoadgenError::Unwritable { what: "the trace", source })
    }

    fn write_splinter(&self, mut to: impl Write, made_by: &str) -> std::io::Result<()> {
        writeln!(to, "{MARK}{VERSION}")?;
        writeln!(to, "# {}", made_by.replace(['\n', '\r'], " "))?;
        let mut writer = csv::Writer::from_writer(to);
        let open = self.pacing() == Loop::Open;
        let any = |asks: fn(&Qos) -> bool| self.requests.iter().any(|request| asks(&request.qos));
        let kept = |column: &&str| match *column {
            "at_ms" => open,
            "tenant" => self.requests.iter().any(|request| request.tenant.is_some()),
            "limit" => any(|qos| !qos.limit.is_soft()),
            "accuracy_floor" => any(|qos| qos.accuracy_floor.is_some()),
            "least_cut" => any(|qos| qos.least_cut.is_some()),
            "energy_weight" => any(|qos| qos.energy_weight.is_some()),
            "at_s" | "limit_s" => false,
            _ => true,
        };
        let columns: Vec<&str> = COLUMNS.into_iter().filter(kept).collect();
        writer.write_record(&columns)?;
        for request in &self.requests {
            writer.write_record(columns.iter().map(|column| cell(request, column)))?;
        }
        writer.flush()
    }

    fn write_paper(&self, to: impl Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(PAPER_COLUMNS)?;
        let mut counts: HashMap<&ModelName, u64> = HashMap::new();
        for request in &self.requests {
            let index = counts.entry(&request.model).or_default();
            // Whole numbers with their point, as pandas writes them.
            let limit = format!("{:?}", request.qos.latency_ms.get());
            writer.write_record([&index.to_string(), request.model.as_str(), &limit])?;
            *index += 1;
        }
        writer.flush()
    }
}

fn cell(request: &TraceRequest, column: &str) -> String {
    let TraceRequest { at, query, model, tenant, qos } = request;
    let share = |share: Option<Share>| share.map_or_else(String::new, |share| share.get().to_string());
    match column {
        "at_ms" => at.map_or_else(String::new, |at| at.get().to_string()),
        "query" => query.to_string(),
        "model" => model.to_string(),
        "tenant" => tenant.as_ref().map_or_else(String::new, ToString::to_string),
        "limit_ms" => qos.latency_ms.get().to_string(),
        "limit" => qos.limit.to_string(),
        "accuracy_floor" => share(qos.accuracy_floor),
        "least_cut" => qos.least_cut.map_or_else(String::new, |cut| cut.to_string()),
        "energy_weight" => share(qos.energy_weight),
        _ => String::new(),
    }
}

impl Columns {
    fn of(table: &Table) -> Result<Self, LoadgenError> {
        let factor = |column: &'static str| (column, if column.ends_with("_s") { 1e3 } else { 1.0 });
        let paper = PAPER_COLUMNS.iter().any(|column| table.has(column));
        if paper {
            table.one_of(&["Index"])?;
            let (model, limit) = (table.one_of(&["Network"])?, (table.one_of(&["Latency"])?, 1.0));
            return Ok(Self { at: None, limit, model, query: None, paper });
        }
        Ok(Self {
            at: table.at_most_one_of(&["at_ms", "at_s"])?.map(factor),
            limit: factor(table.one_of(&["limit_ms", "limit_s"])?),
            model: table.one_of(&["model"])?,
            query: table.at_most_one_of(&["query"])?,
            paper,
        })
    }

    fn request(
        &self,
        row: &Row<'_>,
        position: usize,
        names: &mut HashMap<String, Arc<ModelName>>,
    ) -> Result<TraceRequest, LoadgenError> {
        let at = self.at.filter(|(column, _)| row.text(column).is_some());
        let at = at.map(|(column, factor)| row.number(column, factor, 0.0, GREATEST_MS)).transpose()?;
        let (column, factor) = self.limit;
        let limit = row.above_zero(column, factor, GREATEST_MS)?;
        let model: ModelName = row.value(self.model)?;
        let model = names.entry(model.to_string()).or_insert_with(|| Arc::new(model)).clone();
        let query = self.query.map(|column| row.whole::<u64>(column)).transpose()?;
        if self.paper {
            row.whole::<u64>("Index")?;
        }
        Ok(TraceRequest {
            at: at.map(Millis::saturating),
            query: query.unwrap_or(position as u64),
            model,
            tenant: row.optional("tenant")?.map(Arc::new),
            qos: Qos {
                latency_ms: Millis::saturating(limit),
                accuracy_floor: share(row, "accuracy_floor")?,
                least_cut: row.optional_whole("least_cut")?.map(Cut),
                limit: row.optional("limit")?.unwrap_or_default(),
                energy_weight: share(row, "energy_weight")?,
            },
        })
    }
}

/// A share that may be missing.
fn share(row: &Row<'_>, column: &str) -> Result<Option<Share>, LoadgenError> {
    if row.text(column).is_none() {
        return Ok(None);
    }
    row.number(column, 1.0, 0.0, 1.0).map(|value| Some(Share::saturating(value)))
}

/// Refuses a file whose first line says that it is of another version.
pub(crate) fn check_version(
    path: &Path,
    mark: &str,
    version: &'static str,
    what: &'static str,
) -> Result<(), LoadgenError> {
    let unreadable = |source| LoadgenError::Unreadable { path: path.to_path_buf(), source };
    let mut first = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    // A line that never ends is no mark: it needs not be read further.
    std::io::Read::take(BufReader::new(file), 256).read_until(b'\n', &mut first).map_err(unreadable)?;
    let first = String::from_utf8_lossy(&first);
    match first.strip_prefix(mark).map(str::trim) {
        Some(found) if found != version => Err(LoadgenError::OtherVersion {
            path: path.to_path_buf(),
            what,
            found: found.to_owned(),
            known: version,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
