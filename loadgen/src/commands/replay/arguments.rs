use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use command::{BrokerArguments, OutputArguments};
use loadgen::replay::requirement::Requirement;
use schemas::{ModelName, PolicyName};

use crate::commands::live_policy;

/// `loadgen replay`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  loadgen replay trace.csv --images pictures/ -o results/
  loadgen replay trace.csv --images pictures/ -o results/ --policy dynasplit --require 'within>=0.95' --require 'p95<=200'
  loadgen replay trace.csv --images pictures/ -o results/ --http http://127.0.0.1:8080 --in-flight 2000
  loadgen replay trace.csv --images pictures/ -o results/ --resume

A trace with times is an open loop: each request is sent when it is due, however slow the answers are, and its latency counts from \
when it was due. A trace without is a closed loop: each query is sent when one of those of --clients has ended.

REQUIREMENTS are FIGURE>=NUMBER, or with <=, > or <: within, answered, accuracy (0 to 1); mean, p50, p90, p95, p99, p99.9, max \
(latency of the answered requests, ms); rate (requests a second); energy (J a request). A figure that is not known meets none.")]
pub struct ReplayArguments {
    /// The trace, as `loadgen trace` writes it, or the DynaSplit paper's workload
    pub trace: PathBuf,
    /// A folder of JPEG and PNG files, sent in turn; with several networks, MODEL=DIR for each. labels.csv in it tells their classes
    #[arg(long, value_name = "[MODEL=]DIR", required = true, value_parser = images)]
    pub images: Vec<(Option<ModelName>, PathBuf)>,
    /// The folder that is made for the manifest and the raw records
    #[arg(short = 'o', long = "results", value_name = "DIR")]
    pub results: PathBuf,
    /// Go on with a results folder that was cut off: requests that have a record are not sent again
    #[arg(long)]
    pub resume: bool,
    /// The policy that is asked for
    #[arg(long, default_value = "adaptive", value_parser = live_policy)]
    pub policy: PolicyName,
    /// Send every request to this network, whatever the trace says
    #[arg(long)]
    pub model: Option<ModelName>,
    /// So many times as fast as the trace says
    #[arg(long, default_value_t = 1.0, value_parser = crate::commands::above_zero)]
    pub speed: f64,
    /// Leave the trace's times out and send each request when the one before has ended
    #[arg(long)]
    pub in_turn: bool,
    /// Requests that wait for their answer at once; what is due beyond is sent when one has ended
    #[arg(long, value_name = "N", default_value = "1000", value_parser = at_once)]
    pub in_flight: NonZeroUsize,
    /// In a closed loop: queries at once
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_once)]
    pub clients: NonZeroUsize,
    /// Requests that are sent before, one after the other, and count in no figure
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub warm_up: usize,
    /// Fail (exit code 1) unless a figure is as required; may be repeated
    #[arg(long, value_name = "REQUIREMENT")]
    pub require: Vec<Requirement>,
    /// Send over HTTP to this gateway, such as http://127.0.0.1:8080, instead of over NATS
    #[arg(long, value_name = "URL")]
    pub http: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

impl ReplayArguments {
    /// The trace's name in the records: that of its file without the ending.
    pub fn trace_name(&self) -> String {
        self.trace.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What the records depend on, for the manifest.
    pub fn settings(&self) -> serde_json::Value {
        let images: Vec<String> =
            self.images.iter().map(|(_, folder)| folder.display().to_string()).collect();
        serde_json::json!({
            "trace": self.trace_name(),
            "images": images,
            "policy": self.policy,
            "model": self.model,
            "speed": self.speed,
            "in_turn": self.in_turn,
            "in_flight": self.in_flight,
            "clients": self.clients,
            "warm_up": self.warm_up,
            "over": if self.http.is_some() { "http" } else { "nats" },
        })
    }
}

/// The request layer lets no more wait at once.
const MOST_AT_ONCE: usize = 4_096;

fn at_once(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= MOST_AT_ONCE);
    number.ok_or_else(|| format!("use 1 to {MOST_AT_ONCE}"))
}

fn images(text: &str) -> Result<(Option<ModelName>, PathBuf), String> {
    match text.split_once('=') {
        Some((model, folder)) => {
            let model = model.parse::<ModelName>().map_err(|error| error.to_string())?;
            Ok((Some(model), folder.into()))
        }
        None => Ok((None, text.into())),
    }
}
