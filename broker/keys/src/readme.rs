//! What people read: the folder's README, the heads of the configurations, what to do next.

use std::fmt::Write;

use crate::deployment::{Change, Entry, Settings};
use crate::members::{Member, Place};

/// The head of a broker's configuration.
pub(crate) fn of_configuration(place: Place) -> String {
    let (what, more) = match place {
        Place::Hub => {
            ("the cloud site's broker", "edge sites reach its leaf port with a certificate and a key")
        }
        Place::Edge => {
            ("an edge site's broker", "it stores what the site needs, and holds a secret: the site's key")
        }
    };
    format!(
        "# nats-server for {what}: {more}.\n\
         # Made by `splinter keys`, which writes it anew; who may do what is explained in docs/security.md.\n\
         # Start it in this folder: nats-server --config nats.conf\n\
         # For clients on other machines: --addr 0.0.0.0\n\n"
    )
}

const BEFORE: &str = "\
This folder makes one deployment of Splinter safe. Everything in it was made by `splinter keys`; docs/security.md explains it.
Keep it out of version control and backups that others can read. Run `splinter keys` again to make what is missing and renew
certificates that end within 60 days; what is there is kept. `--rotate NAME` makes one thing anew.

hub/           to the machine of the cloud site's broker
  nats.conf      its configuration: `nats-server --config nats.conf`, started in that folder
  hub.pem        its certificate; hub-key.pem is the key
  ca.pem         who signed both brokers' certificates
edge/          to the machine of the edge site's broker, likewise
  nats.conf      holds the site's key: a secret
  edge.pem       its certificate; edge-key.pem is the key
  ca.pem         as above
  data/          what the site stores: put a disk, or a container's volume, there
services/      one nkey seed each: NAME.nk goes where NAME runs, and nowhere else
                 [broker] nkey_seed_file = \"gateway.nk\", or keys_dir = \"services\" for several services in one process;
                 commands: --nkey services/admin.nk
ca/            the certificate authority. ca-key.pem signs certificates: no machine needs it, keep it offline if you can
deployment.json  hosts and port as they were asked for

Both brokers listen on 127.0.0.1:4222; with --addr 0.0.0.0 on every address. Beyond one machine set
[broker] tls_ca_file = \"ca.pem\": nothing is sent unencrypted then.
";

/// The README.
pub(crate) fn text(settings: &Settings, keys: &[(Member, nkeys::KeyPair)]) -> String {
    let mut text = BEFORE.to_owned();
    let Settings { hub_hosts, edge_hosts, leaf_port } = settings;
    // Writing to a String cannot fail.
    let mut line = |line: String| {
        let _infallible = writeln!(text, "{line}");
    };
    line(format!(
        "\nThe hub is reached at {}, port {leaf_port}; the edge's broker is also known as {}.\n\nUsers and their public keys:",
        hub_hosts.join(", "),
        edge_hosts.join(", ")
    ));
    for (member, key) in keys {
        line(format!("  {:14} {}", member.name(), key.public_key()));
    }
    text
}

/// What is to be done after files changed.
pub(crate) fn next(files: &[Entry]) -> Vec<String> {
    let replaced: Vec<&str> = files
        .iter()
        .filter(|entry| entry.change == Change::Replaced)
        .map(|entry| entry.file.as_str())
        .collect();
    let mut next = Vec::new();
    for name in Place::ALL.map(Place::name) {
        if replaced.iter().any(|file| file.starts_with(&format!("{name}/"))) {
            next.push(format!(
                "copy {name}/ to the {name}'s broker and have it read them: nats-server --signal reload"
            ));
        }
    }
    for name in Member::ALL.iter().filter(|member| **member != Member::Leaf).map(|member| member.name()) {
        let file = format!("services/{name}.nk");
        if replaced.contains(&file.as_str()) {
            next.push(format!("copy {file} to where the {name} runs, and restart it"));
        }
    }
    next
}
