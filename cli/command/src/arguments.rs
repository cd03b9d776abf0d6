//! Options that every command has.

use std::path::PathBuf;

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
    /// Our nkey for a broker that asks for one, such as splinter-keys/services/admin.nk; its name is the user
    #[arg(long, env = "SPLINTER_NKEY_FILE", value_name = "FILE")]
    pub nkey: Option<PathBuf>,
    /// Certificate authority of the broker, such as splinter-keys/ca/ca.pem; nothing is sent unencrypted then
    #[arg(long, env = "SPLINTER_TLS_CA_FILE", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
}
