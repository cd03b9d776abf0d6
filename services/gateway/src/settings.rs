//! The gateway's settings: table `[gateway]` of `splinter.toml`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chassis::{ServiceSettings, SettingsError};
use schemas::{ByteCount, Millis, ServiceKind};
use serde::Deserialize;

use crate::admission::Limits;

/// What may be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where HTTP listens; port 0 takes a free one. Loopback unless it is set otherwise: there is no
    /// authentication here.
    pub http: SocketAddr,
    /// Requests at once over NATS, and as many over HTTP; further ones are refused as overloaded.
    pub capacity: u32,
    /// The latency limit of a request that names none.
    pub default_latency_ms: Millis,
    /// The greatest latency limit that may be asked for, and the greatest time to a default deadline.
    pub greatest_latency_ms: Millis,
    /// The greatest body of an HTTP request; what one NATS message can carry is a limit besides.
    pub greatest_body_bytes: ByteCount,
    /// The greatest picture, in pixels.
    pub greatest_pixels: u64,
    /// How long a client may take to send the body of its HTTP request.
    pub body_timeout_ms: Millis,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            // More than the executors of one site take at once, so that it is they who say they are full.
            capacity: 64,
            default_latency_ms: Millis::saturating(1_000.0),
            greatest_latency_ms: Millis::saturating(60_000.0),
            greatest_body_bytes: ByteCount(16 * 1024 * 1024),
            // Decoded to RGB this is 150 MB, what an executor is ready to hold for one request.
            greatest_pixels: 50_000_000,
            body_timeout_ms: Millis::saturating(10_000.0),
        }
    }
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::Gateway;

    fn check(&self) -> Result<(), SettingsError> {
        let check = SettingsError::check_range;
        let greatest_latency = self.greatest_latency_ms.get();
        check("gateway.capacity", f64::from(self.capacity), 1.0..=4096.0)?;
        check("gateway.greatest_latency_ms", greatest_latency, 1.0..=3_600_000.0)?;
        check("gateway.default_latency_ms", self.default_latency_ms.get(), 1.0..=greatest_latency)?;
        // The greatest message a broker accepts is 64 MB.
        check("gateway.greatest_body_bytes", self.greatest_body_bytes.0 as f64, 1024.0..=67_108_864.0)?;
        check("gateway.greatest_pixels", self.greatest_pixels as f64, 1.0..=1e9)?;
        check("gateway.body_timeout_ms", self.body_timeout_ms.get(), 1.0..=600_000.0)
    }
}

impl Settings {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            default_latency: self.default_latency_ms,
            greatest_latency: self.greatest_latency_ms,
            greatest_pixels: self.greatest_pixels,
        }
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        self.body_timeout_ms.to_duration()
    }
}

#[cfg(test)]
mod tests {
    use chassis::ServiceSettings;
    use schemas::Millis;

    use super::Settings;

    #[test]
    fn the_defaults_are_in_range() {
        Settings::default().check().unwrap();
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let broken = [
            ("capacity", Settings { capacity: 0, ..Settings::default() }),
            ("default_latency_ms", Settings { default_latency_ms: Millis::ZERO, ..Settings::default() }),
            (
                "default_latency_ms",
                Settings { default_latency_ms: Millis::saturating(60_001.0), ..Settings::default() },
            ),
            ("greatest_pixels", Settings { greatest_pixels: 0, ..Settings::default() }),
            ("body_timeout_ms", Settings { body_timeout_ms: Millis::ZERO, ..Settings::default() }),
        ];
        for (name, settings) in broken {
            let message = settings.check().unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("between"), "{message}");
        }
    }
}
