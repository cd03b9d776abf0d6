use std::path::PathBuf;

/// Why a trace or a set of pictures cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadgenError {
    /// Limits that no trace can lie between.
    #[error(
        "a trace needs at least one request and limits from a least to a greatest, got {requests} requests from {least} to {greatest}"
    )]
    InvalidTrace {
        /// Requests asked for.
        requests: usize,
        /// Least limit.
        least: schemas::Millis,
        /// Greatest limit.
        greatest: schemas::Millis,
    },
    /// A folder or file that cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A folder without a JPEG or PNG file.
    #[error("{} holds no .jpg, .jpeg or .png file", .0.display())]
    NoPictures(PathBuf),
    /// A line of `labels.csv` that is not `file,class_index,…`.
    #[error("{}, line {line}: {problem}", path.display())]
    InvalidLabel {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
}
