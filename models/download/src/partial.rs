//! What has arrived so far: `NAME.part`, and `NAME.part.etag` with the server's name for that version of the file.

use std::fs::TryLockError;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use schemas::Digest;
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use crate::Source;
use crate::error::DownloadError;

/// An entity tag is a few dozen characters; a longer one is not kept.
const GREATEST_TAG: usize = 1024;

/// The beginning of a file. Locked: one process writes it at a time.
#[derive(Debug)]
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    to: PathBuf,
    length: u64,
    /// Whether its bytes came with more than one request.
    pieced: bool,
    tag: Option<String>,
}

impl Partial {
    /// Opens what an earlier call has left, or begins anew.
    pub(crate) async fn open(to: &Path, greatest: u64) -> Result<Self, DownloadError> {
        let path = with_suffix(to, ".part");
        let fault = |source| DownloadError::File { path: path.clone(), source };
        let mut options = fs::OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path).await;
        let file = opened.map_err(fault)?.into_std().await;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DownloadError::Busy { path }),
            Err(TryLockError::Error(source)) => return Err(fault(source)),
        }
        let length = file.metadata().map_err(fault)?.len();
        let tag = fs::read_to_string(with_suffix(&path, ".etag")).await.ok().filter(|tag| is_strong(tag));
        let to = to.to_owned();
        let mut partial = Self { file: File::from_std(file), path, to, length, pieced: length > 0, tag };
        if length > greatest {
            partial.discard().await?;
        }
        let end = SeekFrom::Start(partial.length);
        partial.file.seek(end).await.map_err(|source| partial.fault(source))?;
        Ok(partial)
    }

    /// Bytes that are there.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The strong entity tag of the version that the bytes are of, where the server gave one.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Begins anew with a version of this tag.
    pub(crate) async fn begin(&mut self, tag: Option<&str>) -> Result<(), DownloadError> {
        self.discard().await?;
        if let Some(tag) = tag.filter(|tag| is_strong(tag)) {
            let path = with_suffix(&self.path, ".etag");
            fs::write(&path, tag).await.map_err(|source| DownloadError::File { path, source })?;
            self.tag = Some(tag.to_owned());
        }
        Ok(())
    }

    /// Appends bytes.
    pub(crate) async fn append(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.file.write_all(bytes).await.map_err(|source| self.fault(source))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Goes on with the bytes of another request.
    pub(crate) fn resume(&mut self) {
        self.pieced = true;
    }

    /// Writes down what was appended.
    pub(crate) async fn flush(&mut self) -> Result<(), DownloadError> {
        self.file.flush().await.map_err(|source| self.fault(source))
    }

    /// Throws the bytes away.
    pub(crate) async fn discard(&mut self) -> Result<(), DownloadError> {
        (self.length, self.pieced, self.tag) = (0, false, None);
        remove(&with_suffix(&self.path, ".etag")).await?;
        self.file.flush().await.map_err(|source| self.fault(source))?;
        self.file.set_len(0).await.map_err(|source| self.fault(source))?;
        self.file.rewind().await.map(drop).map_err(|source| self.fault(source))
    }

    /// Gives the file its name when its bytes have the right digest.
    pub(crate) async fn finish(&mut self, source: &Source) -> Result<(), DownloadError> {
        self.file.flush().await.map_err(|source| self.fault(source))?;
        // The name must not outlive the bytes when the power fails.
        self.file.sync_all().await.map_err(|source| self.fault(source))?;
        let actual = digest_of(self.path.clone()).await?;
        if actual != source.sha256 {
            return Err(DownloadError::WrongDigest {
                address: source.address.clone(),
                expected: source.sha256.clone(),
                actual,
                pieced: self.pieced,
            });
        }
        remove(&with_suffix(&self.path, ".etag")).await?;
        fs::rename(&self.path, &self.to).await.map_err(|source| self.fault(source))
    }

    /// Leaves the bytes for a later call; leaves nothing where there are none.
    pub(crate) async fn leave(mut self) -> Result<(), DownloadError> {
        self.file.flush().await.map_err(|source| self.fault(source))?;
        if self.length == 0 { remove(&self.path).await } else { Ok(()) }
    }

    fn fault(&self, source: std::io::Error) -> DownloadError {
        DownloadError::File { path: self.path.clone(), source }
    }
}

/// Whether the wanted file lies there already.
pub(crate) async fn is_there(to: &Path, source: &Source) -> Result<bool, DownloadError> {
    match fs::metadata(to).await {
        Ok(found) if found.is_file() && found.len() == source.bytes => {
            Ok(digest_of(to.to_owned()).await? == source.sha256)
        }
        _ => Ok(false),
    }
}

async fn digest_of(path: PathBuf) -> Result<Digest, DownloadError> {
    let hashed = path.clone();
    let hashing = move || {
        let mut hash = Sha256::new();
        std::io::copy(&mut std::fs::File::open(&hashed)?, &mut hash)?;
        Ok(Digest::from_bytes(hash.finalize().into()))
    };
    let ended = tokio::task::spawn_blocking(hashing).await;
    ended
        .unwrap_or_else(|gone| Err(std::io::Error::other(gone)))
        .map_err(|source| DownloadError::File { path, source })
}

async fn remove(path: &Path) -> Result<(), DownloadError> {
    match fs::remove_file(path).await {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(DownloadError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// A weak tag does not promise the same bytes; a tag from the disk must fit into a header.
fn is_strong(tag: &str) -> bool {
    tag.len() <= GREATEST_TAG
        && tag.starts_with('"')
        && tag.ends_with('"')
        && tag.bytes().all(|byte| byte.is_ascii_graphic())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
