//! What is wrong with our own files or the broker is said at once, in one line, with what to do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use broker::server::LocalServer;
use broker::{BrokerError, BrokerSettings, Bus};
use keys::{Authority, Member, Place};
use time::OffsetDateTime;

use crate::deployment::{Broker, Folder};

/// Connects as a client and gives the error's text, its causes included.
async fn error(settings: BrokerSettings) -> (BrokerError, String) {
    let begun = Instant::now();
    let error = Bus::connect(&settings, "client").await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "it takes {:?}", begun.elapsed());
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let text = format!("{error}{cause}");
    assert!(!text.contains('\n'), "{text}");
    (error, text)
}

struct Site {
    folder: Folder,
    edge: Broker,
}

impl Site {
    async fn start() -> Self {
        let folder = Folder::make().unwrap();
        let edge = folder.start(Place::Edge).await.unwrap();
        Self { folder, edge }
    }

    fn settings(&self) -> BrokerSettings {
        BrokerSettings {
            url: self.edge.server.url(),
            keys_dir: Some(self.folder.file("services")),
            ..BrokerSettings::default()
        }
    }

    fn with_tls(&self) -> BrokerSettings {
        BrokerSettings { tls_ca_file: Some(self.folder.file("ca/ca.pem")), ..self.settings() }
    }
}

#[tokio::test]
async fn a_folder_of_keys_and_tls_are_all_that_a_client_needs() {
    let site = Site::start().await;
    for settings in [site.settings(), site.with_tls()] {
        let bus = Bus::connect(&settings, "client").await.unwrap();
        assert!(bus.is_connected());
    }
}

#[tokio::test]
async fn keys_that_cannot_be_used() {
    let site = Site::start().await;
    let seed = site.folder.file("services/client.nk");
    let with =
        |path: PathBuf| BrokerSettings { keys_dir: None, nkey_seed_file: Some(path), ..site.settings() };

    let (_, text) = error(with(site.folder.file("services/nobody.nk"))).await;
    assert!(
        text.contains("nobody.nk") && text.contains("nkey_seed_file") && text.contains("splinter keys"),
        "{text}"
    );

    fs::set_permissions(&seed, Permissions::from_mode(0o644)).unwrap();
    let (_, text) = error(site.settings()).await;
    assert!(text.contains("client.nk") && text.contains("0644") && text.contains("chmod 600"), "{text}");
    fs::set_permissions(&seed, Permissions::from_mode(0o640)).unwrap();
    Bus::connect(&site.settings(), "client").await.unwrap();

    let (found, text) = error(with(site.folder.file("services"))).await;
    assert!(matches!(found, BrokerError::UnreadableCredentials { .. }), "{text}");

    let garbage = site.folder.file("garbage.nk");
    fs::write(&garbage, "SUNOTHING").unwrap();
    fs::set_permissions(&garbage, Permissions::from_mode(0o600)).unwrap();
    let (_, text) = error(with(garbage)).await;
    assert!(text.contains("garbage.nk") && text.contains("no nkey seed"), "{text}");

    let (_, text) = error(BrokerSettings { nkey_seed_file: Some(seed), ..site.settings() }).await;
    assert!(text.contains("keys_dir") && text.contains("nkey_seed_file"), "{text}");

    let (_, text) = error(BrokerSettings { keys_dir: None, ..site.settings() }).await;
    assert!(text.contains("without a key") && text.contains(&site.edge.server.url()), "{text}");

    let (_, text) = error(BrokerSettings { user: Some("a.b".into()), ..site.settings() }).await;
    assert!(text.contains("a.b"), "{text}");
}

#[tokio::test]
async fn certificates_that_cannot_be_used() {
    let site = Site::start().await;
    let now = OffsetDateTime::now_utc();
    let over = (now - time::Duration::days(9), now - time::Duration::days(1));
    let expired = site.folder.authority().issue_for("client", &[], over).unwrap();
    let (certificate, key) = (site.folder.file("old.pem"), site.folder.file("old-key.pem"));
    fs::write(&certificate, &expired.certificate).unwrap();
    fs::write(&key, &expired.key).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let own = BrokerSettings {
        tls_certificate_file: Some(certificate.clone()),
        tls_key_file: Some(key.clone()),
        ..site.with_tls()
    };
    let (found, text) = error(own.clone()).await;
    assert!(matches!(found, BrokerError::Expired { .. }), "{text}");
    let year = (now - time::Duration::days(1)).year().to_string();
    assert!(text.contains("old.pem") && text.contains(&year) && text.contains("splinter keys"), "{text}");

    let early = (now + time::Duration::days(1), now + time::Duration::days(9));
    let early = site.folder.authority().issue_for("client", &[], early).unwrap();
    fs::write(&certificate, &early.certificate).unwrap();
    let (found, text) = error(own.clone()).await;
    assert!(matches!(found, BrokerError::NotYetValid { .. }), "{text}");
    let year = (now + time::Duration::days(1)).year().to_string();
    assert!(text.contains("old.pem") && text.contains(&year) && text.contains("clock"), "{text}");

    let (_, text) = error(BrokerSettings { tls_key_file: None, ..own.clone() }).await;
    assert!(text.contains("belong together"), "{text}");

    let (_, text) = error(BrokerSettings { tls_ca_file: Some(key), ..site.settings() }).await;
    assert!(text.contains("old-key.pem"), "{text}");

    let other = Authority::make().unwrap();
    let file = site.folder.file("other.pem");
    fs::write(&file, other.certificate).unwrap();
    let (found, text) = error(BrokerSettings { tls_ca_file: Some(file), ..site.settings() }).await;
    assert!(matches!(found, BrokerError::Tls { .. }), "{text}");
    assert!(text.contains("other.pem") && text.contains("tls_ca_file"), "{text}");
}

#[tokio::test]
async fn a_brokers_own_certificate_out_of_its_time_is_named_with_its_date() {
    let now = OffsetDateTime::now_utc();
    let day = |days| now + time::Duration::days(days);
    for (from, to, says, date, remedy) in [
        (day(-9), day(-1), "expired", day(-1), "splinter keys"),
        (day(1), day(9), "valid from", day(1), "clocks"),
    ] {
        let folder = Folder::make().unwrap();
        let issued = folder.authority().issue_for("edge", &[], (from, to)).unwrap();
        folder.put_certificate(Place::Edge, &issued);
        let edge = folder.start(Place::Edge).await.unwrap();
        let site = Site { folder, edge };
        let (found, text) = error(site.with_tls()).await;
        assert!(matches!(found, BrokerError::Tls { .. }), "{text}");
        let year = date.year().to_string();
        assert!(text.contains(says) && text.contains(&year) && text.contains(remedy), "{text}");
    }
}

/// Whoever connects to the hub finds that it takes less than the edge would send it.
#[tokio::test]
async fn a_broker_that_takes_small_messages_is_refused_at_the_hub_as_at_the_edge() {
    for place in Place::ALL {
        let folder = Folder::make().unwrap();
        let configuration = folder.file(place.name()).join("nats.conf");
        let text = fs::read_to_string(&configuration).unwrap();
        let small = text.replace("max_payload: 16777216", "max_payload: 1048576");
        assert_ne!(text, small);
        fs::write(&configuration, small).unwrap();
        let broker = folder.start(place).await.unwrap();
        let settings = BrokerSettings {
            url: broker.server.url(),
            keys_dir: Some(folder.file("services")),
            ..BrokerSettings::default()
        };
        let (found, text) = error(settings).await;
        assert!(matches!(found, BrokerError::SmallMessages { .. }), "{text}");
        assert!(text.contains("max_payload: 16777216") && text.contains("hub"), "{text}");
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let site = Site::start().await;
    let data = tempfile::tempdir().unwrap();
    let port = site.edge.server.port();
    let started =
        LocalServer::start_configured(&site.folder.file("edge/nats.conf"), Some(port), data.path()).await;
    assert!(started.unwrap_err().to_string().contains(&port.to_string()));
}

#[test]
fn every_member_has_a_name_that_can_be_a_user() {
    for member in Member::ALL {
        assert!(member.name().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", member.name());
    }
}
