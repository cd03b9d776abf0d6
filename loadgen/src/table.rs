//! Files as people bring them: every complaint names the file, the line and the column.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::StringRecord;

use crate::error::LoadgenError;

/// Lines above the header that begin with this tell where a file comes from.
const COMMENT: u8 = b'#';

/// A file's rows, read one by one.
pub(crate) struct Table {
    path: PathBuf,
    headers: StringRecord,
    rows: csv::StringRecordsIntoIter<BufReader<File>>,
}

/// One row of a table.
pub(crate) struct Row<'t> {
    path: &'t Path,
    headers: &'t StringRecord,
    cells: StringRecord,
    line: u64,
}

impl Table {
    /// Opens a file and reads its header, whose names must be known and different.
    pub(crate) fn open(path: &Path, known: &[&str]) -> Result<Self, LoadgenError> {
        let unreadable = |source| LoadgenError::Unreadable { path: path.to_path_buf(), source };
        let file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut reader =
            csv::ReaderBuilder::new().comment(Some(COMMENT)).trim(csv::Trim::All).from_reader(file);
        let headers = reader.headers().map_err(|error| csv_error(path, &error))?.clone();
        let line = headers.position().map_or(1, csv::Position::line);
        let refused = |column: &str, problem: String| {
            Err(LoadgenError::InvalidValue {
                path: path.to_path_buf(),
                line,
                column: column.to_owned(),
                problem,
            })
        };
        if headers.iter().all(str::is_empty) {
            return Err(LoadgenError::Empty { path: path.to_path_buf(), what: "header" });
        }
        for (position, header) in headers.iter().enumerate() {
            if !known.contains(&header) {
                let names = known.join(", ");
                return refused(header, format!("there is no such column: use those of {names}"));
            }
            if headers.iter().take(position).any(|earlier| earlier == header) {
                return refused(header, "the column is there twice".into());
            }
        }
        Ok(Self { path: path.to_path_buf(), headers, rows: reader.into_records() })
    }

    /// Whether the header has a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.headers.iter().any(|header| header == column)
    }

    /// The first of these columns that the header has; an error that names them when it has none or several.
    pub(crate) fn one_of(&self, columns: &[&'static str]) -> Result<&'static str, LoadgenError> {
        let found: Vec<_> = columns.iter().copied().filter(|column| self.has(column)).collect();
        match found.as_slice() {
            [column] => Ok(column),
            [] => Err(LoadgenError::MissingColumn {
                path: self.path.clone(),
                line: self.header_line(),
                columns: columns.join(" or "),
            }),
            several => Err(LoadgenError::InvalidValue {
                path: self.path.clone(),
                line: self.header_line(),
                column: several.join(", "),
                problem: "these say the same: keep one".into(),
            }),
        }
    }

    /// As [`Table::one_of`], for columns that may be missing.
    pub(crate) fn at_most_one_of(
        &self,
        columns: &[&'static str],
    ) -> Result<Option<&'static str>, LoadgenError> {
        if columns.iter().any(|column| self.has(column)) { self.one_of(columns).map(Some) } else { Ok(None) }
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_>>, LoadgenError> {
        let Some(cells) = self.rows.next() else { return Ok(None) };
        let cells = cells.map_err(|error| csv_error(&self.path, &error))?;
        let line = cells.position().map_or(0, csv::Position::line);
        Ok(Some(Row { path: &self.path, headers: &self.headers, cells, line }))
    }

    fn header_line(&self) -> u64 {
        self.headers.position().map_or(1, csv::Position::line)
    }
}

impl Row<'_> {
    /// The text of a column; `None` where the cell is empty or there is no such column.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        let position = self.headers.iter().position(|header| header == column)?;
        self.cells.get(position).filter(|text| !text.is_empty())
    }

    /// A value that must be there.
    pub(crate) fn value<T: FromStr<Err: ToString>>(&self, column: &str) -> Result<T, LoadgenError> {
        let value = self.optional(column)?;
        value.ok_or_else(|| self.refused(column, "the cell is empty".into()))
    }

    /// A value that may be missing.
    pub(crate) fn optional<T: FromStr<Err: ToString>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, LoadgenError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let excerpt: String = text.chars().take(32).collect();
        let parsed = text.parse::<T>();
        parsed.map(Some).map_err(|error| self.refused(column, format!("{excerpt:?}: {}", error.to_string())))
    }

    /// A number between two others, times a factor; NaN, infinities and what is out of range are refused.
    pub(crate) fn number(
        &self,
        column: &str,
        factor: f64,
        least: f64,
        greatest: f64,
    ) -> Result<f64, LoadgenError> {
        let value = self.scaled(column, factor)?;
        // A comparison with NaN is false.
        if (least..=greatest).contains(&value) {
            return Ok(value);
        }
        Err(self.out_of_range(column, &format!("between {} and {}", least / factor, greatest / factor)))
    }

    /// A number above zero, as [`Row::number`] reads it.
    pub(crate) fn above_zero(&self, column: &str, factor: f64, greatest: f64) -> Result<f64, LoadgenError> {
        let value = self.scaled(column, factor)?;
        if value > 0.0 && value <= greatest {
            return Ok(value);
        }
        Err(self.out_of_range(column, &format!("above 0 and at most {}", greatest / factor)))
    }

    fn scaled(&self, column: &str, factor: f64) -> Result<f64, LoadgenError> {
        let written: f64 = self.value(column)?;
        // A factor of one keeps every bit.
        Ok(if factor == 1.0 { written } else { written * factor })
    }

    fn out_of_range(&self, column: &str, range: &str) -> LoadgenError {
        let excerpt: String = self.text(column).unwrap_or_default().chars().take(32).collect();
        self.refused(column, format!("{excerpt} is not {range}"))
    }

    /// An error about a cell of this row.
    pub(crate) fn refused(&self, column: &str, problem: String) -> LoadgenError {
        LoadgenError::InvalidValue {
            path: self.path.to_path_buf(),
            line: self.line,
            column: column.to_owned(),
            problem,
        }
    }
}

fn csv_error(path: &Path, error: &csv::Error) -> LoadgenError {
    let line = error.position().map_or(1, csv::Position::line);
    let path = path.to_path_buf();
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => LoadgenError::InvalidRow {
            path,
            line,
            problem: format!("the header has {expected_len} columns, this line has {len}"),
        },
        csv::ErrorKind::Utf8 { .. } => {
            LoadgenError::InvalidRow { path, line, problem: "it is not UTF-8 text".into() }
        }
        _ => LoadgenError::InvalidRow { path, line, problem: error.to_string() },
    }
}

/// What a TOML error says, on one line, with the line and column that it means.
pub(crate) fn one_line(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    let Some(span) = error.span() else { return message };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {message}")
}
