use std::io::ErrorKind;
use std::path::PathBuf;

use async_nats::jetstream::ErrorCode;
use schemas::ByteCount;

/// What a broker says that has no room, on its disk or within the limits of its configuration. The third it says of a bucket whose
/// files it cannot write, whatever the reason.
const NO_ROOM: [ErrorCode; 3] =
    [ErrorCode::INSUFFICIENT_RESOURCES, ErrorCode::STORAGE_RESOURCES_EXCEEDED, ErrorCode::STREAM_CREATE];

/// What went wrong between us and the broker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The address holds a user or password.
    #[error("the broker's address holds a user or password: use credentials_file or nkey_seed_file instead")]
    CredentialsInUrl,
    /// A credentials or seed file that cannot be read.
    #[error("cannot read {}", path.display())]
    UnreadableCredentials {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that the settings name and that is not there.
    #[error(
        "there is no {} ([broker] {setting}): make it with `splinter keys`, or correct the setting", path.display()
    )]
    MissingFile {
        /// The file.
        path: PathBuf,
        /// The setting that names it.
        setting: &'static str,
    },
    /// A secret that is none.
    #[error("everyone on this machine may read the key {} (mode {mode:04o}): chmod 600 it", path.display())]
    OpenToEveryone {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file that does not hold what it should.
    #[error("{} holds no {what}: make it anew with `splinter keys`", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A certificate whose time is over.
    #[error("the certificate {} expired on {ended}: `splinter keys` renews it", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// When.
        ended: String,
    },
    /// A certificate whose time has not come.
    #[error("the certificate {} is valid from {begins} on: check this machine's clock", path.display())]
    NotYetValid {
        /// The file.
        path: PathBuf,
        /// From when on.
        begins: String,
    },
    /// Settings that do not go together.
    #[error("[broker] {0}")]
    Settings(String),
    /// Broker and we do not trust each other.
    #[error("no TLS with the broker at {url}: {problem}")]
    Tls {
        /// The address.
        url: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The broker does not know us.
    #[error(
        "the broker at {url} refuses {who}: `splinter keys` writes its configuration (nats.conf) with every key, reload it"
    )]
    Refused {
        /// The address.
        url: String,
        /// User and key.
        who: String,
    },
    /// The broker takes smaller messages than ours may be.
    #[error(
        "the broker at {url} takes messages of {accepted} at most: set max_payload: {} there, and at its hub too",
        least.0
    )]
    SmallMessages {
        /// The address.
        url: String,
        /// What it takes.
        accepted: ByteCount,
        /// What it should take.
        least: ByteCount,
    },
    /// Nobody answers at the address.
    #[error("cannot connect to the broker at {url}: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The broker lacks fixes that we rely on.
    #[error("the broker at {url} is nats-server {version}: {least} or newer is needed (security fixes)")]
    TooOld {
        /// The address.
        url: String,
        /// Its version.
        version: String,
        /// The least version.
        least: &'static str,
    },
    /// A message larger than the broker accepts.
    #[error("a message of {size} is larger than the {greatest} that the broker accepts")]
    TooLarge {
        /// The message.
        size: ByteCount,
        /// The broker's limit.
        greatest: ByteCount,
    },
    /// An operation did not end in time.
    #[error("{0} took too long")]
    TimedOut(&'static str),
    /// An operation failed.
    #[error("{operation} failed: {reason}")]
    Failed {
        /// The operation.
        operation: &'static str,
        /// Why.
        reason: String,
    },
    /// The broker has no room for what it should store, or may not write it.
    #[error(
        "{operation} failed: the broker cannot store it ({reason}): free space on the disk of its store_dir, and let it write there"
    )]
    NoRoom {
        /// The operation.
        operation: &'static str,
        /// What the broker says.
        reason: String,
    },
    /// This machine has no room for a file that is needed for a while.
    #[error("no room for temporary files in {}: free some, or set TMPDIR to a larger folder", folder.display())]
    NoRoomHere {
        /// Where they are made.
        folder: PathBuf,
    },
    /// A stored file whose bytes are not those that were put.
    #[error("{name} in the model store is damaged: {reason}")]
    Damaged {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// A message that does not encode or decode.
    #[error(transparent)]
    Wire(#[from] schemas::WireError),
}

impl BrokerError {
    /// Whether the settings, or the files that they name, must change before it can work.
    pub fn is_of_settings(&self) -> bool {
        matches!(
            self,
            Self::CredentialsInUrl
                | Self::UnreadableCredentials { .. }
                | Self::MissingFile { .. }
                | Self::OpenToEveryone { .. }
                | Self::Unfit { .. }
                | Self::Expired { .. }
                | Self::NotYetValid { .. }
                | Self::Settings(_)
        )
    }

    /// A failed operation, from the client library's error. Its text already includes its causes.
    pub(crate) fn failed(operation: &'static str, error: impl std::fmt::Display) -> Self {
        let reason = error.to_string();
        // The library's errors hold the broker's at different depths; the text of each has it.
        if NO_ROOM.iter().any(|code| reason.contains(&format!("error code {})", code.0))) {
            return Self::NoRoom { operation, reason };
        }
        Self::Failed { operation, reason }
    }

    /// A temporary file that could not be made or written.
    pub fn temporary_file(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::NoRoomHere { folder: std::env::temp_dir() }
            }
            _ => Self::failed("writing a temporary file", error),
        }
    }
}
