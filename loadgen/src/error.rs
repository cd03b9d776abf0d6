use std::path::PathBuf;

use crate::problem::Problem;

/// Why a trace, a set of pictures or a folder of results cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadgenError {
    /// Requests that are no trace.
    #[error("this is no trace: {0}")]
    InvalidTrace(String),
    /// A trace without times where times are needed.
    #[error("{}: its requests have no times to take over", .0.display())]
    NoTimes(PathBuf),
    /// The file of a recording that is not ended.
    #[error("{}: that recording goes on", .0.display())]
    RecordingGoesOn(PathBuf),
    /// What a recording left that was cut off.
    #[error(
        "{} is of a recording that was cut off: `loadgen record --recover -o {}` makes a trace of it",
        partial.display(),
        trace.display()
    )]
    RecordingCutOff {
        /// What it left.
        partial: PathBuf,
        /// The trace that it was to be.
        trace: PathBuf,
    },
    /// States that are no link trace.
    #[error("this is no link trace: {0}")]
    InvalidLink(String),
    /// A folder or file that cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Something that cannot be written.
    #[error("cannot write {what}")]
    Unwritable {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file without content.
    #[error("{} has no {what}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A file of another version.
    #[error("{} is a {what} of version {found}, this loadgen reads version {known}", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// Its version.
        found: String,
        /// The version that is read.
        known: &'static str,
    },
    /// A column that must be there.
    #[error("{}, line {line}: the column {columns} is missing", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The header's line, from 1.
        line: u64,
        /// The column, or those of which one must be there.
        columns: String,
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
    /// A file whose text is not what it is to be.
    #[error("{}", problem.in_file(path))]
    InvalidText {
        /// The file.
        path: PathBuf,
        /// Where and what is wrong.
        problem: Problem,
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
    #[error("{}", problem.in_file(path))]
    Scenario {
        /// The file.
        path: PathBuf,
        /// Where and what is wrong.
        problem: Problem,
    },
    /// A campaign that cannot be done.
    #[error("{}", problem.in_file(path))]
    Campaign {
        /// The file.
        path: PathBuf,
        /// Where and what is wrong.
        problem: Problem,
    },
    /// A campaign that cannot be written as text.
    #[error("the campaign cannot be written down")]
    CampaignText(#[source] toml::ser::Error),
    /// The emulated link of an edge cannot be changed.
    #[error("the link of {edge} cannot be changed: {fault}")]
    Link {
        /// The edge machine.
        edge: schemas::NodeId,
        /// What its edge executor says.
        fault: schemas::Fault,
    },
    /// The scheduler's core refuses to decide.
    #[error("the scheduler refuses: {0}")]
    Refused(policy::Refusal),
    /// The broker does not do its part.
    #[error(transparent)]
    Broker(#[from] broker::BrokerError),
    /// A network that no edge executor serves.
    #[error("no edge executor serves {model}: {}", those_served(served))]
    NotServed {
        /// The network.
        model: schemas::ModelName,
        /// Those that are served.
        served: String,
    },
    /// The machine whose link is to be changed is not known.
    #[error("name the edge whose link is changed, one of: {edges}")]
    WhichEdge {
        /// The machines with an edge executor.
        edges: String,
    },
    /// A text that is no address of a gateway.
    #[error("{address:?} is no address of a gateway: {problem}")]
    InvalidAddress {
        /// The text.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A folder that is no results folder.
    #[error("{} is no results folder: it has no manifest.json", .0.display())]
    NoResults(PathBuf),
    /// A place for results where something is already.
    #[error("{} is there already: name another folder, or go on with it by --resume", .0.display())]
    ResultsExist(PathBuf),
    /// Results of something else.
    #[error("{} was begun with another trace, campaign or other options: {command}", path.display())]
    OtherResults {
        /// The folder.
        path: PathBuf,
        /// What it was begun by.
        command: String,
    },
    /// Results without a request that counts.
    #[error("{} has no request that counts, so there is nothing to draw: send requests first", .0.display())]
    NothingToReport(PathBuf),
    /// Told to stop before everything was done.
    #[error("stopped before the end: go on with --resume")]
    Stopped,
    /// Results that need nothing more.
    #[error("{} is complete: there is nothing to resume", .0.display())]
    ResultsComplete(PathBuf),
    /// A file of a results folder that cannot be written.
    #[error("cannot write {}", path.display())]
    UnwritableResults {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A folder without a JPEG or PNG file.
    #[error("{} holds no .jpg, .jpeg or .png file", .0.display())]
    NoPictures(PathBuf),
    /// The oracle with random numbers that one look changes.
    #[error(
        "policy oracle must see every outcome beforehand, which NumPy's random numbers do not allow: use --outcomes paired or mean"
    )]
    OracleCannotForesee,
    /// A simulated executor cannot be named.
    #[error("a simulated executor cannot be named")]
    Instance(#[source] schemas::InvalidId),
}

fn those_served(served: &str) -> String {
    if served.is_empty() { "none is there that serves any".into() } else { format!("there are {served}") }
}
