//! What a `nats-server` is told: the text of its configuration file.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bus::GREATEST_MESSAGE;
use crate::subjects::Subject;

/// Bytes that may wait for a slow connection: sixteen of the largest messages.
const MAX_PENDING: u32 = 256 << 20;

/// The account of everything of ours. One name on both sides of a leaf connection, so that a log of either says the same.
const ACCOUNT: &str = "SPLINTER";

/// The server's own account, without users: nobody but its own process looks at what it says of itself.
const SYSTEM_ACCOUNT: &str = "SYS";

/// A dead connection is noticed after two of these: the edge goes on alone within 3 s.
const PING_INTERVAL: &str = "1s";

/// A leaf that lost its hub tries again after this: splits resume within 5 s.
const LEAF_RECONNECT: &str = "1s";

/// Connections of a site: each service is one, each client is one. More is a flood.
const MAX_CONNECTIONS: u32 = 1_024;

/// Subscriptions of one connection: a service has some tens, an executor some for each network it serves.
const MAX_SUBSCRIPTIONS: u32 = 4_096;

/// Seconds in which a connection must say who it is.
const AUTHORIZATION_TIMEOUT_S: u32 = 2;

/// Seconds in which a TLS handshake must end, over a slow link too.
const TLS_TIMEOUT_S: u32 = 5;

/// The files of a TLS connection, as the server finds them from the folder it is started in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Who signed both sides' certificates.
    pub authority: PathBuf,
    /// This side's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// How many answers may be given to a request, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Responses {
    /// Messages: ACCEPTs and the RESULT.
    pub most: u32,
    /// Seconds since the request.
    pub within_s: u32,
}

/// What a user may do; what is not listed is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Where it may publish.
    pub publish: Vec<Subject>,
    /// Where it may subscribe.
    pub subscribe: Vec<Subject>,
    /// Whether it may answer requests that it got, wherever their sender wants the answer.
    pub responses: Option<Responses>,
}

/// What a user's connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionKind {
    /// A service's or client's own.
    Client,
    /// Another broker's.
    Leaf,
}

/// Who may connect, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name, for people: the server knows it by its key.
    pub name: String,
    /// Its public nkey.
    pub public_key: String,
    /// How it may connect.
    pub connection: ConnectionKind,
    /// What it may do.
    pub permissions: Permissions,
}

/// Where the brokers of edge sites connect to; both sides' certificates are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafPort {
    /// The port, on every address of the machine.
    pub port: u16,
    /// Its TLS files.
    pub tls: TlsFiles,
}

/// The hub that an edge site's broker connects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// `host:port` of its leaf port; several are tried in turn.
    pub addresses: Vec<String>,
    /// The seed of the site's key. It makes the configuration a secret.
    pub seed: String,
    /// The site's TLS files.
    pub tls: TlsFiles,
}

/// Who may do what, and how sites are joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Everyone who may connect.
    pub users: Vec<User>,
    /// TLS for clients that ask for it.
    pub tls: Option<TlsFiles>,
    /// For a hub.
    pub leafs: Option<LeafPort>,
    /// For an edge site.
    pub hub: Option<Hub>,
}

/// A server's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Its name, in logs and monitoring.
    pub name: String,
    /// Where clients connect to, on loopback: who wants more starts the server with `--addr`.
    pub port: u16,
    /// Its log; standard error without.
    pub log: Option<PathBuf>,
    /// Where JetStream keeps its files; without, nothing is stored here.
    pub store: Option<PathBuf>,
    /// Who may do what. Without, whoever reaches it may do everything: on loopback only.
    pub access: Option<Access>,
}

impl Configuration {
    /// The file's text.
    pub fn text(&self) -> String {
        let mut lines = Lines::default();
        lines.set("listen", json!(format!("127.0.0.1:{}", self.port)));
        lines.set("server_name", json!(self.name));
        lines.set("max_payload", json!(GREATEST_MESSAGE.0));
        lines.set("max_pending", json!(MAX_PENDING));
        if let Some(log) = &self.log {
            lines.set("log_file", path(log));
        }
        if let Some(store) = &self.store {
            lines.set("jetstream", json!({ "store_dir": path(store) }));
        }
        if let Some(access) = &self.access {
            access.write(&mut lines, self.store.is_some());
        }
        lines.0
    }
}

impl Access {
    fn write(&self, lines: &mut Lines, stores: bool) {
        lines.set("ping_interval", json!(PING_INTERVAL));
        lines.set("ping_max", json!(2));
        lines.set("max_connections", json!(MAX_CONNECTIONS));
        lines.set("max_subscriptions", json!(MAX_SUBSCRIPTIONS));
        lines.set("authorization", json!({ "timeout": AUTHORIZATION_TIMEOUT_S }));
        if let Some(files) = &self.tls {
            let mut tls = tls(files);
            // On loopback a service needs none; one that names an authority refuses to go without.
            tls["verify"] = json!(false);
            lines.set("tls", tls);
            lines.set("allow_non_tls", json!(true));
        }
        lines.line(format_args!("accounts: {{\n  {SYSTEM_ACCOUNT}: {{}}\n  {ACCOUNT}: {{"));
        if stores {
            lines.line(format_args!("    jetstream: enabled"));
        }
        lines.line(format_args!("    users: ["));
        for user in &self.users {
            lines.line(format_args!("      # {}\n      {}", user.name, user.value()));
        }
        lines.line(format_args!("    ]\n  }}\n}}"));
        lines.set("system_account", json!(SYSTEM_ACCOUNT));
        // One side stores, the other's questions to its stores cross: the server would keep them apart otherwise.
        lines.set("default_js_domain", json!({ ACCOUNT: "" }));
        if let Some(port) = &self.leafs {
            let mut tls = tls(&port.tls);
            tls["verify"] = json!(true);
            tls["handshake_first"] = json!(true);
            let leafs =
                json!({ "listen": format!("0.0.0.0:{}", port.port), "no_advertise": true, "tls": tls });
            lines.set("leafnodes", leafs);
        }
        if let Some(hub) = &self.hub {
            lines.set("leafnodes", json!({ "reconnect": LEAF_RECONNECT, "remotes": [hub.value()] }));
        }
    }
}

impl Hub {
    fn value(&self) -> Value {
        let mut tls = tls(&self.tls);
        tls["handshake_first"] = json!(true);
        json!({
            "urls": self.addresses.iter().map(|address| format!("tls://{address}")).collect::<Vec<_>>(),
            "account": ACCOUNT,
            "nkey": self.seed,
            "tls": tls,
            // What does not shrink is not worth the edge's energy, and a hub's advertised address may not be ours.
            "compression": "off",
            "ignore_discovered_servers": true,
        })
    }
}

impl User {
    fn value(&self) -> Value {
        let Permissions { publish, subscribe, responses } = &self.permissions;
        let texts = |subjects: &[Subject]| subjects.iter().map(Subject::to_string).collect::<Vec<_>>();
        let rule = |subjects: &[Subject]| match subjects {
            // An empty list of what is allowed would allow everything.
            [] => json!({ "deny": [">"] }),
            _ => json!({ "allow": texts(subjects) }),
        };
        let mut permissions = json!({ "publish": rule(publish), "subscribe": rule(subscribe) });
        if let Some(Responses { most, within_s }) = responses {
            permissions["allow_responses"] = json!({ "max": most, "expires": format!("{within_s}s") });
        }
        let connection = match self.connection {
            ConnectionKind::Client => "STANDARD",
            ConnectionKind::Leaf => "LEAFNODE",
        };
        json!({
            "nkey": self.public_key,
            "allowed_connection_types": [connection],
            "permissions": permissions,
        })
    }
}

fn tls(files: &TlsFiles) -> Value {
    json!({
        "ca_file": path(&files.authority),
        "cert_file": path(&files.certificate),
        "key_file": path(&files.key),
        "timeout": TLS_TIMEOUT_S,
    })
}

fn path(path: &Path) -> Value {
    Value::from(path.to_string_lossy())
}

/// Lines `key: value`; a value is JSON, of which the server's language is a superset.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn set(&mut self, key: &str, value: Value) {
        self.line(format_args!("{key}: {value}"));
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _infallible = writeln!(self.0, "{text}");
    }
}
