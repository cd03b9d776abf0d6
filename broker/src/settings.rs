use std::path::PathBuf;

use serde::Deserialize;

/// Where the broker is and who we are to it: table `[broker]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerSettings {
    /// Address, such as `nats://127.0.0.1:4222`. User and password in it are refused: they end up in logs, and
    /// the client library ignores them.
    pub url: String,
    /// Who we are to it, one subject token: our inboxes are `_INBOX_<user>.>`. A service is its own kind by default, a
    /// command what its key file is named after.
    pub user: Option<String>,
    /// A credentials file (JWT and seed).
    pub credentials_file: Option<PathBuf>,
    /// A file that holds an nkey seed.
    pub nkey_seed_file: Option<PathBuf>,
    /// A folder of nkey seeds as `splinter keys` makes it: ours is `<user>.nk`. For several services in one process.
    pub keys_dir: Option<PathBuf>,
    /// The certificate authority that signed the broker's certificate (PEM). With it, nothing goes unencrypted.
    pub tls_ca_file: Option<PathBuf>,
    /// Our certificate (PEM), for brokers that ask for one.
    pub tls_certificate_file: Option<PathBuf>,
    /// Its key (PEM).
    pub tls_key_file: Option<PathBuf>,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        Self {
            url: "nats://127.0.0.1:4222".into(),
            user: None,
            credentials_file: None,
            nkey_seed_file: None,
            keys_dir: None,
            tls_ca_file: None,
            tls_certificate_file: None,
            tls_key_file: None,
        }
    }
}
