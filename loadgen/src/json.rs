//! JSON as people and programs bring it: every complaint names the file, the line and the column.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::LoadgenError;
use crate::problem::Problem;

/// Reads a file that holds one value.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, LoadgenError> {
    let bytes =
        fs::read(path).map_err(|source| LoadgenError::Unreadable { path: path.to_owned(), source })?;
    parse(path, 0, &bytes)
}

/// Reads a value of a file; `lines_before` is how many lines of the file come before these bytes.
fn parse<T: DeserializeOwned>(path: &Path, lines_before: usize, bytes: &[u8]) -> Result<T, LoadgenError> {
    serde_json::from_slice(bytes).map_err(|error| LoadgenError::InvalidText {
        path: path.to_owned(),
        problem: Problem::of_json(&error, lines_before),
    })
}

/// A file with a value in each line, read one by one.
#[derive(Debug)]
pub(crate) struct Lines<T> {
    path: PathBuf,
    file: BufReader<File>,
    /// Lines that were read.
    read: usize,
    text: Vec<u8>,
    /// Whether the last line may have been cut off; then it is left out.
    may_be_torn: bool,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    pub(crate) fn open(path: &Path, may_be_torn: bool) -> Result<Self, LoadgenError> {
        let file =
            File::open(path).map_err(|source| LoadgenError::Unreadable { path: path.to_owned(), source })?;
        let (path, file) = (path.to_owned(), BufReader::new(file));
        Ok(Self { path, file, read: 0, text: Vec::new(), may_be_torn, of: PhantomData })
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T, LoadgenError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.text.clear();
        let unreadable = |source| LoadgenError::Unreadable { path: self.path.clone(), source };
        match self.file.read_until(b'\n', &mut self.text).map_err(unreadable) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
        // Without its end, so that a value that is cut short is missed on its own line.
        let line = self.text.strip_suffix(b"\n");
        if self.may_be_torn && line.is_none() {
            return None;
        }
        let value = parse(&self.path, self.read, line.unwrap_or(&self.text));
        self.read += 1;
        Some(value)
    }
}
