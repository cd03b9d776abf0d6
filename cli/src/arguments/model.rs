//! `splinter model`

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use models::Preset;
use schemas::ModelName;

use super::{BrokerArguments, OutputArguments};

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

fn preset() -> impl TypedValueParser<Value = Preset> {
    let values = Preset::ALL.map(|preset| PossibleValue::new(preset.as_str()).help(preset.about()));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Preset>())
}
