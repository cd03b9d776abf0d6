//! Reads results folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemas::Front;

use super::manifest::Manifest;
use super::record::{LinkChange, Record};
use super::{LINKS, MANIFEST, RECORDS};
use crate::error::LoadgenError;
use crate::json::{self, Lines};

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
            fronts.insert(entry.file.clone(), json::read(&folder.join(&entry.file))?);
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
    let value: serde_json::Value = json::read(&path)?;
    let found = value.get("results_version").map(ToString::to_string);
    match found {
        Some(found) if found == KNOWN => json::read(&path),
        found => Err(LoadgenError::OtherVersion {
            path: folder.to_owned(),
            what: "results folder",
            found: found.unwrap_or_else(|| "unknown".into()),
            known: KNOWN,
        }),
    }
}
