use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// Table `[telemetry]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// What is logged, such as `info` or `warn,broker=debug`.
    pub filter: String,
    /// For whom.
    pub format: LogFormat,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        // The client library logs each connection event that the broker crate logs too.
        Self { filter: "info,async_nats=off".into(), format: LogFormat::Human }
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
