//! Where results and progress go: results to standard output, everything else to standard error.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;

/// Prints a result, as JSON or as text. A reader that has gone (`splinter … | head`) is not an error.
pub fn print<T: Serialize>(json: bool, result: &T, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
    let output = if json {
        serde_json::to_string_pretty(result).context("the result cannot be written as JSON")?
    } else {
        text(result)
    };
    match writeln!(io::stdout().lock(), "{output}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Refuses a place where there is a file already, before any work is done for it.
pub fn check_free(path: &Path, force: bool) -> anyhow::Result<()> {
    if path.exists() && !force {
        bail!("{} is there already; --force writes over it", path.display());
    }
    Ok(())
}

/// Writes a file, whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(bytes)?;
        // A temporary file is its owner's only; this one is for everybody whom the folder is for.
        #[cfg(unix)]
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).with_context(|| format!("cannot write {}", path.display()))
}

/// Says how far things are, on standard error.
pub fn say(text: &str) {
    // Standard error that cannot be written to leaves nobody to tell.
    let _closed = writeln!(io::stderr().lock(), "{text}");
}

/// A progress bar on standard error; invisible where that is no terminal.
pub fn progress(steps: u64, doing: &str) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{prefix:24} {wide_bar} {pos}/{len} {eta} {msg}")
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(steps).with_style(style).with_prefix(doing.to_owned())
}

/// A progress bar of bytes with their rate, on standard error; invisible where that is no terminal.
pub fn byte_progress(bytes: u64, doing: &str) -> indicatif::ProgressBar {
    let template = "{prefix:24} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style = indicatif::ProgressStyle::with_template(template)
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(bytes).with_style(style).with_prefix(doing.to_owned())
}
