//! Why the optimizer does not start.

use broker::BrokerError;

/// Why the optimizer does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting out of range.
    #[error("the optimizer cannot start")]
    Settings(#[from] chassis::SettingsError),
    /// The broker does not let it.
    #[error("the optimizer failed at {step}")]
    Broker {
        /// What it was doing.
        step: &'static str,
        /// Why.
        source: BrokerError,
    },
}
