//! `splinter policy` and `splinter top`: a system while it runs.

use clap::{Args, Subcommand};
use schemas::PolicyName;

use super::{BrokerArguments, OutputArguments};

/// `splinter policy`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say which policies decide now
    Show(WhichSystem),
    /// Choose the policies of all schedulers, at once and after a restart; nothing is restarted
    Set(SetPolicyArguments),
    /// Take the choice back: each scheduler goes by its own settings again
    Reset(WhichSystem),
}

/// A running system, and how to print.
#[derive(Debug, Args)]
pub struct WhichSystem {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}

/// `splinter policy set`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter policy set adaptive --shadow dynasplit      adaptive decides; the paper's rule is asked beside it
  splinter policy set dynasplit                        and no shadow

A shadow changes nothing. How it compares (predicted latency, energy and limits met, and what receipts say came
out) is published each second on splinter.v1.metrics.scheduler.<instance>, and shown by `splinter top`.")]
pub struct SetPolicyArguments {
    /// adaptive, dynasplit, cloud, edge, latency or energy
    pub policy: PolicyName,
    /// A second policy that is asked for the same requests and changes nothing
    #[arg(long, value_name = "POLICY")]
    pub shadow: Option<PolicyName>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub system: WhichSystem,
}

/// `splinter top`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter top                                  the system on this machine
  splinter top --broker nats://HOST:4222        another one

Counts begin when it is started; shares and joules a request are of the last minute. q or Ctrl-C leaves.")]
pub struct TopArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArguments,
}
