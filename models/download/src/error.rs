use std::path::PathBuf;
use std::time::Duration;

use reqwest::StatusCode;
use schemas::Digest;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The HTTP client cannot be made, for want of root certificates or the like.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// A file cannot be read or written.
    #[error("cannot read or write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process fetches this file.
    #[error("{} is being written by another process", path.display())]
    Busy {
        /// What has arrived so far.
        path: PathBuf,
    },
    /// No connection, no answer, a broken or silent connection, or redirects that are not followed.
    #[error("cannot fetch {address}")]
    Request {
        /// What was asked for.
        address: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The server answers with an error.
    #[error("{address} is refused by its server: {status}")]
    Refused {
        /// What was asked for.
        address: String,
        /// The answer.
        status: StatusCode,
    },
    /// The server announces another size than the file has.
    #[error("{address} announces {announced} bytes, expected are {expected}")]
    WrongLength {
        /// What was asked for.
        address: String,
        /// The size it announces.
        announced: u64,
        /// The size that the file has.
        expected: u64,
    },
    /// The server sends more than the file has; the rest was not read.
    #[error("{address} sends more than the expected {expected} bytes")]
    TooLarge {
        /// What was asked for.
        address: String,
        /// The size that the file has.
        expected: u64,
    },
    /// The answer ended, in good order, before the file was whole.
    #[error("{address} ended after {received} of {expected} bytes")]
    EndedEarly {
        /// What was asked for.
        address: String,
        /// Bytes that are there.
        received: u64,
        /// The size that the file has.
        expected: u64,
    },
    /// The server sends another range than was asked for.
    #[error("{address} was asked for the bytes from {asked} on and sends the range {sent:?}")]
    WrongRange {
        /// What was asked for.
        address: String,
        /// Where it should begin.
        asked: u64,
        /// The `Content-Range` of the answer.
        sent: String,
    },
    /// All bytes are there and they are not the file's.
    #[error("{address} has the SHA-256 {actual}, expected is {expected}")]
    WrongDigest {
        /// What was asked for.
        address: String,
        /// The digest that the file has.
        expected: Digest,
        /// The digest of what arrived.
        actual: Digest,
        /// Whether it came in more than one piece, perhaps of different versions.
        pieced: bool,
    },
    /// It took longer than [`Limits::whole`](crate::Limits::whole).
    #[error("{address} is not here after {} s", within.as_secs())]
    TooSlow {
        /// What was asked for.
        address: String,
        /// The time it had.
        within: Duration,
    },
}

impl DownloadError {
    /// Whether another request may do better.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Request { source, .. } => !source.is_builder() && !source.is_redirect(),
            Self::Refused { status, .. } => {
                status.is_server_error()
                    || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }
            Self::EndedEarly { .. } | Self::WrongRange { .. } => true,
            Self::WrongDigest { pieced, .. } => *pieced,
            _ => false,
        }
    }

    /// Whether the bytes that are there are of no use to the next request.
    pub(crate) fn spoils_what_is_there(&self) -> bool {
        matches!(
            self,
            Self::WrongDigest { .. }
                | Self::TooLarge { .. }
                | Self::WrongLength { .. }
                | Self::WrongRange { .. }
        )
    }
}
