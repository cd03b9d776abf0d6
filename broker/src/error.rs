use std::path::PathBuf;

use schemas::ByteCount;

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
    /// Nobody answers at the address, or refuses us.
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
    /// A failed operation, from the client library's error. Its text already includes its causes.
    pub(crate) fn failed(operation: &'static str, error: impl std::fmt::Display) -> Self {
        Self::Failed { operation, reason: error.to_string() }
    }
}
