//! The private certificate authority and what it signs.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};
use x509_parser::pem::Pem;

use crate::error::KeysError;

/// How long the authority lasts: as long as a site may be left alone.
const AUTHORITY_DAYS: i64 = 3_650;

/// How long a broker's certificate lasts.
const CERTIFICATE_DAYS: i64 = 398;

/// A certificate that ends sooner is renewed when there is an opportunity.
const RENEWED_BEFORE_DAYS: i64 = 60;

/// Clocks of devices may be so far behind.
const CLOCK_SKEW: Duration = Duration::hours(24);

/// Names that every certificate has: a broker is asked by its own machine too.
const LOCAL_HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

/// A certificate and its key, in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Who signs.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority: its certificate and key.
    pub fn make() -> Result<Issued, KeysError> {
        let failed = |error: rcgen::Error| failed("certificate authority", &error);
        let key = KeyPair::generate().map_err(failed)?;
        // Two authorities are never of one name: who trusts the one says so of the other's certificates.
        let print: String =
            key.public_key_raw().iter().skip(1).take(8).map(|byte| format!("{byte:02x}")).collect();
        let mut params = params(&format!("Splinter authority {print}"), lasting(AUTHORITY_DAYS));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// The authority of a certificate and its key in PEM; `None` where they are not one.
    pub fn read(certificate: &str, key: &str) -> Option<Self> {
        let key = KeyPair::from_pem(key).ok()?;
        Some(Self { issuer: Issuer::from_ca_cert_pem(certificate, key).ok()? })
    }

    /// Signs a broker's certificate for its hosts and this machine. It serves for both ends of a connection.
    pub fn issue(&self, name: &str, hosts: &[String]) -> Result<Issued, KeysError> {
        self.issue_for(name, hosts, lasting(CERTIFICATE_DAYS))
    }

    /// As [`Authority::issue`], valid from one time to another.
    pub fn issue_for(
        &self,
        name: &str,
        hosts: &[String],
        (from, to): (OffsetDateTime, OffsetDateTime),
    ) -> Result<Issued, KeysError> {
        let failed = |error: rcgen::Error| failed(name, &error);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = params(&format!("Splinter {name}"), (from, to));
        for host in hosts.iter().map(String::as_str).chain(LOCAL_HOSTS) {
            params.subject_alt_names.push(host_name(host)?);
        }
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// Checks that a certificate can name the host.
pub fn host_name(host: &str) -> Result<rcgen::SanType, KeysError> {
    let wrong = || KeysError::Host { host: host.to_owned() };
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(rcgen::SanType::IpAddress(address));
    }
    let label = |label: &str| {
        let letters = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        (1..=63).contains(&label.len()) && letters && !label.starts_with('-') && !label.ends_with('-')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(wrong());
    }
    Ok(rcgen::SanType::DnsName(host.try_into().map_err(|_| wrong())?))
}

/// What a certificate says of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// When it ends.
    pub at: OffsetDateTime,
}

impl Ending {
    /// Reads a certificate in PEM; `None` where there is none.
    pub fn of(pem: &str) -> Option<Self> {
        let pem = Pem::iter_from_buffer(pem.as_bytes()).next()?.ok()?;
        let at = pem.parse_x509().ok()?.validity().not_after.to_datetime();
        Some(Self { at })
    }

    /// Whether it has ended, or will soon.
    pub fn is_near(self) -> bool {
        self.at <= OffsetDateTime::now_utc() + Duration::days(RENEWED_BEFORE_DAYS)
    }
}

fn lasting(days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now - CLOCK_SKEW, now + Duration::days(days))
}

fn params(name: &str, (from, to): (OffsetDateTime, OffsetDateTime)) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    params.distinguished_name = distinguished;
    params.not_before = from;
    params.not_after = to;
    params
}

fn failed(name: &str, error: &rcgen::Error) -> KeysError {
    KeysError::Certificate { name: name.to_owned(), reason: error.to_string() }
}

/// Whether a key in PEM is that of a certificate in PEM.
pub fn belongs_to(certificate: &str, key: &str) -> bool {
    let Some(Ok(pem)) = Pem::iter_from_buffer(certificate.as_bytes()).next() else { return false };
    let (Ok(certificate), Ok(key)) = (pem.parse_x509(), KeyPair::from_pem(key)) else { return false };
    certificate.public_key().subject_public_key.data.as_ref() == key.public_key_raw()
}
