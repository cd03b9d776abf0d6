//! A pool's file, row by row.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::StringRecord;

use super::columns::Columns;
use super::row::{Reading, Row};
use crate::error::Error;

/// The rows of a pool, in the order of the file.
#[derive(Debug, Clone)]
pub struct Table {
    /// The usable ones.
    pub rows: Vec<Row>,
    /// Those that lack a value or hold one that is no number, in the order of the file.
    pub left_out: Vec<LeftOut>,
    header: StringRecord,
}

/// A row that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands in the file, from 1.
    pub line: u64,
    /// The column, as the file's header names it.
    pub column: String,
    /// What is wrong with its value.
    pub problem: String,
}

/// The most rows that are read: two hundred times the greatest pool that was published. They take about 150 MB.
pub(super) const MOST_ROWS: usize = 200_000;
/// The most bytes that are read: so many rows of the width of that pool, and half as much again.
pub(super) const MOST_BYTES: u64 = 64 << 20;

impl Table {
    /// Reads a pool's file.
    ///
    /// # Errors
    /// A file that cannot be read or is no CSV, lacks a needed column, is too long, or holds a setting that no knob can have.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::from_reader(open(path)?, path)
    }

    /// As [`Table::read`], from any text; `path` is said in errors.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_reader(text: impl Read, path: &Path) -> Result<Self, Error> {
        let mut text = text.take(MOST_BYTES);
        let table = Self::from_csv(&mut text, path);
        if text.limit() == 0 {
            let problem = format!("it has more than {} MiB", MOST_BYTES >> 20);
            return Err(Error::Pool { file: path.to_owned(), line: None, column: None, problem });
        }
        table
    }

    fn from_csv(text: impl Read, path: &Path) -> Result<Self, Error> {
        let file = || path.to_owned();
        let at = |line, problem| Error::Pool { file: file(), line, column: None, problem };
        let text = PlainLineEnds { text, held: false };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
        let header = reader.headers().map_err(|error| at(Some(1), unreadable(&error)))?.clone();
        let columns = Columns::find(&header).map_err(|problem| at(Some(1), problem))?;
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let record =
                record.map_err(|error| at(error.position().map(csv::Position::line), unreadable(&error)))?;
            let line = record.position().map_or(0, csv::Position::line);
            if rows.len() + left_out.len() >= MOST_ROWS {
                return Err(at(Some(line), format!("it has more than {MOST_ROWS} rows")));
            }
            let name = |place: usize| header.get(place).unwrap_or_default().to_owned();
            match Row::read(&columns, record, line) {
                Ok(Reading::Usable(row)) => rows.push(*row),
                Ok(Reading::Unfinished) => {}
                Ok(Reading::Unusable { column, problem }) => {
                    left_out.push(LeftOut { line, column: name(column), problem });
                }
                Err((column, problem)) => {
                    let (line, column) = (Some(line), Some(name(column)));
                    return Err(Error::Pool { file: file(), line, column, problem });
                }
            }
        }
        Ok(Self { rows, left_out, header })
    }

    /// Where a column of this name is, for [`Row::text`].
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }
}

pub(super) fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::Unreadable { file: path.to_owned(), source })
}

/// What is wrong with a row, without the place, which is said anyway.
fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} values, and the header {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not text (UTF-8)".into(),
        _ => error.to_string(),
    }
}

/// Text without the carriage return before a line feed. With it, the reader says of a row that it stands on the line
/// before.
struct PlainLineEnds<R> {
    text: R,
    /// Whether a carriage return was read and the next byte is not known.
    held: bool,
}

impl<R: Read> Read for PlainLineEnds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            // The first place is for the one that is held.
            let Some((first, rest)) = buffer.split_first_mut().filter(|(_, rest)| !rest.is_empty()) else {
                return Err(std::io::ErrorKind::InvalidInput.into());
            };
            let count = self.text.read(rest)?;
            let was_held = std::mem::take(&mut self.held);
            *first = b'\r';
            if count == 0 {
                return Ok(usize::from(was_held));
            }
            let mut kept = usize::from(was_held && rest[0] != b'\n');
            for place in 1..=count {
                match (buffer[place], buffer[..=count].get(place + 1)) {
                    (b'\r', None) => self.held = true,
                    (b'\r', Some(b'\n')) => {}
                    (byte, _) => {
                        buffer[kept] = byte;
                        kept += 1;
                    }
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, Error> {
        Table::from_reader(text.as_bytes(), Path::new("pool.csv"))
    }

    #[test]
    fn rows_keep_their_order_and_other_columns() {
        let table =
            read("layer,latency,strategy,utilization edge cpu (%)\n3,10,cloud,12.5\n1.0,5,edge,\n").unwrap();
        let strategy = table.column("strategy").unwrap();
        let seen: Vec<_> =
            table.rows.iter().map(|row| (row.line, row.text(strategy), row.edge_load)).collect();
        assert_eq!(seen, [(2, "cloud", Some(schemas::Share::saturating(0.125))), (3, "edge", None)]);
        assert_eq!(table.column("nothing"), None);
    }

    #[test]
    fn what_is_left_out_says_where_and_why() {
        let text = "layer,latency,energy,state\n1,NaN,1,COMPLETE\n,1,1,COMPLETE\n1,1,-2,COMPLETE\n1,1,x,COMPLETE\n1,1e12,1,COMPLETE\n1,,,FAIL\n";
        let table = read(text).unwrap();
        let seen: Vec<_> =
            table.left_out.iter().map(|l| (l.line, l.column.as_str(), l.problem.as_str())).collect();
        let expected = [
            (2, "latency", "\"NaN\" is no finite number"),
            (3, "layer", "the value is missing"),
            (4, "energy", "\"-2\" is below zero"),
            (5, "energy", "\"x\" is no number"),
            (6, "latency", "\"1e12\" is beyond any measurement: another unit?"),
        ];
        assert_eq!(seen, expected);
        assert!(table.rows.is_empty());
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for end in ["\n", "\r\n"] {
            let text = ["layer,latency", "1,5", "2,x", ""].join(end);
            let table = read(&text).unwrap();
            assert_eq!((table.rows[0].line, table.left_out[0].line), (2, 3), "{end:?}");
        }
    }

    #[test]
    fn only_carriage_returns_before_line_feeds_are_left_out() {
        for (text, expected) in
            [("a\r\nb\r\n", "a\nb\n"), ("a\rb\r", "a\rb\r"), ("\r\r\n\r", "\r\n\r"), ("\r\n", "\n"), ("", "")]
        {
            // In pieces of any size, so that every boundary comes between every pair of bytes.
            for size in 1..=text.len().max(1) {
                let pieces = text
                    .as_bytes()
                    .chunks(size)
                    .fold(Box::new(std::io::empty()) as Box<dyn Read>, |before, piece| {
                        Box::new(before.chain(piece))
                    });
                let mut plain = String::new();
                PlainLineEnds { text: pieces, held: false }.read_to_string(&mut plain).unwrap();
                assert_eq!(plain, expected, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_clock_in_another_unit_is_an_error_that_names_the_line() {
        let error = read("layer,latency,cpu-freq\n1,1,600000\n").unwrap_err().to_string();
        assert!(error.contains("pool.csv, line 2") && error.contains("in MHz"), "{error}");
    }
}
