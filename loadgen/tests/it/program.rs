//! The program, as a person runs it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use loadgen::results::{Record, Results};

/// A folder with a picture for every class of the responder.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pictures = folder.path().join("pictures");
        std::fs::create_dir(&pictures).unwrap();
        std::fs::write(pictures.join("a.png"), b"\x89PNG a").unwrap();
        std::fs::write(pictures.join("b.jpg"), b"\xff\xd8 b").unwrap();
        // The responder always says class 7.
        std::fs::write(pictures.join("labels.csv"), "file,class_index\na.png,7\nb.jpg,8\n").unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and gives its path.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The records that count.
    pub fn records(&self, results: &str) -> Vec<Record> {
        let results = Results::open(&self.path(results)).unwrap();
        let records = results.records().unwrap().map(Result::unwrap);
        records.filter(|record| !record.warm_up).collect()
    }
}

/// The program in a folder, where relative paths are.
pub fn loadgen(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(arguments).current_dir(place.folder.path()).env_remove("SPLINTER_BROKER");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs it to its end: exit code, standard output and standard error.
pub async fn run(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = loadgen(place, arguments).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Starts it and lets it go on.
pub fn start(place: &Place, arguments: &[&str]) -> Child {
    loadgen(place, arguments).spawn().unwrap()
}

/// How many lines of records are there.
pub fn lines(results: &Path) -> usize {
    std::fs::read(results.join("records.jsonl"))
        .map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count())
}
