//! Where an ONNX file's bytes lie: in memory, or still in the file.
//!
//! A network's weights may be half a gigabyte. As long as they lie in a file they are read piece by piece, once for the
//! digest (and what the file takes) and once to load, so that they are in memory only once: as the tensors of the network.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemas::Digest;
use sha2::{Digest as _, Sha256};

use crate::error::ModelError;

/// Bytes read at once: enough for the disk, few for the memory.
const PIECE: usize = 1 << 20;

/// An ONNX file's bytes. Clones share them.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Memory(Arc<Vec<u8>>),
    /// Held open, so that it is the same file to the end, even when another takes its name.
    File {
        file: Arc<File>,
        path: PathBuf,
        length: u64,
    },
}

impl Source {
    /// Opens a file of at most so many bytes.
    pub(crate) fn open(path: &Path, greatest: u64) -> Result<Self, ModelError> {
        let fault = |source| ModelError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(fault)?;
        let length = file.metadata().map_err(fault)?.len();
        if length > greatest {
            let shown = path.display();
            return Err(ModelError::Bundle(format!(
                "{shown} has {length} bytes, the greatest is {greatest}"
            )));
        }
        Ok(Self::File { file: Arc::new(file), path: path.to_owned(), length })
    }

    /// Its SHA-256.
    pub(crate) fn digest(&self) -> Result<Digest, ModelError> {
        self.read_and_digest(|_| Ok(())).map(|((), digest)| digest)
    }

    /// What `read` makes of it, and the SHA-256 of all of it: once through the file for both.
    pub(crate) fn read_and_digest<T>(
        &self,
        read: impl FnOnce(&mut dyn BufRead) -> Result<T, ModelError>,
    ) -> Result<(T, Digest), ModelError> {
        let mut hashing = Hashing { inner: self.beginning(), hash: Sha256::new() };
        let mut reader = BufReader::with_capacity(PIECE, &mut hashing);
        let made = read(&mut reader)?;
        loop {
            match reader.fill_buf().map_err(|source| self.fault(source))?.len() {
                0 => break,
                length => reader.consume(length),
            }
        }
        Ok((made, Digest::from_bytes(hashing.hash.finalize().into())))
    }

    /// All of it in memory.
    pub(crate) fn bytes(&self) -> Result<Cow<'_, [u8]>, ModelError> {
        match self {
            Self::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::File { length, .. } => {
                // Bounded when it was opened.
                let mut bytes = Vec::with_capacity(usize::try_from(*length).unwrap_or(0));
                self.reader().read_to_end(&mut bytes).map_err(|source| self.fault(source))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Reads it from the beginning.
    pub(crate) fn reader(&self) -> BufReader<Box<dyn Read + '_>> {
        BufReader::with_capacity(PIECE, self.beginning())
    }

    fn beginning(&self) -> Box<dyn Read + '_> {
        match self {
            Self::Memory(bytes) => Box::new(bytes.as_slice()),
            Self::File { file, length, .. } => Box::new(At { file, place: 0, end: *length }),
        }
    }

    fn fault(&self, source: io::Error) -> ModelError {
        let path = match self {
            Self::Memory(_) => PathBuf::from("memory"),
            Self::File { path, .. } => path.clone(),
        };
        ModelError::File { path, source }
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Memory(Arc::new(bytes))
    }
}

/// Takes the digest of what passes.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}

/// Reads a file from a place of its own: clones of a handle share theirs.
struct At<'a> {
    file: &'a File,
    place: u64,
    /// What is appended meanwhile is not read.
    end: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.place)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..length], self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}
