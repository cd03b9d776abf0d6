//! Where results and progress go: results to standard output, everything else to standard error.

use std::io::{self, Write};

use anyhow::Context;
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
