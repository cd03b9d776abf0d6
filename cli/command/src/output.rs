//! Where results and progress go: results to standard output, everything else to standard error.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use tempfile::TempPath;

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

/// Writes a file, whole or not at all. What is no file, such as `/dev/stdout` or a pipe, is written to and stays what it is.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = if path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        OpenOptions::new().write(true).open(path).and_then(|mut to| to.write_all(bytes))
    } else {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let aside = written_aside(folder.unwrap_or(Path::new(".")), bytes);
        aside.and_then(|aside| aside.persist(path).map_err(|error| error.error))
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Writes files into a folder that is made where it is not there: none takes its name before all are on the disk.
pub fn write_together(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    let made = !folder.exists();
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let aside = |(name, text): &(String, String)| {
        let path = folder.join(name);
        let cannot = || format!("cannot write {}", path.display());
        Ok((written_aside(folder, text.as_bytes()).with_context(cannot)?, path))
    };
    let all: anyhow::Result<Vec<(TempPath, PathBuf)>> = files.iter().map(aside).collect();
    if all.is_err() && made {
        // What is in it now is not ours, and stays with the folder.
        let _not_empty = std::fs::remove_dir(folder);
    }
    for (aside, path) in all? {
        aside.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A file without its name yet, which goes when it gets none. It is for everybody whom the user's new files are for. Errors do not tell
/// the name that it has meanwhile: nobody asked for it.
fn written_aside(folder: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    let open = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = tempfile::Builder::new().make_in(folder, open)?;
    file.as_file_mut().write_all(bytes)?;
    Ok(file.into_temp_path())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_told_by_the_name_that_was_asked_for() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("missing/report.csv");
        let told = format!("{:#}", write_whole(&file, b"1").unwrap_err());
        assert_eq!(told, format!("cannot write {}: No such file or directory (os error 2)", file.display()));
    }

    #[test]
    fn what_is_written_is_whole_and_nothing_else_is_left() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("report.csv");
        for text in ["first", "second"] {
            write_whole(&file, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
