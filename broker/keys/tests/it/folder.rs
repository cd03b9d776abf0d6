//! What is in the folder, who may read it, and what stays.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use keys::{Authority, Change, KeysError, Member, Place, Report, Request, Rotation};

use crate::deployment::GATEWAY;

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn with(report: &Report, change: Change) -> Vec<&str> {
    report.files.iter().filter(|entry| entry.change == change).map(|entry| entry.file.as_str()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn everything_is_there_and_secrets_are_their_owners() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("keys");
    let report = keys::make(&place, &Request::default()).unwrap();
    let files = contents(&place);
    let mut listed: Vec<&str> = report.files.iter().map(|entry| entry.file.as_str()).collect();
    listed.sort_unstable();
    assert_eq!(
        listed,
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        "the report lists every file once"
    );
    for name in
        ["hub/nats.conf", "edge/nats.conf", "hub/hub.pem", "edge/ca.pem", "services/client.nk", "README"]
    {
        assert!(files.contains_key(name), "{name}");
    }
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        let is_seed = |word: &str| nkeys::KeyPair::from_seed(word).is_ok();
        let is_secret = text.contains("PRIVATE KEY") || text.split(['"', '\n']).any(is_seed);
        if is_secret {
            assert_eq!(mode(&place.join(name)), 0o600, "{name}");
        }
    }
    assert_eq!(mode(&place.join("edge/nats.conf")), 0o600, "it holds the site's key");
    for folder in ["", "ca", "hub", "edge", "edge/data", "services"] {
        assert_eq!(mode(&place.join(folder)), 0o700, "{folder}");
    }
    let readme = String::from_utf8_lossy(&files["README"]).into_owned();
    for member in Member::ALL {
        let seed = String::from_utf8_lossy(&files[&format!("services/{}.nk", member.name())]).into_owned();
        let key = nkeys::KeyPair::from_seed(seed.trim()).unwrap();
        assert!(readme.contains(&key.public_key()) && !readme.contains(seed.trim()), "{}", member.name());
        for place in Place::ALL {
            let text = String::from_utf8_lossy(&files[&format!("{}/nats.conf", place.name())]).into_owned();
            assert_eq!(text.contains(&key.public_key()), member.is_known_at(place), "{}", member.name());
        }
    }
}

#[test]
fn made_again_it_keeps_what_is_there_and_rotates_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let hub_hosts = vec!["hub.example.org".to_owned(), "2001:db8::1".to_owned()];
    let request = Request { hub_hosts, leaf_port: Some(7_000), ..Request::default() };
    keys::make(folder.path(), &request).unwrap();
    let first = contents(folder.path());
    let edge = String::from_utf8_lossy(&first["edge/nats.conf"]).into_owned();
    assert!(
        edge.contains("tls://hub.example.org:7000") && edge.contains("tls://[2001:db8::1]:7000"),
        "{edge}"
    );

    let again = keys::make(folder.path(), &Request::default()).unwrap();
    assert_eq!((contents(folder.path()), again.next), (first.clone(), vec![]));
    assert!(again.files.iter().all(|entry| entry.change == Change::Kept));

    let rotate = vec![Rotation::Key(GATEWAY)];
    let rotated = keys::make(folder.path(), &Request { rotate, ..Request::default() }).unwrap();
    assert_eq!(with(&rotated, Change::Replaced), ["services/gateway.nk", "edge/nats.conf", "README"]);
    assert_eq!(rotated.next.len(), 2, "{:?}", rotated.next);

    let rotate = vec![Rotation::Certificate(Place::Hub)];
    let rotated = keys::make(folder.path(), &Request { rotate, ..Request::default() }).unwrap();
    assert_eq!(with(&rotated, Change::Replaced), ["hub/hub-key.pem", "hub/hub.pem"]);

    let moved = Request { hub_hosts: vec!["other.example.org".into()], ..Request::default() };
    let moved = keys::make(folder.path(), &moved).unwrap();
    let replaced = ["hub/hub-key.pem", "hub/hub.pem", "edge/nats.conf", "deployment.json", "README"];
    assert_eq!(with(&moved, Change::Replaced), replaced);

    let rotate = vec![Rotation::Authority];
    let rotated = keys::make(folder.path(), &Request { rotate, ..Request::default() }).unwrap();
    let replaced = with(&rotated, Change::Replaced);
    assert!(
        ["ca/ca.pem", "hub/ca.pem", "hub/hub.pem", "edge/edge.pem"]
            .iter()
            .all(|file| replaced.contains(file))
    );
    assert!(!replaced.contains(&"services/gateway.nk"));
}

#[test]
fn a_certificate_that_ends_soon_is_renewed_and_a_removed_file_made() {
    let folder = tempfile::tempdir().unwrap();
    keys::make(folder.path(), &Request::default()).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let authority = Authority::read(&read("ca/ca.pem"), &read("ca/ca-key.pem")).unwrap();
    let now = time::OffsetDateTime::now_utc();
    let soon = (now - time::Duration::days(300), now + time::Duration::days(59));
    let issued = authority.issue_for("edge", &[], soon).unwrap();
    fs::write(folder.path().join("edge/edge.pem"), issued.certificate).unwrap();
    fs::write(folder.path().join("edge/edge-key.pem"), issued.key).unwrap();
    fs::remove_file(folder.path().join("services/tuner.nk")).unwrap();
    let report = keys::make(folder.path(), &Request::default()).unwrap();
    assert_eq!(with(&report, Change::Made), ["services/tuner.nk"]);
    let replaced = ["edge/edge-key.pem", "edge/edge.pem", "edge/nats.conf", "README"];
    assert_eq!(with(&report, Change::Replaced), replaced);
}

#[test]
fn the_authoritys_key_may_lie_elsewhere_until_something_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    keys::make(folder.path(), &Request::default()).unwrap();
    fs::remove_file(folder.path().join("ca/ca-key.pem")).unwrap();
    keys::make(folder.path(), &Request::default()).unwrap();
    let rotate = vec![Rotation::Certificate(Place::Edge)];
    let error = keys::make(folder.path(), &Request { rotate, ..Request::default() }).unwrap_err();
    assert!(error.to_string().contains("ca-key.pem"), "{error}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("keys");
    for host in ["", "a b", "hub:4222", "-hub", "http://hub", "ä", &"x".repeat(64)] {
        let request = Request { hub_hosts: vec![host.to_owned()], ..Request::default() };
        let error = keys::make(&place, &request).unwrap_err();
        assert!(matches!(error, KeysError::Host { .. }), "{host}: {error}");
    }
    assert!(!place.exists());
    let error = "gatway".parse::<Rotation>().unwrap_err().to_string();
    assert!(error.contains("gatway") && error.contains("gateway") && error.contains("ca"), "{error}");

    keys::make(&place, &Request::default()).unwrap();
    fs::write(place.join("services/tuner.nk"), "nothing").unwrap();
    let error = keys::make(&place, &Request::default()).unwrap_err();
    assert!(matches!(error, KeysError::Unfit { .. }), "{error}");
    assert!(error.to_string().contains("tuner.nk"), "{error}");

    fs::write(folder.path().join("a file"), "").unwrap();
    let error = keys::make(&folder.path().join("a file"), &Request::default()).unwrap_err();
    assert!(matches!(error, KeysError::Write { .. }), "{error}");
}
