use std::path::PathBuf;

/// Why keys and certificates could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A file or folder that cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file or folder that cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that was there and does not hold what it should.
    #[error("{} holds no {what}: put back what was there, or remove it and have it made anew", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A host that no certificate can name.
    #[error("{host:?} is no host: use a name such as hub.example.org, or an address such as 192.0.2.7")]
    Host {
        /// What was given.
        host: String,
    },
    /// A certificate that cannot be made.
    #[error("cannot make the certificate of the {name}: {reason}")]
    Certificate {
        /// Whose it is.
        name: String,
        /// Why.
        reason: String,
    },
    /// A key that cannot be made.
    #[error("cannot make the key of the {name}: {reason}")]
    Key {
        /// Whose it is.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// Something to rotate that there is not.
    #[error("there is no {name:?} to rotate: use {known}")]
    Rotation {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
}
