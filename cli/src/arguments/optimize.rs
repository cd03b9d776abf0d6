//! `splinter optimize`

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use schemas::{ModelName, NodeId};
use search::strategy::StrategyName;

use super::{BrokerArguments, OutputArguments};

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

fn strategy() -> impl TypedValueParser<Value = StrategyName> {
    PossibleValuesParser::new(StrategyName::ALL.map(StrategyName::as_str))
        .try_map(|name| name.parse::<StrategyName>())
}

fn budget(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "a budget is a share of the space, above 0 and up to 1".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_a_number_or_two() {
        let cases = [("5", Some((5, 5))), ("3..12", Some((3, 12))), ("1..1000", Some((1, 1_000)))];
        let wrong = ["", "0", "12..3", "3..", "..3", "1..1001", "a..b", "3...5"];
        for (text, expected) in cases.into_iter().chain(wrong.map(|text| (text, None))) {
            let read = text.parse::<Samples>().ok().map(|samples| (samples.least, samples.most));
            assert_eq!(read, expected, "{text}");
        }
    }
}
