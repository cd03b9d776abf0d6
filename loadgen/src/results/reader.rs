//! Reads results folders.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use schemas::Front;
use serde::de::DeserializeOwned;

use super::manifest::Manifest;
use super::record::{LinkChange, Record};
use super::{LINKS, MANIFEST, RECORDS};
use crate::error::LoadgenError;

/// [`super::RESULTS_VERSION`] as text.
const KNOWN: &str = "1";

/// A results folder that was opened. Its records are read one by one: there may be more than fit into memory.
#[derive(Debug, Clone)]
pub struct Results {
    folder: PathBuf,
    manifest: Manifest,
    /// The fronts by the file that [`Manifest::fronts`] names.
    fronts: BTreeMap<String, Front>,
    links: Vec<LinkChange>,
}

impl Results {
    /// Opens a folder and reads everything but the records.
    ///
    /// # Errors
    /// No results folder, one of another version, or a file that is missing or damaged: named with line and column.
    pub fn open(folder: &Path) -> Result<Self, LoadgenError> {
        let manifest = read_manifest(folder)?;
        let mut fronts = BTreeMap::new();
        for entry in &manifest.fronts {
            let path = folder.join(&entry.file);
            let bytes = read(&path)?;
            fronts.insert(entry.file.clone(), parse(&path, 0, &bytes)?);
        }
        let path = folder.join(LINKS);
        let links = match path.exists() {
            true => Lines::open(&path, manifest.ended_at.is_none())?.collect::<Result<_, _>>()?,
            false => Vec::new(),
        };
        Ok(Self { folder: folder.to_owned(), manifest, fronts, links })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it is about.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The front in a file of [`Manifest::fronts`].
    pub fn front(&self, file: &str) -> Option<&Front> {
        self.fronts.get(file)
    }

    /// Every change of a link, in the order in which they happened.
    pub fn links(&self) -> &[LinkChange] {
        &self.links
    }

    /// Every record, in the order in which the requests ended; the last line of a folder that was cut off may be torn and is left out.
    ///
    /// # Errors
    /// The file cannot be opened. Each item may be an error that names its line and column.
    pub fn records(&self) -> Result<Records, LoadgenError> {
        Lines::open(&self.folder.join(RECORDS), self.manifest.ended_at.is_none()).map(Records)
    }
}

/// The records of a folder, one by one.
#[derive(Debug)]
pub struct Records(Lines<Record>);

impl Iterator for Records {
    type Item = Result<Record, LoadgenError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// The manifest alone; its version first, since another version may have other fields.
pub(super) fn read_manifest(folder: &Path) -> Result<Manifest, LoadgenError> {
    let path = folder.join(MANIFEST);
    if !path.exists() {
        return Err(LoadgenError::NoResults(folder.to_owned()));
    }
    let bytes = read(&path)?;
    let value: serde_json::Value = parse(&path, 0, &bytes)?;
    let found = value.get("results_version").map(ToString::to_string);
    match found {
        Some(found) if found == KNOWN => parse(&path, 0, &bytes),
        found => Err(LoadgenError::OtherVersion {
            path: folder.to_owned(),
            what: "results folder",
            found: found.unwrap_or_else(|| "unknown".into()),
            known: KNOWN,
        }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadgenError> {
    fs::read(path).map_err(|source| LoadgenError::Unreadable { path: path.to_owned(), source })
}

/// Reads JSON; `lines_before` is how many lines of the file come before these bytes.
fn parse<T: DeserializeOwned>(path: &Path, lines_before: u64, bytes: &[u8]) -> Result<T, LoadgenError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line() as u64, error.column());
        let text = error.to_string();
        let said = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
        LoadgenError::InvalidRow {
            path: path.to_owned(),
            line: lines_before + line,
            problem: format!("column {column}: {said}"),
        }
    })
}

/// JSON lines.
#[derive(Debug)]
pub(crate) struct Lines<T> {
    path: PathBuf,
    file: BufReader<File>,
    line: u64,
    text: Vec<u8>,
    /// Whether the last line may have been cut off.
    may_be_torn: bool,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    pub(crate) fn open(path: &Path, may_be_torn: bool) -> Result<Self, LoadgenError> {
        let file =
            File::open(path).map_err(|source| LoadgenError::Unreadable { path: path.to_owned(), source })?;
        let (path, file) = (path.to_owned(), BufReader::new(file));
        Ok(Self { path, file, line: 0, text: Vec::new(), may_be_torn, of: std::marker::PhantomData })
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
        if self.may_be_torn && self.text.last() != Some(&b'\n') {
            return None;
        }
        self.line += 1;
        Some(parse(&self.path, self.line - 1, &self.text))
    }
}
