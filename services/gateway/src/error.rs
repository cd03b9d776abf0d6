//! Why the gateway does not start.

use std::net::SocketAddr;

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting out of range.
    #[error("the gateway cannot start")]
    Settings(#[from] chassis::SettingsError),
    /// HTTP cannot listen there.
    #[error(
        "HTTP cannot listen on {address}: free the port or set gateway.http to another (port 0 takes a free one)"
    )]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The broker refused a subscription, a watch or the presence.
    #[error("the gateway failed at {step}")]
    Broker {
        /// What it was doing.
        step: &'static str,
        /// Why.
        source: broker::BrokerError,
    },
}
