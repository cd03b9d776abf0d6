//! Options that every command has.

use clap::Args;

/// How results are printed.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArguments {
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Which broker to talk to.
#[derive(Debug, Clone, Args)]
pub struct BrokerArguments {
    /// Address of the NATS broker of the running system (no user or password in it)
    #[arg(long, env = "SPLINTER_BROKER", default_value = "nats://127.0.0.1:4222")]
    pub broker: String,
}
