//! The gateway's settings: table `[gateway]` of `splinter.toml`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chassis::{ServiceSettings, SettingsError};
use schemas::{ByteCount, Millis, ServiceKind, UnixMillis};
use serde::Deserialize;

use crate::admission::Limits;
use crate::tls;
use crate::tokens::Tokens;

/// What may be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where HTTP listens; port 0 takes a free one. Loopback unless it is set otherwise: without `tokens_file` anybody who
    /// reaches it may use the site.
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
    /// How long a client may take for TLS and to send the headers of a request, and stay idle between two.
    pub headers_timeout_ms: Millis,
    /// How long a client may take nothing of what is written to it.
    pub write_timeout_ms: Millis,
    /// HTTP connections at once; further ones are answered 503.
    pub connections: u32,
    /// HTTP connections at once of one address (an IPv6 network of 64 bits counts as one), so that no client shuts the others
    /// out. Behind a proxy all come from one address.
    pub connections_per_client: u32,
    /// Whether the page at `/` and its events at `/v1/events` are served.
    pub page: bool,
    /// Who may watch the events at once.
    pub event_streams: u32,
    /// A file of lines `<SHA-256 of a token> <name>`: whoever asks over HTTP must then show one of the tokens. This file
    /// and the next two are read again while the gateway runs: what was renewed is taken within seconds.
    pub tokens_file: Option<PathBuf>,
    /// A PEM file of the certificate, and those that signed it, that HTTP shows: it is then spoken over TLS.
    pub tls_certificate_file: Option<PathBuf>,
    /// A PEM file of the certificate's key.
    pub tls_key_file: Option<PathBuf>,
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
            headers_timeout_ms: Millis::saturating(30_000.0),
            write_timeout_ms: Millis::saturating(30_000.0),
            // Half of the 1024 files that a process may usually open.
            connections: 512,
            connections_per_client: 256,
            page: true,
            // Each may be behind by some hundred KB.
            event_streams: 32,
            tokens_file: None,
            tls_certificate_file: None,
            tls_key_file: None,
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
        check("gateway.body_timeout_ms", self.body_timeout_ms.get(), 1.0..=600_000.0)?;
        check("gateway.headers_timeout_ms", self.headers_timeout_ms.get(), 1.0..=600_000.0)?;
        check("gateway.write_timeout_ms", self.write_timeout_ms.get(), 1.0..=600_000.0)?;
        check("gateway.connections", f64::from(self.connections), 1.0..=16_384.0)?;
        let of_one = f64::from(self.connections_per_client);
        check("gateway.connections_per_client", of_one, 1.0..=16_384.0)?;
        check("gateway.event_streams", f64::from(self.event_streams), 1.0..=1_024.0)?;
        self.tokens()?;
        self.tls(UnixMillis::now()).map(drop)
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

    /// Reads the file of tokens; `None` where none is named.
    pub(crate) fn tokens(&self) -> Result<Option<Tokens>, SettingsError> {
        let Some(file) = &self.tokens_file else { return Ok(None) };
        let tokens = Tokens::read(file)
            .map_err(|problem| SettingsError::Unusable { setting: "gateway.tokens_file", problem })?;
        Ok(Some(tokens))
    }

    /// Reads the certificate and its key; `None` where none is named.
    pub(crate) fn tls(&self, now: UnixMillis) -> Result<Option<tls::Identity>, SettingsError> {
        let missing = |setting| SettingsError::Unusable {
            setting,
            problem: "TLS needs both tls_certificate_file and tls_key_file: set both or none".to_owned(),
        };
        match (&self.tls_certificate_file, &self.tls_key_file) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(missing("gateway.tls_key_file")),
            (None, Some(_)) => Err(missing("gateway.tls_certificate_file")),
            (Some(certificate), Some(key)) => {
                let unusable =
                    |tls::TlsProblem { setting, problem }| SettingsError::Unusable { setting, problem };
                tls::read(certificate, key, now).map(Some).map_err(unusable)
            }
        }
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
            ("headers_timeout_ms", Settings { headers_timeout_ms: Millis::ZERO, ..Settings::default() }),
            ("write_timeout_ms", Settings { write_timeout_ms: Millis::ZERO, ..Settings::default() }),
            ("connections", Settings { connections: 0, ..Settings::default() }),
            ("connections_per_client", Settings { connections_per_client: 0, ..Settings::default() }),
            ("event_streams", Settings { event_streams: 0, ..Settings::default() }),
        ];
        for (name, settings) in broken {
            let message = settings.check().unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("between"), "{message}");
        }
    }

    #[test]
    fn files_that_cannot_be_used_are_refused_by_name() {
        let nowhere = || Some("/nowhere/file".into());
        let broken = [
            ("gateway.tokens_file", Settings { tokens_file: nowhere(), ..Settings::default() }),
            ("gateway.tls_key_file", Settings { tls_certificate_file: nowhere(), ..Settings::default() }),
            ("gateway.tls_certificate_file", Settings { tls_key_file: nowhere(), ..Settings::default() }),
        ];
        for (name, settings) in broken {
            let message = settings.check().unwrap_err().to_string();
            assert!(message.contains(name) && !message.contains('\n'), "{message}");
        }
    }
}
