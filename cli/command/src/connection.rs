//! Connecting to a running system.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use broker::{BrokerError, BrokerSettings, Bus};

use crate::arguments::BrokerArguments;

/// How long a command waits for an answer that a running system gives at once.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Connects as the program and command of this name, such as `splinter-infer`.
pub async fn connect(arguments: &BrokerArguments, name: &str) -> anyhow::Result<Bus> {
    let user = arguments.nkey.as_deref().and_then(Path::file_stem);
    let settings = BrokerSettings {
        url: arguments.broker.clone(),
        user: user.map(|user| user.to_string_lossy().into_owned()),
        nkey_seed_file: arguments.nkey.clone(),
        tls_ca_file: arguments.tls_ca.clone(),
        ..BrokerSettings::default()
    };
    let connecting = Bus::connect(&settings, name);
    let ended = tokio::time::timeout(PATIENCE, connecting).await;
    match ended.with_context(|| unreachable(&arguments.broker))? {
        // Where somebody answers, or our own files are wrong, the error says it all. An address with a password is not
        // repeated.
        Err(
            error @ (BrokerError::Refused { .. }
            | BrokerError::Tls { .. }
            | BrokerError::SmallMessages { .. }),
        ) => Err(error.into()),
        Err(error) if error.is_of_settings() => Err(error.into()),
        connected => connected.with_context(|| unreachable(&arguments.broker)),
    }
}

fn unreachable(url: &str) -> String {
    format!(
        "no broker answers at {url}: start the system with `splinter up`, or name its broker with --broker"
    )
}
