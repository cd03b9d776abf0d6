//! Makes results folders.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use schemas::{Front, UnixMillis};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::manifest::{FrontFile, Manifest};
use super::reader::read_manifest;
use super::record::{LinkChange, Record};
use super::{FRONTS, INPUTS, INTERRUPTED, LINKS, MANIFEST, RECORDS, SUMMARY};
use crate::error::LoadgenError;
use crate::json::Lines;

/// Writes a results folder as its runs go on. Each line is written at once: what ended before a crash is in the file.
#[derive(Debug)]
pub struct ResultsWriter {
    folder: PathBuf,
    manifest: Manifest,
    /// Open for appending. Tests put a full disk in its place.
    pub(super) records: File,
    links: Option<File>,
}

impl ResultsWriter {
    /// Makes a folder with a manifest and the copies of what was read, whole or not at all. `inputs` are the names in `inputs/` with
    /// their bytes.
    ///
    /// # Errors
    /// Something is there already, or the folder cannot be written.
    pub fn create(
        folder: &Path,
        mut manifest: Manifest,
        inputs: &[(String, Vec<u8>)],
        fronts: &[Front],
    ) -> Result<Self, LoadgenError> {
        if folder.exists() {
            return Err(LoadgenError::ResultsExist(folder.to_owned()));
        }
        let unwritable = |source| unwritable_folder(folder, source);
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        parent.metadata().map_err(unwritable)?;
        let made = tempfile::Builder::new().prefix(".results-").tempdir_in(parent);
        // The whole of this error would name a folder that nobody asked for.
        let made = made.map_err(|error| unwritable(error.kind().into()))?;
        let write = |name: &Path, bytes: &[u8]| fs::write(made.path().join(name), bytes);
        let filled = || -> io::Result<()> {
            fs::create_dir(made.path().join(INPUTS))?;
            fs::create_dir(made.path().join(FRONTS))?;
            for (name, bytes) in inputs {
                write(&Path::new(INPUTS).join(name), bytes)?;
            }
            write(Path::new(RECORDS), b"")
        };
        filled().map_err(unwritable)?;
        for front in fronts {
            manifest.fronts.push(write_front(made.path(), front).map_err(unwritable)?);
        }
        write(Path::new(MANIFEST), &json(&manifest)).map_err(unwritable)?;
        open_to_all(made.path()).and_then(|()| fs::rename(made.path(), folder)).map_err(unwritable)?;
        // It has another name now.
        let _moved = made.keep();
        Self::open(folder, manifest)
    }

    /// Goes on with a folder that was cut off; gives what is in it. A last line that was torn is taken away.
    ///
    /// # Errors
    /// No results folder, one of another version, one that is done, or one that cannot be read or written.
    pub fn resume(folder: &Path) -> Result<(Self, Vec<Record>), LoadgenError> {
        let manifest = read_manifest(folder)?;
        if manifest.ended_at.is_some() {
            return Err(LoadgenError::ResultsComplete(folder.to_owned()));
        }
        for name in [RECORDS, LINKS] {
            cut_torn_line(&folder.join(name)).map_err(|source| unwritable_folder(folder, source))?;
        }
        let records = Lines::open(&folder.join(RECORDS), false)?.collect::<Result<_, _>>()?;
        Ok((Self::open(folder, manifest)?, records))
    }

    fn open(folder: &Path, manifest: Manifest) -> Result<Self, LoadgenError> {
        let records = append(&folder.join(RECORDS)).map_err(|source| unwritable_folder(folder, source))?;
        Ok(Self { folder: folder.to_owned(), manifest, records, links: None })
    }

    /// What the folder is about.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes one record.
    ///
    /// # Errors
    /// The file cannot be written, as on a full disk. What was written before stays.
    pub fn record(&mut self, record: &Record) -> Result<(), LoadgenError> {
        self.records.write_all(&line(record)).map_err(|source| unwritable(&self.folder, RECORDS, source))
    }

    /// Writes one change of a link.
    ///
    /// # Errors
    /// As [`ResultsWriter::record`].
    pub fn link(&mut self, change: &LinkChange) -> Result<(), LoadgenError> {
        let failed = |source| unwritable(&self.folder, LINKS, source);
        if self.links.is_none() {
            self.links = Some(append(&self.folder.join(LINKS)).map_err(failed)?);
        }
        match &mut self.links {
            Some(file) => file.write_all(&line(change)).map_err(failed),
            None => Ok(()),
        }
    }

    /// Adds a front that was not there yet.
    ///
    /// # Errors
    /// As [`ResultsWriter::record`].
    pub fn front(&mut self, front: &Front) -> Result<(), LoadgenError> {
        if self.manifest.fronts.iter().any(|known| known.id == front.id) {
            return Ok(());
        }
        let written = write_front(&self.folder, front);
        self.manifest.fronts.push(written.map_err(|source| unwritable(&self.folder, FRONTS, source))?);
        self.write_manifest()
    }

    /// Takes the records and link changes that `dropped` says of out of the folder, since their runs are done again; they go to
    /// `interrupted.jsonl`. The files are replaced whole.
    ///
    /// # Errors
    /// As [`ResultsWriter::record`].
    pub fn set_aside(&mut self, dropped: impl Fn(u32) -> bool) -> Result<(), LoadgenError> {
        let mut aside = Vec::new();
        self.split(RECORDS, |record: &Record| dropped(record.key.run), &mut aside)?;
        if self.folder.join(LINKS).exists() {
            self.split(LINKS, |change: &LinkChange| dropped(change.run), &mut Vec::new())?;
        }
        let failed = |source| unwritable(&self.folder, INTERRUPTED, source);
        if !aside.is_empty() {
            append(&self.folder.join(INTERRUPTED))
                .and_then(|mut file| file.write_all(&aside))
                .map_err(failed)?;
        }
        self.links = None;
        self.records = append(&self.folder.join(RECORDS)).map_err(failed)?;
        Ok(())
    }

    /// Keeps every byte of what stays: numbers that are read and written anew may change their last digit.
    fn split<T: DeserializeOwned>(
        &self,
        name: &str,
        dropped: impl Fn(&T) -> bool,
        aside: &mut Vec<u8>,
    ) -> Result<(), LoadgenError> {
        let path = self.folder.join(name);
        let bytes =
            fs::read(&path).map_err(|source| LoadgenError::Unreadable { path: path.clone(), source })?;
        let mut kept = Vec::new();
        for (item, text) in Lines::<T>::open(&path, false)?.zip(bytes.split_inclusive(|byte| *byte == b'\n'))
        {
            let to = if dropped(&item?) { &mut *aside } else { &mut kept };
            to.extend(text);
        }
        replace(&self.folder, name, &kept)
    }

    /// Waits until what was written is on the disk.
    ///
    /// # Errors
    /// As [`ResultsWriter::record`].
    pub fn sync(&self) -> Result<(), LoadgenError> {
        self.records.sync_data().map_err(|source| unwritable(&self.folder, RECORDS, source))
    }

    /// Says that every run has ended. `summary` is written beside the records, where there is one.
    ///
    /// # Errors
    /// As [`ResultsWriter::record`].
    pub fn finish(mut self, summary: Option<&impl Serialize>) -> Result<Manifest, LoadgenError> {
        self.sync()?;
        if let Some(summary) = summary {
            replace(&self.folder, SUMMARY, &json(summary))?;
        }
        self.manifest.ended_at = Some(UnixMillis::now());
        self.write_manifest()?;
        Ok(self.manifest)
    }

    fn write_manifest(&self) -> Result<(), LoadgenError> {
        replace(&self.folder, MANIFEST, &json(&self.manifest))
    }
}

fn write_front(folder: &Path, front: &Front) -> io::Result<FrontFile> {
    let file = format!("{FRONTS}/{}.{}.{}.{}.json", front.model, front.edge, front.cloud, front.id);
    fs::write(folder.join(&file), json(front))?;
    let Front { model, edge, cloud, id, revision, .. } = front;
    let (model, edge, cloud) = (model.clone(), edge.clone(), cloud.clone());
    Ok(FrontFile { file, model, edge, cloud, id: *id, revision: *revision })
}

/// JSON that people read, with its last line ended.
#[expect(clippy::expect_used, reason = "these types have text keys only and write no failing values")]
fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("plain data");
    bytes.push(b'\n');
    bytes
}

/// One line of JSON.
#[expect(clippy::expect_used, reason = "these types have text keys only and write no failing values")]
fn line(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).expect("plain data");
    bytes.push(b'\n');
    bytes
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Writes a file of the folder, whole or not at all.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), LoadgenError> {
    // Errors do not tell the name that it has meanwhile.
    let open = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
    let written = tempfile::Builder::new().make_in(folder, open).and_then(|mut file| {
        file.as_file_mut().write_all(bytes)?;
        file.as_file().sync_data()?;
        file.persist(folder.join(name)).map_err(|error| error.error)
    });
    written.map(drop).map_err(|source| unwritable(folder, name, source))
}

/// A folder that is made under a temporary name is its owner's only; results are for everybody whom the place is for.
fn open_to_all(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(())
}

/// Ends a file with its last whole line.
fn cut_torn_line(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut last = [0];
    while end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut last)?;
        if last == *b"\n" {
            break;
        }
        end -= 1;
    }
    file.set_len(end)
}

fn unwritable(folder: &Path, name: &str, source: io::Error) -> LoadgenError {
    LoadgenError::UnwritableResults { path: folder.join(name), source }
}

fn unwritable_folder(folder: &Path, source: io::Error) -> LoadgenError {
    LoadgenError::UnwritableResults { path: folder.to_owned(), source }
}
