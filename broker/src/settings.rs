use std::path::PathBuf;

use serde::Deserialize;

/// Where the broker is and who we are to it: table `[broker]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerSettings {
    /// Address, such as `nats://127.0.0.1:4222`. User and password in it are refused: they end up in logs, and
    /// the client library ignores them.
    pub url: String,
    /// A credentials file (JWT and seed).
    pub credentials_file: Option<PathBuf>,
    /// A file that holds an nkey seed.
    pub nkey_seed_file: Option<PathBuf>,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        Self { url: "nats://127.0.0.1:4222".into(), credentials_file: None, nkey_seed_file: None }
    }
}
