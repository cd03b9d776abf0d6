//! `splinter keys`

use std::path::PathBuf;

use clap::Args;
use keys::Rotation;

use super::OutputArguments;

/// `splinter keys`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  splinter keys                                    everything, for brokers on one machine or in one compose file
  splinter keys --hub-host hub.example.org         the hub is another machine: its name is in its certificate
  splinter keys                                    again: makes what is missing, renews what ends soon, keeps the rest
  splinter keys --rotate gateway                   another key for the gateway; the old one is worth nothing
  splinter keys --rotate hub --rotate edge         other certificates; --rotate ca: another authority, and so all of them

It makes an nkey for each service, for clients, an observer (sees, changes nothing), an admin (splinter model add,
optimize, policy set) and the edge site's broker; a certificate authority and certificates for both brokers; and
the configurations of both, in which each user may do only what it must. DIR/README says what each file is and
where it goes. Then:
  nats-server --config nats.conf                   in DIR/hub and in DIR/edge
  [broker]                                         in splinter.toml
  keys_dir = \"splinter-keys/services\"              or nkey_seed_file = \"gateway.nk\" where one service runs alone
  splinter infer ... --nkey splinter-keys/services/client.nk

What it prints is no secret. docs/security.md: who may do what, what is encrypted, what is not protected.")]
pub struct KeysArguments {
    /// The folder
    #[arg(long, value_name = "DIR", default_value = "splinter-keys")]
    pub out: PathBuf,
    /// How edge sites reach the hub: a name or address, may be given several times [default: as before, first `hub`]
    #[arg(long, value_name = "HOST")]
    pub hub_host: Vec<String>,
    /// How clients on other machines reach the edge's broker, likewise [default: as before, first `edge`]
    #[arg(long, value_name = "HOST")]
    pub edge_host: Vec<String>,
    /// The hub's port for edge sites [default: as before, first 7422]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub leaf_port: Option<u16>,
    /// Make something anew although it is there: a user (gateway, client, leaf, ...), hub, edge or ca
    #[arg(long, value_name = "NAME")]
    pub rotate: Vec<Rotation>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputArguments,
}
