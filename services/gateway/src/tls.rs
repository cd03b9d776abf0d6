//! The certificate that HTTP shows, and its key.

use std::path::Path;
use std::sync::Arc;

use schemas::UnixMillis;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Certificates of a chain, at most; real ones have two or three.
const LONGEST_CHAIN: usize = 16;

/// A problem, and which of the two files has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsProblem {
    /// The setting that names the file.
    pub setting: &'static str,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

/// A certificate, those that signed it, and its key, ready to be shown.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    acceptor: TlsAcceptor,
}

impl Identity {
    /// Takes connections with it.
    pub fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

impl PartialEq for Identity {
    /// A certificate fits one key only: the same chain has the same key.
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain
    }
}

/// Reads a chain of certificates and the key of the first one, both PEM. Refuses a certificate that is not valid at `now`
/// and a key that is not its own.
pub fn read(certificate: &Path, key: &Path, now: UnixMillis) -> Result<Identity, TlsProblem> {
    let of_certificate = |problem: String| TlsProblem {
        setting: "gateway.tls_certificate_file",
        problem: format!("{}: {problem}", certificate.display()),
    };
    let of_key = |problem: String| TlsProblem {
        setting: "gateway.tls_key_file",
        problem: format!("{}: {problem}", key.display()),
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|chain| chain.take(LONGEST_CHAIN).collect::<Result<Vec<_>, _>>())
        .map_err(|error| of_certificate(format!("no PEM certificates can be read ({error})")))?;
    let Some(first) = chain.first() else {
        return Err(of_certificate("there is no certificate in it".to_owned()));
    };
    check_validity(first, now).map_err(of_certificate)?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| of_key(format!("no PEM key can be read ({error})")))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| of_certificate(format!("TLS cannot be set up ({error})")))?;
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain.clone(), key)
        .map_err(|error| of_key(format!("the key does not go with the certificate ({error})")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity { chain, acceptor: TlsAcceptor::from(Arc::new(config)) })
}

fn check_validity(certificate: &CertificateDer<'_>, now: UnixMillis) -> Result<(), String> {
    let (_, read) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|error| format!("the certificate cannot be read ({error})"))?;
    let seconds = i64::try_from(now.0 / 1_000).unwrap_or(i64::MAX);
    let validity = read.validity();
    if seconds > validity.not_after.timestamp() {
        return Err(format!("the certificate expired on {}: renew it", validity.not_after));
    }
    if seconds < validity.not_before.timestamp() {
        let begins = validity.not_before;
        return Err(format!("the certificate is valid from {begins} on: check this machine's clock"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
