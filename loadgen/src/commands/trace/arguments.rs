use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use command::OutputArguments;
use loadgen::link::process::LinkProcess;
use loadgen::trace::arrivals::Arrivals;
use loadgen::trace::limits::Limits;
use loadgen::trace::{Tenant, TraceFormat, paper};
use schemas::ModelName;

use crate::commands::above_zero;

/// `loadgen trace`
#[derive(Debug, Subcommand)]
pub enum TraceCommand {
    /// Draw a trace of requests: networks, tenants, arrivals and latency limits
    Requests(RequestsArguments),
    /// Write the DynaSplit paper's workload, to the last bit
    Paper(PaperArguments),
    /// Draw a trace of a link: its bandwidth and round-trip time over time
    Link(LinkArguments),
    /// Rewrite a trace in another format, or faster
    Convert(ConvertArguments),
    /// Check a trace of requests or of a link and sum it up
    Show {
        /// The trace
        file: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs)]
        output: OutputArguments,
    },
}

/// How a trace of requests is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// Splinter's, with everything that a request may ask for: at_ms, query, model, tenant, limit_ms, …
    Splinter,
    /// The DynaSplit paper's: Index,Network,Latency
    Paper,
}

impl From<Format> for TraceFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Splinter => Self::Splinter,
            Format::Paper => Self::Paper,
        }
    }
}

/// Where a trace goes.
#[derive(Debug, Args)]
pub struct OutputFile {
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over a file of that name
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// `loadgen trace requests`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  loadgen trace requests --model mobilenetv2 --limits weibull:60..900 -o trace.csv
  loadgen trace requests --model mobilenetv2 --limits lognormal:200,sigma=0.4 --arrivals poisson:20 --requests 2000 -o trace.csv
  loadgen trace requests --model a=3 --model b=1 --tenant camera=9 --tenant person=1 \\
      --limits uniform:100..500 --limits camera=constant:80 --arrivals mmpp:5,60,quiet_s=20,burst_s=2 -o mix.csv

LIMITS, in milliseconds:
  constant:MS   uniform:LEAST..GREATEST   lognormal:MEDIAN,sigma=0.5   bimodal:LOW,HIGH,share=0.5,spread=0.1
  weibull:LEAST..GREATEST   the paper's, of shape 1: its least limit is LEAST, its greatest one GREATEST

ARRIVALS, in requests a second:
  sequential (closed loop, as in the paper)   constant:RATE   poisson:RATE   diurnal:LOW,HIGH,period_s=86400
  mmpp:QUIET,BURST,quiet_s=10,burst_s=1       bursts: a Poisson process that changes between two rates
  recorded:FILE,speed=1                       the times of another trace
  single-stream  multi-stream:8  server:RATE  offline     the scenarios of MLPerf

The same options give the same trace on every machine.")]
pub struct RequestsArguments {
    /// A network to ask; with several, each with how often it is asked compared with the others
    #[arg(long, value_name = "NAME[=WEIGHT]", required = true, value_parser = weighted::<ModelName>)]
    pub model: Vec<(ModelName, f64)>,
    /// Who asks, written alike
    #[arg(long, value_name = "NAME[=WEIGHT]", value_parser = weighted::<Tenant>)]
    pub tenant: Vec<(Tenant, f64)>,
    /// What latency limits are drawn from; with NAME=, those of one network or tenant
    #[arg(long, value_name = "[NAME=]LIMITS", required = true, value_parser = whose_limits)]
    pub limits: Vec<(Option<String>, Limits)>,
    /// When requests arrive
    #[arg(long, default_value = "sequential")]
    pub arrivals: Arrivals,
    /// How many requests
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub requests: u64,
    /// The seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How the trace is written
    #[arg(long, value_enum, default_value_t = Format::Splinter)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub to: OutputFile,
}

/// `loadgen trace paper`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  loadgen trace paper --requests 10000 -o workload.csv
  loadgen trace paper --network vgg16 --format splinter -o vgg16.csv

The limits are those of numpy's default_rng(SEED).weibull(1, REQUESTS), one stream for all networks in their order, \
shifted and scaled so that each network's least and greatest limit are those of its trials.")]
pub struct PaperArguments {
    /// Requests for each network; the paper has 50 and 10000
    #[arg(long, default_value_t = 50, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=2_000_000))]
    pub requests: usize,
    /// Only this network; may be repeated [default: all four]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(paper::NETWORKS.map(|network| network.name)))]
    pub network: Vec<String>,
    /// The seed
    #[arg(long, default_value_t = paper::SEED)]
    pub seed: u64,
    /// How the trace is written
    #[arg(long, value_enum, default_value_t = Format::Paper)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub to: OutputFile,
}

/// `loadgen trace link`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  loadgen trace link constant:590/2.3 -o link.csv
  loadgen trace link steps:590/2.3@0,20/40@30,590/2.3@60 -o link.csv
  loadgen trace link 'markov:590/2.3,40/20,2/120;stay_s=10' --duration-s 600 -o link.csv

A state is MBIT/RTT_MS: megabits a second and the round-trip time in milliseconds. A recorded link needs no command: a CSV \
file with the columns time (seconds), bandwidth (Mbit/s) and rtt (ms) is a link trace.")]
pub struct LinkArguments {
    /// How the link changes
    #[arg(value_name = "PROCESS")]
    pub process: LinkProcess,
    /// How long a Markov process goes on
    #[arg(long, default_value_t = 600.0, value_name = "SECONDS", value_parser = above_zero)]
    pub duration_s: f64,
    /// The seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub to: OutputFile,
}

/// `loadgen trace convert`
#[derive(Debug, Args)]
pub struct ConvertArguments {
    /// The trace, in either format
    pub file: PathBuf,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Splinter)]
    pub format: Format,
    /// So many times as fast
    #[arg(long, default_value_t = 1.0, value_parser = above_zero)]
    pub speed: f64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub to: OutputFile,
}

fn weighted<T: std::str::FromStr<Err: ToString>>(text: &str) -> Result<(T, f64), String> {
    let (name, weight) = text.split_once('=').unwrap_or((text, "1"));
    let weight = above_zero(weight).map_err(|rule| format!("{weight:?} is no weight: {rule}"))?;
    Ok((name.parse::<T>().map_err(|error| error.to_string())?, weight))
}

/// The name is before the first `=` that stands before any colon: values have signs of equality, too.
fn whose_limits(text: &str) -> Result<(Option<String>, Limits), String> {
    let (whose, limits) = match text.split_once('=') {
        Some((name, limits)) if !name.contains(':') => (Some(name.to_owned()), limits),
        _ => (None, text),
    };
    limits
        .parse()
        .map(|limits| (whose, limits))
        .map_err(|error: loadgen::trace::limits::InvalidLimits| error.to_string())
}
