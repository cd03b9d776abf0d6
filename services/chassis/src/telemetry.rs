use std::net::SocketAddr;

use schemas::Share;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// Table `[telemetry]` of the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// What is logged, such as `info` or `warn,broker=debug`.
    pub filter: String,
    /// For whom.
    pub format: LogFormat,
    /// Where `/metrics`, `/livez` and `/readyz` are served; port 0 takes a free one, and nothing is served without it. Who
    /// reaches it reads them: there is no authentication here.
    pub metrics_address: Option<SocketAddr>,
    /// The OTLP collector that spans go to by HTTP, such as `http://127.0.0.1:4318`; nothing is recorded without it.
    pub otlp_endpoint: Option<String>,
    /// The share of the traces begun here that is recorded. One that a client begins is recorded if the client says so.
    pub trace_share: Share,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        // The client library logs each connection event that the broker crate logs too.
        Self {
            filter: "info,async_nats=off".into(),
            format: LogFormat::Human,
            metrics_address: None,
            otlp_endpoint: None,
            trace_share: Share::saturating(1.0),
        }
    }
}

/// For whom logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// A filter that does not parse.
    #[error("the setting telemetry.filter cannot be used: {0}")]
    Filter(String),
    /// Something else in this process logs already.
    #[error("logging is set up already")]
    AlreadySetUp,
}

/// Logs to standard error from now on.
pub fn telemetry(settings: &TelemetrySettings) -> Result<(), TelemetryError> {
    let filter =
        EnvFilter::try_new(&settings.filter).map_err(|error| TelemetryError::Filter(error.to_string()))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set_up = match settings.format {
        LogFormat::Human => logs.finish().try_init(),
        LogFormat::Json => logs.json().finish().try_init(),
    };
    set_up.map_err(|_| TelemetryError::AlreadySetUp)
}
