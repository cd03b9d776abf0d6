//! Downloads from a server that works, breaks off, lies, stalls or refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lies;
mod resuming;
mod server;
mod trouble;

use std::path::{Path, PathBuf};
use std::time::Duration;

use download::{DownloadError, Event, Limits, Source};
use schemas::Digest;
use sha2::Digest as _;
use tempfile::TempDir;

use server::Server;

/// A file of this test, not a round number of anything.
fn contents() -> Vec<u8> {
    (0..300_007_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(sha2::Sha256::digest(bytes).into())
}

/// Patient enough for a busy machine where the server answers, quick where it is meant not to.
fn limits() -> Limits {
    Limits { pause: Duration::from_millis(1), ..Limits::default() }
}

/// A folder to download into.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn wanted(&self) -> PathBuf {
        self.0.path().join("model.onnx")
    }

    fn part(&self) -> PathBuf {
        self.0.path().join("model.onnx.part")
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    async fn download(&self, server: &Server) -> Result<(), DownloadError> {
        self.download_within(server, &limits()).await
    }

    async fn download_within(&self, server: &Server, limits: &Limits) -> Result<(), DownloadError> {
        download::download(&source(server), &self.wanted(), limits, |_| {}).await
    }

    /// Whether exactly the right file is there and nothing beside it.
    #[track_caller]
    fn is_complete(&self) {
        assert_eq!(self.files(), ["model.onnx"]);
        assert!(std::fs::read(self.wanted()).unwrap() == contents(), "other bytes");
    }

    #[track_caller]
    fn is_empty(&self) {
        assert_eq!(self.files(), [""; 0]);
    }
}

fn source(server: &Server) -> Source {
    let contents = contents();
    Source { address: server.address("/model.onnx"), sha256: digest(&contents), bytes: contents.len() as u64 }
}

#[tokio::test]
async fn a_file_arrives_and_is_not_fetched_again() {
    let server = Server::start(|_, request| server::file(request, &contents())).await;
    let folder = Folder::new();
    let mut steps = Vec::new();
    let tell = |event: Event<'_>| match event {
        Event::Received(bytes) => steps.push(bytes),
        Event::TriesAgain(error) => panic!("{error}"),
    };
    download::download(&source(&server), &folder.wanted(), &limits(), tell).await.unwrap();
    folder.is_complete();
    assert_eq!((steps.first(), steps.last()), (Some(&0), Some(&(contents().len() as u64))));
    assert!(steps.is_sorted(), "{steps:?}");
    folder.download(&server).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_wrong_file_of_that_name_gives_way_to_the_right_one_and_not_before() {
    let server = Server::start(|index, request| match index {
        0 => server::status(404),
        _ => server::file(request, &contents()),
    })
    .await;
    let folder = Folder::new();
    std::fs::write(folder.wanted(), "an older version").unwrap();
    folder.download(&server).await.unwrap_err();
    assert_eq!(std::fs::read(folder.wanted()).unwrap(), b"an older version");
    folder.download(&server).await.unwrap();
    folder.is_complete();
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let server = Server::start(|_, request| server::file(request, &contents())).await;
    let missing = Path::new("/nowhere/model.onnx");
    let error = download::download(&source(&server), missing, &limits(), |_| {}).await.unwrap_err();
    assert!(matches!(&error, DownloadError::File { path, .. } if path.starts_with("/nowhere")), "{error}");
    assert!(server.requests().is_empty());
}
