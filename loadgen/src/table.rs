//! Files as people bring them: every complaint names the file, the line and the column.

use std::fs::File;
use std::io::BufReader;
use std::num::{IntErrorKind, ParseIntError};
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
    /// Opens a file and reads its header, whose names must be known and different. Lines that begin with `#` are comments.
    pub(crate) fn open(path: &Path, known: &[&str]) -> Result<Self, LoadgenError> {
        let table = Self::begin(path, Some(COMMENT))?;
        let unknown = table.headers.iter().find(|header| !known.contains(header));
        match unknown {
            Some(header) => {
                let names = known.join(", ");
                Err(table.refused(header, format!("there is no such column: use those of {names}")))
            }
            None => Ok(table),
        }
    }

    /// Opens a file that has some columns and may have any others. No line is a comment: a name may begin with anything.
    pub(crate) fn with_others(path: &Path, needed: &[&'static str]) -> Result<Self, LoadgenError> {
        let table = Self::begin(path, None)?;
        needed.iter().try_for_each(|column| table.one_of(std::slice::from_ref(column)).map(drop))?;
        Ok(table)
    }

    fn begin(path: &Path, comment: Option<u8>) -> Result<Self, LoadgenError> {
        let unreadable = |source| LoadgenError::Unreadable { path: path.to_path_buf(), source };
        let file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut reader = csv::ReaderBuilder::new().comment(comment).trim(csv::Trim::All).from_reader(file);
        let headers = reader.headers().map_err(|error| csv_error(path, &error))?.clone();
        if headers.iter().all(str::is_empty) {
            return Err(LoadgenError::Empty { path: path.to_path_buf(), what: "header" });
        }
        let table = Self { path: path.to_path_buf(), headers, rows: reader.into_records() };
        let twice = table.headers.iter().enumerate().find(|(position, header)| {
            table.headers.iter().take(*position).any(|earlier| earlier == *header)
        });
        match twice {
            Some((_, header)) => Err(table.refused(header, "the column is there twice".into())),
            None => Ok(table),
        }
    }

    /// An error about a column as such.
    fn refused(&self, column: &str, problem: String) -> LoadgenError {
        LoadgenError::InvalidValue {
            path: self.path.clone(),
            line: self.header_line(),
            column: column.to_owned(),
            problem,
        }
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
            several => Err(self.refused(&several.join(", "), "these say the same: keep one".into())),
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
        self.present(column, self.optional(column)?)
    }

    /// A value that may be missing.
    pub(crate) fn optional<T: FromStr<Err: ToString>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, LoadgenError> {
        self.read(column, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }

    /// A whole number that must be there.
    pub(crate) fn whole<T: FromStr<Err = ParseIntError>>(&self, column: &str) -> Result<T, LoadgenError> {
        self.present(column, self.optional_whole(column)?)
    }

    /// A whole number that may be missing.
    pub(crate) fn optional_whole<T: FromStr<Err = ParseIntError>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, LoadgenError> {
        self.read(column, |text| {
            text.parse().map_err(|error: ParseIntError| match error.kind() {
                IntErrorKind::PosOverflow => "the number is too great".to_owned(),
                _ => "use a whole number from 0".to_owned(),
            })
        })
    }

    /// What a cell says; `None` where it is empty or there is no such column.
    fn read<T>(
        &self,
        column: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, LoadgenError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        read(text).map(Some).map_err(|error| {
            let excerpt: String = text.chars().take(32).collect();
            self.refused(column, format!("{excerpt:?}: {error}"))
        })
    }

    fn present<T>(&self, column: &str, value: Option<T>) -> Result<T, LoadgenError> {
        value.ok_or_else(|| self.refused(column, "the cell is empty".into()))
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
        let written = self.read(column, |text| text.parse::<f64>().map_err(|_| "use a number".to_owned()))?;
        let written = self.present(column, written)?;
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
