//! Who we are to the broker and how we know it: files of the settings, looked at before anything is connected.

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_nats::rustls::pki_types::UnixTime;
use async_nats::rustls::{AlertDescription, CertificateError, Error as TlsError};
use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions};
use x509_parser::pem::Pem;
use x509_parser::time::ASN1Time;

use crate::error::BrokerError;
use crate::settings::BrokerSettings;

/// What the settings say of us, read and checked.
pub(crate) struct Credentials<'a> {
    settings: &'a BrokerSettings,
    /// The token that our inboxes begin with.
    pub(crate) user: String,
    seed: Option<Seed>,
    jwt: Option<String>,
}

struct Seed {
    text: String,
    public_key: String,
    path: PathBuf,
}

impl<'a> Credentials<'a> {
    /// Reads what the settings name; `name` is who we are where they do not say so.
    pub(crate) fn read(settings: &'a BrokerSettings, name: &str) -> Result<Self, BrokerError> {
        let user = settings.user.clone().unwrap_or_else(|| name.to_owned());
        if user.is_empty() || !user.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(BrokerError::Settings(format!("user = {user:?}: use letters, digits, - and _")));
        }
        let files = [&settings.credentials_file, &settings.nkey_seed_file, &settings.keys_dir];
        if files.iter().filter(|file| file.is_some()).count() > 1 {
            let problem =
                "credentials_file, nkey_seed_file and keys_dir: one of them says who we are, not several";
            return Err(BrokerError::Settings(problem.into()));
        }
        if settings.tls_certificate_file.is_some() != settings.tls_key_file.is_some() {
            return Err(BrokerError::Settings(
                "tls_certificate_file and tls_key_file belong together".into(),
            ));
        }
        let seed = match (&settings.nkey_seed_file, &settings.keys_dir) {
            (Some(path), _) => Some(Seed::read(path, "nkey_seed_file")?),
            (None, Some(folder)) => Some(Seed::read(&folder.join(format!("{user}.nk")), "keys_dir")?),
            (None, None) => None,
        };
        let read = |path| secret(path, "credentials_file");
        let jwt = settings.credentials_file.as_deref().map(read).transpose()?;
        let certificates = [
            (&settings.tls_ca_file, "tls_ca_file"),
            (&settings.tls_certificate_file, "tls_certificate_file"),
        ];
        for (file, setting) in certificates {
            file.as_deref().map_or(Ok(()), |file| check_certificate(file, setting))?;
        }
        if let Some(key) = &settings.tls_key_file {
            secret(key, "tls_key_file")?;
        }
        Ok(Self { settings, user, seed, jwt })
    }

    /// How to connect as us.
    pub(crate) fn options(&self) -> Result<ConnectOptions, BrokerError> {
        let mut options = match (&self.seed, &self.jwt) {
            (Some(seed), _) => ConnectOptions::with_nkey(seed.text.clone()),
            (None, Some(jwt)) => ConnectOptions::with_credentials(jwt).map_err(|source| {
                let path = self.settings.credentials_file.clone().unwrap_or_default();
                BrokerError::UnreadableCredentials { path, source }
            })?,
            (None, None) => ConnectOptions::new(),
        };
        if let Some(authority) = &self.settings.tls_ca_file {
            options = options.add_root_certificates(authority.clone()).require_tls(true);
        }
        if let (Some(certificate), Some(key)) =
            (&self.settings.tls_certificate_file, &self.settings.tls_key_file)
        {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        Ok(options)
    }

    /// Why trying again is of no use: the broker refuses us, or we it. `None` where it may come right.
    pub(crate) fn refusal(&self, error: &ConnectError) -> Option<BrokerError> {
        let url = self.settings.url.clone();
        match (error.kind(), tls_error(error)) {
            (ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication, _) => {
                Some(BrokerError::Refused { url, who: self.to_string() })
            }
            (_, Some(error)) => Some(BrokerError::Tls { url, problem: self.explain(error) }),
            _ => None,
        }
    }

    fn explain(&self, error: &TlsError) -> String {
        let authority = self.settings.tls_ca_file.as_deref().unwrap_or(Path::new("the system's authorities"));
        match error {
            TlsError::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => {
                format!("{} did not sign its certificate: set [broker] tls_ca_file", authority.display())
            }
            TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => "its certificate is not for that host: `splinter keys --hub-host HOST` makes one that is"
                .into(),
            TlsError::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }) => {
                let ended = moment(*not_after).map(|ended| format!(" on {ended}")).unwrap_or_default();
                format!("its certificate expired{ended}: `splinter keys` renews it, reload the broker then")
            }
            TlsError::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }) => {
                let begins =
                    moment(*not_before).map(|begins| format!(" from {begins} on")).unwrap_or_default();
                format!("its certificate is valid{begins}: check the clocks of both machines")
            }
            TlsError::AlertReceived(AlertDescription::CertificateRequired) => {
                "it asks for our certificate: set [broker] tls_certificate_file and tls_key_file".into()
            }
            other => other.to_string(),
        }
    }
}

/// A moment of the TLS library; `None` where it is none of a calendar's.
fn moment(time: UnixTime) -> Option<ASN1Time> {
    i64::try_from(time.as_secs()).ok().and_then(|seconds| ASN1Time::from_timestamp(seconds).ok())
}

impl std::fmt::Display for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.seed, &self.settings.credentials_file) {
            (Some(Seed { public_key, path, .. }), _) => {
                write!(f, "user {} with the key {public_key} of {}", self.user, path.display())
            }
            (None, Some(path)) => write!(f, "user {} with {}", self.user, path.display()),
            (None, None) => {
                write!(f, "user {} without a key ([broker] nkey_seed_file or --nkey names one)", self.user)
            }
        }
    }
}

impl Seed {
    fn read(path: &Path, setting: &'static str) -> Result<Self, BrokerError> {
        let text = secret(path, setting)?.trim().to_owned();
        let unfit = |_| BrokerError::Unfit { path: path.to_owned(), what: "nkey seed (SU...)" };
        let public_key = nkeys::KeyPair::from_seed(&text).map_err(unfit)?.public_key();
        Ok(Self { text, public_key, path: path.to_owned() })
    }
}

fn read(path: &Path, setting: &'static str) -> Result<String, BrokerError> {
    fs::read_to_string(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => BrokerError::MissingFile { path: path.to_owned(), setting },
        _ => BrokerError::UnreadableCredentials { path: path.to_owned(), source },
    })
}

/// Reads a file that only its owner and their group may read.
fn secret(path: &Path, setting: &'static str) -> Result<String, BrokerError> {
    use std::os::unix::fs::PermissionsExt;
    let text = read(path, setting)?;
    let unreadable = |source| BrokerError::UnreadableCredentials { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o004 != 0 {
        return Err(BrokerError::OpenToEveryone { path: path.to_owned(), mode });
    }
    Ok(text)
}

fn check_certificate(path: &Path, setting: &'static str) -> Result<(), BrokerError> {
    let text = read(path, setting)?;
    let unfit = || BrokerError::Unfit { path: path.to_owned(), what: "certificate (PEM)" };
    let (begins, ends) = all_valid(text.as_bytes()).ok_or_else(unfit)?;
    let (path, now) = (path.to_owned(), ASN1Time::now());
    if ends <= now {
        return Err(BrokerError::Expired { path, ended: ends.to_string() });
    }
    if now < begins {
        return Err(BrokerError::NotYetValid { path, begins: begins.to_string() });
    }
    Ok(())
}

/// From when on and until when all of some certificates in PEM are valid; `None` where there is none, or one that cannot be
/// read.
fn all_valid(pem: &[u8]) -> Option<(ASN1Time, ASN1Time)> {
    let times = Pem::iter_from_buffer(pem).map(|pem| {
        let pem = pem.ok()?;
        let validity = pem.parse_x509().ok()?.validity().clone();
        Some((validity.not_before, validity.not_after))
    });
    let (begins, ends): (Vec<_>, Vec<_>) = times.collect::<Option<Vec<_>>>()?.into_iter().unzip();
    Some((begins.into_iter().max()?, ends.into_iter().min()?))
}

/// The TLS library's own error, where that is what went wrong.
fn tls_error(error: &ConnectError) -> Option<&TlsError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<TlsError>() {
            return Some(found);
        }
        // An error of input and output hides the one that it holds from `source`.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}
