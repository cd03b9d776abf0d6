//! Files that are written whole or not at all, and secrets that are never readable by others.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use crate::error::KeysError;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner.
    Owner,
    /// Everyone who may look into the folder.
    All,
}

/// Makes a folder that only its owner may look into; one that is there is made so.
pub fn private_folder(path: &Path) -> Result<(), KeysError> {
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o700)));
    made.map_err(|source| KeysError::Write { path: path.to_owned(), source })
}

/// The text of a file; `None` where there is none.
pub fn read(path: &Path) -> Result<Option<String>, KeysError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeysError::Read { path: path.to_owned(), source }),
    }
}

/// Writes a file in one step, on the disk when this returns.
pub fn write(path: &Path, text: &str, readers: Readers) -> Result<(), KeysError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // A temporary file is its owner's only from the start.
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        let mode = if readers == Readers::Owner { 0o600 } else { 0o644 };
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|source| KeysError::Write { path: path.to_owned(), source })
}
