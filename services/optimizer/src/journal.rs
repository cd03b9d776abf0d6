//! What a campaign writes down as it measures, so that one that was broken off goes on where it was. Blocking code.
//!
//! One file a campaign, one JSON object a line, only ever added to: first what the campaign is, then every sample and
//! answer as it comes, at last the front's id. A campaign is found again by what it is: the network's file, the machines,
//! the pictures, the space and how it searches. A file whose campaign ended is kept, and not gone on with.

mod left;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use schemas::{Configuration, Digest, FrontId, LayerProfile, ModelName, UnixMillis};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::record::{Answer, Nodes, Sample};

pub(crate) use left::Left;

/// The version of the lines' form.
const VERSION: u32 = 1;

/// Finished campaigns of one network on one pair of machines that are kept.
const KEPT: usize = 20;

/// The longest line: a sample has some hundred bytes, a profile of thousands of layers some ten thousand.
const LONGEST_LINE: usize = 1 << 20;

/// What makes two campaigns the same: only then do the measurements of one count for the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignKey {
    /// The network.
    pub model: ModelName,
    /// SHA-256 of its ONNX file.
    pub digest: Digest,
    /// The machines that are measured.
    pub nodes: Nodes,
    /// The device that the edge plays.
    pub emulates: Option<String>,
    /// SHA-256 of the pictures and their classes.
    pub pictures: Digest,
    /// What may be chosen, in words.
    pub space: String,
    /// The strategy.
    pub strategy: String,
    /// Its seed.
    pub seed: u64,
    /// The optimizer's software version.
    pub software: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The first one.
    Campaign {
        /// The version of the form.
        version: u32,
        /// What the campaign is.
        key: CampaignKey,
        /// When it began.
        at: UnixMillis,
    },
    /// A configuration was run.
    Sample {
        /// The configuration.
        configuration: Configuration,
        /// On which machines.
        nodes: Nodes,
        /// What was measured.
        sample: Sample,
    },
    /// A picture was classified without being measured.
    Answered {
        /// With which configuration.
        configuration: Configuration,
        /// Which picture.
        picture: usize,
        /// What was answered.
        answer: Answer,
    },
    /// The layers were timed.
    Profiled {
        /// With which configuration.
        configuration: Configuration,
        /// The times.
        profiles: Vec<LayerProfile>,
    },
    /// The samples of a configuration up to here do not count.
    SetAside {
        /// The configuration.
        configuration: Configuration,
        /// Because they contradict physics; otherwise because their machines were lost.
        doubted: bool,
    },
    /// The campaign ended with this front.
    Ended {
        /// The front.
        front: FrontId,
    },
}

/// Why a journal cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the campaign's log {} cannot be {action}", path.display())]
pub struct JournalError {
    path: PathBuf,
    action: &'static str,
    source: io::Error,
}

/// A campaign's open file. Nobody else writes to it while it is open.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// The bytes of all whole lines.
    length: u64,
}

impl Journal {
    /// Opens the file of a campaign in a folder, made where there is none; gives what it holds of an earlier run that was
    /// broken off. `afresh` puts such an earlier run aside.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that another optimizer has open.
    pub fn open(folder: &Path, key: &CampaignKey, afresh: bool) -> Result<(Self, Vec<Entry>), JournalError> {
        let path = folder.join(format!("{}.jsonl", name(key)));
        let at = |action| {
            let path = path.clone();
            move |source| JournalError { path, action, source }
        };
        fs::create_dir_all(folder).map_err(at("made"))?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = options.open(&path).map_err(at("opened"))?;
        file.try_lock().map_err(|error| at("opened")(error.into()))?;
        let (mut entries, mut length) = read(&file, key).map_err(at("read"))?;
        let is_over = matches!(entries.last(), Some(Entry::Ended { .. }));
        let is_alien = entries.is_empty() && file.metadata().map_err(at("read"))?.len() > 0;
        if afresh || is_over || is_alien {
            put_aside(&path, UnixMillis::now()).map_err(at("put aside"))?;
            file = options.open(&path).map_err(at("opened"))?;
            file.try_lock().map_err(|error| at("opened")(error.into()))?;
            (entries, length) = (Vec::new(), 0);
        }
        // A line that was cut short when the machine stopped is not whole, and what follows must not be joined to it.
        if file.metadata().map_err(at("read"))?.len() > length {
            file.set_len(length).map_err(at("mended"))?;
        }
        let mut journal = Self { file, path, length };
        if entries.is_empty() {
            journal.append(&Entry::Campaign { version: VERSION, key: key.clone(), at: UnixMillis::now() })?;
        }
        Ok((journal, entries))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written, such as on a full disk; what was there before is still there.
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let mut line = serde_json::to_vec(entry).map_err(|error| self.failed(error.into()))?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // A part of the line may be there. That it is taken away again is a kindness: reading tolerates it.
            let _mended = self.file.set_len(self.length);
            return Err(self.failed(error));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Makes sure that what was added survives a loss of power.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> Result<(), JournalError> {
        self.file.sync_data().or_else(no_disk).map_err(|error| self.failed(error))
    }

    /// Notes that the campaign ended, and puts the file among the finished ones.
    ///
    /// # Errors
    /// When it cannot be written or renamed.
    pub fn end(mut self, front: FrontId) -> Result<(), JournalError> {
        self.append(&Entry::Ended { front })?;
        self.sync()?;
        put_aside(&self.path, UnixMillis::now()).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> JournalError {
        JournalError { path: self.path.clone(), action: "written", source }
    }
}

/// Something that is no file on a disk (a pipe, a test's device) has nothing to make sure of.
fn no_disk(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::InvalidInput { Ok(()) } else { Err(error) }
}

/// The name says for people what it is of, and by its digest for programs which campaign.
fn name(key: &CampaignKey) -> String {
    let text = serde_json::to_vec(key).unwrap_or_default();
    let digest: String = Sha256::digest(&text).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}.{}.{}.{digest}", key.model, key.nodes.edge, key.nodes.cloud)
}

/// The whole lines of this campaign, and their bytes; nothing of another's or of an unknown version. Ends before the first
/// line that is not readable.
fn read(file: &File, key: &CampaignKey) -> io::Result<(Vec<Entry>, u64)> {
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0))?;
    let mut reader = io::Read::take(reader, length);
    let (mut entries, mut whole, mut line) = (Vec::new(), 0_u64, Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 || line.last() != Some(&b'\n') || read > LONGEST_LINE {
            break;
        }
        let Ok(entry) = serde_json::from_slice::<Entry>(&line) else { break };
        let is_ours = match &entry {
            Entry::Campaign { version, key: other, .. } => *version == VERSION && other == key,
            _ => !entries.is_empty(),
        };
        if !is_ours {
            return Ok((Vec::new(), 0));
        }
        entries.push(entry);
        whole += read as u64;
    }
    Ok((entries, whole))
}

/// Renames a file among the finished ones, of which the oldest go.
fn put_aside(path: &Path, at: UnixMillis) -> io::Result<()> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new("."));
    let free = (at.0..).map(|at| folder.join(format!("{stem}.{at}.done.jsonl"))).find(|path| !path.exists());
    fs::rename(path, free.unwrap_or_else(|| folder.join(format!("{stem}.done.jsonl"))))?;
    let of_pair = stem.rsplit_once('.').map_or(stem.as_str(), |(of_pair, _)| of_pair);
    let mut done: Vec<(u64, PathBuf)> = fs::read_dir(folder)?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.strip_suffix(".done.jsonl")?.to_owned();
            let at = name.strip_prefix(of_pair)?.rsplit('.').next()?.parse().ok()?;
            Some((at, path))
        })
        .collect();
    done.sort();
    for (_, oldest) in done.iter().rev().skip(KEPT) {
        fs::remove_file(oldest)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
