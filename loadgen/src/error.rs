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
    /// A value of a file that cannot be used.
    #[error("{}, line {line}, column {column:?}: {problem}", path.display())]
    InvalidValue {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A row of a file that cannot be used.
    #[error("{}, line {line}: {problem}", path.display())]
    InvalidRow {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A pool without a run.
    #[error("{} holds no row", .0.display())]
    NoRows(PathBuf),
    /// A pool without energy.
    #[error("{} has no column \"energy\", which this needs", .0.display())]
    NoEnergy(PathBuf),
    /// A baseline that was never run.
    #[error("{}: the baseline {configuration} was never run, so nothing can be compared with it", path.display())]
    BaselineMissing {
        /// The file.
        path: PathBuf,
        /// Its configuration.
        configuration: String,
    },
    /// A workload that says nothing of the network.
    #[error("{} has no row of the network {network:?}", path.display())]
    NoLimits {
        /// The file.
        path: PathBuf,
        /// The network.
        network: String,
    },
    /// A folder without a pool of the wanted network.
    #[error("{}: {problem}", folder.display())]
    NoPool {
        /// The folder.
        folder: PathBuf,
        /// What is missing.
        problem: String,
    },
    /// A pool or space that cannot be.
    #[error(transparent)]
    Search(#[from] search::Error),
    /// A scenario that cannot be simulated.
    #[error("{}: {problem}", path.display())]
    Scenario {
        /// The file.
        path: PathBuf,
        /// Where and what is wrong.
        problem: String,
    },
    /// The scheduler's core refuses to decide.
    #[error("the scheduler refuses: {0}")]
    Refused(scheduler::policy::Refusal),
}
