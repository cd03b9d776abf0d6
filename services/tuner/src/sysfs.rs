//! Reading and writing small files under a root that is `/sys`, or a recorded tree in tests.
//!
//! The crate `sysfs-class` covers devices of a class, and is used for that where it can be (see
//! the module `hwmon`); it has nothing for cpufreq, powercap and batteries.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::TunerError;

/// Of a file that holds nonsense, an error message shows this many characters.
const EXCERPT: usize = 64;

/// A sysfs tree. All paths it takes are relative to its root. Every call blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysfs {
    root: PathBuf,
}

impl Sysfs {
    /// The tree under `root`, usually `/sys`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Whether this is the running kernel's own tree.
    pub fn is_kernels(&self) -> bool {
        self.root == Path::new("/sys")
    }

    /// The full path.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// A file's text, trimmed.
    pub fn text(&self, relative: impl AsRef<Path>) -> Result<String, TunerError> {
        read_text(&self.path(relative))
    }

    /// A file's text, trimmed; `None` when there is no such file.
    pub fn text_if_there(&self, relative: impl AsRef<Path>) -> Result<Option<String>, TunerError> {
        match self.text(relative) {
            Err(TunerError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// A file's whole number.
    pub fn number(&self, relative: impl AsRef<Path>) -> Result<u64, TunerError> {
        read_number(&self.path(relative))
    }

    /// Whether there is such a file or folder.
    pub fn is_there(&self, relative: impl AsRef<Path>) -> bool {
        self.path(relative).exists()
    }

    /// Whether this process may write the file; nothing is written.
    pub fn check_writable(&self, relative: impl AsRef<Path>) -> Result<(), TunerError> {
        check_writable(&self.path(relative))
    }

    /// The names in a folder, sorted; empty when there is no such folder.
    pub fn names(&self, relative: impl AsRef<Path>) -> Vec<String> {
        folder_names(&self.path(relative))
    }
}

/// The names in a folder, sorted by text; empty when it cannot be read.
pub(crate) fn folder_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// A file's text, trimmed.
pub(crate) fn read_text(path: &Path) -> Result<String, TunerError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(source) => Err(TunerError::Read { path: path.to_owned(), source }),
    }
}

/// Writes a value; the file must be there.
pub(crate) fn write_text(path: &Path, value: &str) -> Result<(), TunerError> {
    let written = fs::OpenOptions::new().write(true).truncate(true).open(path).and_then(|mut file| {
        use io::Write;
        file.write_all(value.as_bytes())
    });
    written.map_err(|source| TunerError::Write { path: path.to_owned(), value: value.to_owned(), source })
}

/// Whether this process may write the file; nothing is written.
pub(crate) fn check_writable(path: &Path) -> Result<(), TunerError> {
    match fs::OpenOptions::new().write(true).open(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(TunerError::Write { path: path.to_owned(), value: String::new(), source }),
    }
}

pub(crate) fn read_number<N: FromStr>(path: &Path) -> Result<N, TunerError> {
    let text = read_text(path)?;
    parse_number(path, &text)
}

pub(crate) fn parse_number<N: FromStr>(path: &Path, text: &str) -> Result<N, TunerError> {
    text.trim().parse().map_err(|_| TunerError::Unparsable {
        path: path.to_owned(),
        text: text.chars().take(EXCERPT).collect(),
        expected: "a whole number",
    })
}
