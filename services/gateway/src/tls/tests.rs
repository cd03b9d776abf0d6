use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use schemas::UnixMillis;
use tempfile::TempDir;

use super::read;

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    _folder: TempDir,
}

fn files(certificate: &str, key: &str) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    Files { certificate: write("c.pem", certificate), key: write("k.pem", key), _folder: folder }
}

/// A certificate of the years `from` to `to`, and its key.
fn made(from: i32, to: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Mid-2030.
const NOW: UnixMillis = UnixMillis(1_907_000_000_000);

#[test]
fn a_certificate_and_its_key_are_taken() {
    let (certificate, key) = made(2025, 2040);
    let files = files(&certificate, &key);
    read(&files.certificate, &files.key, NOW).map(drop).unwrap();
}

#[test]
fn what_cannot_be_used_is_refused_and_says_why() {
    let (good, key) = made(2025, 2040);
    let (_, other_key) = made(2025, 2040);
    let (expired, expired_key) = made(2020, 2029);
    let (early, early_key) = made(2035, 2040);
    let cases = [
        (expired.as_str(), expired_key.as_str(), "tls_certificate_file", "expired on"),
        (&early, &early_key, "tls_certificate_file", "check this machine's clock"),
        (&good, &other_key, "tls_key_file", "does not go with"),
        (&key, &key, "tls_certificate_file", "no certificate"),
        ("", &key, "tls_certificate_file", "no certificate"),
        (&good, &good, "tls_key_file", "no PEM key"),
    ];
    for (certificate, key, setting, says) in cases {
        let files = files(certificate, key);
        let problem = read(&files.certificate, &files.key, NOW).map(drop).unwrap_err();
        assert!(problem.setting.ends_with(setting) && problem.problem.contains(says), "{problem:?}");
    }
    let nowhere = PathBuf::from("/nowhere/c.pem");
    let problem = read(&nowhere, &nowhere, NOW).map(drop).unwrap_err();
    assert!(problem.problem.contains("/nowhere/c.pem"), "{problem:?}");
}
