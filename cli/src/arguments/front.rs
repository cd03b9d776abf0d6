//! `splinter front`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemas::{ModelName, NodeId};

use super::{BrokerArguments, OutputArguments};

/// `splinter front`
#[derive(Debug, Subcommand)]
pub enum FrontCommand {
    /// Print the front of a network
    Show(ShowArguments),
    /// Draw a front over latency and energy, on the terminal or as a page
    Plot(PlotArguments),
    /// Compare two revisions of a front: points that came, went, and changed
    Diff(DiffArguments),
    /// Write a front as a file: JSON with everything, or CSV as recorded pools have it
    Export(ExportArguments),
    /// Publish a front of a file: one that was exported, or recorded measurements
    Import(ImportArguments),
}

/// Which front is meant.
#[derive(Debug, Args)]
pub struct WhichFront {
    /// The network
    #[arg(long)]
    pub model: ModelName,
    /// The edge machine [default: any]
    #[arg(long, value_name = "NODE")]
    pub edge: Option<NodeId>,
    /// The cloud machine [default: any]
    #[arg(long, value_name = "NODE")]
    pub cloud: Option<NodeId>,
    /// An earlier revision [default: the one that is published]
    #[arg(long)]
    pub revision: Option<u64>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
}

/// `splinter front show`
#[derive(Debug, Args)]
pub struct ShowArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub front: WhichFront,
    /// List every revision that is kept
    #[arg(long, conflicts_with = "revision")]
    pub history: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// `splinter front plot`
#[derive(Debug, Args)]
pub struct PlotArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub front: WhichFront,
    /// Write one HTML file that needs nothing else, instead of drawing here
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write over a file of that name
    #[arg(long, requires = "html")]
    pub force: bool,
}

/// `splinter front diff`
#[derive(Debug, Args)]
pub struct DiffArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub front: WhichFront,
    /// The earlier revision [default: the last but one]
    #[arg(long)]
    pub from: Option<u64>,
    /// The later revision [default: the last]
    #[arg(long, requires = "from")]
    pub to: Option<u64>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// How a front is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FrontFormat {
    /// Everything; `splinter front import` reads it
    Json,
    /// Points, one a row, without provenance; `splinter optimize --pool` reads it
    Csv,
}

/// `splinter front export`
#[derive(Debug, Args)]
pub struct ExportArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub front: WhichFront,
    /// The form
    #[arg(long, value_enum, default_value_t = FrontFormat::Json)]
    pub format: FrontFormat,
    /// The file [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Write over a file of that name
    #[arg(long, requires = "to")]
    pub force: bool,
}

/// `splinter front import`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter front import front.json                             one that `splinter front export` wrote
  splinter front import pool.csv --network vgg16 --model vgg16 --edge pi --cloud rack --pictures 1000

Recorded measurements are CSV files as `splinter optimize --pool` reads them, Optuna's exports among them. The network must be
served, as the front holds its file's digest. Configurations with an accelerator that no executor can have are left out.")]
pub struct ImportArguments {
    /// The file: .json, or CSV
    pub file: PathBuf,
    /// The network of recorded measurements
    #[arg(long)]
    pub model: Option<ModelName>,
    /// The edge machine they are for
    #[arg(long, value_name = "NODE")]
    pub edge: Option<NodeId>,
    /// The cloud machine they are for
    #[arg(long, value_name = "NODE")]
    pub cloud: Option<NodeId>,
    /// The space of the DynaSplit paper's network: vgg16, resnet50, mobilenetv2 or vit [default: the values in the file]
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// Pictures that the recorded accuracies are of; the DynaSplit paper's are of 1000. Without it they are left out, as nobody
    /// knows how sure they are
    #[arg(long)]
    pub pictures: Option<u32>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}
