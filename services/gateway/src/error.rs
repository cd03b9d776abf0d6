//! Why the gateway does not start.

use std::net::SocketAddr;

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting out of range.
    #[error("setting gateway.{name} = {value} is out of range: use a value between {least} and {greatest}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The least value it takes.
        least: f64,
        /// The greatest value it takes.
        greatest: f64,
    },
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
    #[error("the gateway cannot start on the broker")]
    Broker(#[source] std::io::Error),
}
