use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// Mid-2030, and the day after the certificates of these tests have ended.
const NOW: UnixMillis = UnixMillis(1_907_000_000_000);
const AFTER: UnixMillis = UnixMillis(2_208_988_800_000 + 86_400_000);

/// Writes a certificate that is valid until 2040, and gives its key.
fn renew_certificate(settings: &Settings) -> String {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (parameters.not_before, parameters.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2040, 1, 1));
    let certificate = parameters.self_signed(&key).unwrap().pem();
    fs::write(settings.tls_certificate_file.as_ref().unwrap(), certificate).unwrap();
    key.serialize_pem()
}

fn settings(folder: &Path) -> Settings {
    let file = |name: &str| -> Option<PathBuf> { Some(folder.join(name)) };
    Settings {
        tokens_file: file("tokens"),
        tls_certificate_file: file("certificate.pem"),
        tls_key_file: file("key.pem"),
        ..Settings::default()
    }
}

#[test]
fn a_certificate_without_its_key_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let key_file = settings.tls_key_file.clone().unwrap();
    fs::write(&key_file, renew_certificate(&settings)).unwrap();
    let first = settings.tls(NOW).unwrap();
    let (mut in_use, now) = InUse::new("the certificate", first.clone());
    assert_eq!(in_use.renew(settings.tls(NOW)), Renewal::Same);

    let key = renew_certificate(&settings);
    assert_eq!(in_use.renew(settings.tls(NOW)), Renewal::Refused);
    assert!(*now.borrow() == first, "what was read before stays in use");
    fs::write(&key_file, key).unwrap();
    assert_eq!(in_use.renew(settings.tls(NOW)), Renewal::Taken);
    assert!(*now.borrow() != first);
    assert_eq!(in_use.renew(settings.tls(NOW)), Renewal::Same);
}

#[test]
fn that_the_certificate_in_use_has_run_out_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    fs::write(settings.tls_key_file.as_ref().unwrap(), renew_certificate(&settings)).unwrap();
    let (mut in_use, _now) = InUse::new("the certificate", settings.tls(NOW).unwrap());
    assert_eq!(in_use.renew(settings.tls(AFTER)), Renewal::Refused);
    let said = in_use.said.unwrap();
    assert!(said.contains("certificate.pem") && said.contains("expired on"), "{said}");
}

#[test]
fn each_problem_is_said_once_and_again_when_it_is_back() {
    let problem = |problem: &str| {
        Err(SettingsError::Unusable { setting: "gateway.tokens_file", problem: problem.to_owned() })
    };
    let (mut in_use, now) = InUse::new("tokens", 1);
    assert_eq!(in_use.renew(problem("it is empty")), Renewal::Refused);
    let said = in_use.said.clone();
    assert!(said.as_ref().is_some_and(|said| said.contains("it is empty")), "{said:?}");
    assert_eq!(in_use.renew(problem("it is empty")), Renewal::Refused);
    assert_eq!(in_use.said, said);
    assert_eq!((in_use.renew(Ok(1)), in_use.said.clone()), (Renewal::Same, None));
    assert_eq!((in_use.renew(Ok(2)), *now.borrow()), (Renewal::Taken, 2));
}
