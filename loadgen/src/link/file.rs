//! Link traces as files.

use std::io::Write;
use std::path::Path;

use schemas::{Bandwidth, LinkState, Millis};

use super::LinkTrace;
use crate::error::LoadgenError;
use crate::table::{Row, Table};
use crate::trace::{GREATEST_MS, check_version};

const MARK: &str = "# splinter link trace ";
const VERSION: &str = "1";

/// Each quantity's columns with what turns their unit into ours: milliseconds, megabits a second, milliseconds. Names
/// without a unit are those of recordings: seconds, Mbit/s, ms.
const TIME: [(&str, f64); 3] = [("time", 1e3), ("time_s", 1e3), ("time_ms", 1.0)];
const BANDWIDTH: [(&str, f64); 4] =
    [("bandwidth", 1.0), ("bandwidth_mbit", 1.0), ("bandwidth_kbit", 1e-3), ("bandwidth_bit", 1e-6)];
const RTT: [(&str, f64); 3] = [("rtt", 1.0), ("rtt_ms", 1.0), ("rtt_s", 1e3)];

impl LinkTrace {
    /// Reads a link trace. An error names file, line and column.
    pub fn read(path: &Path) -> Result<Self, LoadgenError> {
        check_version(path, MARK, VERSION, "link trace")?;
        let known: Vec<&str> = TIME.iter().chain(&BANDWIDTH).chain(&RTT).map(|(column, _)| *column).collect();
        let mut table = Table::open(path, &known)?;
        let (time, bandwidth, rtt) =
            (column(&table, &TIME)?, column(&table, &BANDWIDTH)?, column(&table, &RTT)?);
        let mut states: Vec<(Millis, LinkState)> = Vec::new();
        while let Some(row) = table.next_row()? {
            let value =
                |(column, factor), least, greatest| Row::number(&row, column, factor, least, greatest);
            let begin = Millis::saturating(value(time, 0.0, GREATEST_MS)?);
            let state = LinkState {
                bandwidth_mbit: Bandwidth::saturating(value(bandwidth, 0.001, 1e6)?),
                rtt_ms: Millis::saturating(value(rtt, 0.0, 60_000.0)?),
            };
            if states.last().is_some_and(|(before, _)| begin <= *before) {
                return Err(
                    row.refused(time.0, "it does not come after the time before: sort by time".into())
                );
            }
            states.push((begin, state));
        }
        if states.is_empty() {
            return Err(LoadgenError::Empty { path: path.to_path_buf(), what: "state of the link" });
        }
        Self::new(states)
    }

    /// Writes the link trace. `made_by` is the command it came from, told in a comment.
    pub fn write(&self, to: impl Write, made_by: &str) -> Result<(), LoadgenError> {
        self.write_rows(to, made_by)
            .map_err(|source| LoadgenError::Unwritable { what: "the link trace", source })
    }

    fn write_rows(&self, mut to: impl Write, made_by: &str) -> std::io::Result<()> {
        writeln!(to, "{MARK}{VERSION}")?;
        writeln!(to, "# {}", made_by.replace(['\n', '\r'], " "))?;
        writeln!(to, "time_ms,bandwidth_mbit,rtt_ms")?;
        for (time, state) in self.states() {
            writeln!(to, "{},{},{}", time.get(), state.bandwidth_mbit.get(), state.rtt_ms.get())?;
        }
        to.flush()
    }
}

fn column(table: &Table, columns: &[(&'static str, f64)]) -> Result<(&'static str, f64), LoadgenError> {
    let names: Vec<&'static str> = columns.iter().map(|(name, _)| *name).collect();
    let found = table.one_of(&names)?;
    let factor = columns.iter().find(|(name, _)| *name == found).map_or(1.0, |(_, factor)| *factor);
    Ok((found, factor))
}
