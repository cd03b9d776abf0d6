//! Brokers that we do not use.

use broker::server::LocalServer;
use broker::{BrokerError, BrokerSettings, Bus};
use testkit::TestServer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::{PATIENCE, model};

/// Answers one client as a server of some version does; gives its address.
async fn server_of_version(version: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reading, mut writing) = stream.into_split();
        let about = format!(
            r#"INFO {{"server_id":"s","version":"{version}","go":"","host":"127.0.0.1","port":{port},"headers":true,"max_payload":16777216,"proto":1}}"#
        );
        writing.write_all(format!("{about}\r\n").as_bytes()).await.unwrap();
        let mut lines = BufReader::new(reading).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.starts_with("PING") {
                writing.write_all(b"PONG\r\n").await.unwrap();
            }
        }
    });
    format!("nats://127.0.0.1:{port}")
}

#[tokio::test]
async fn one_that_is_too_old_is_refused_at_once_in_one_line() {
    let url = server_of_version("2.12.5").await;
    let settings = BrokerSettings { url: url.clone(), ..BrokerSettings::default() };
    let refused =
        timeout(PATIENCE, Bus::connect(&settings, "client")).await.expect("it tries again and again");
    let error = refused.unwrap_err();
    assert!(matches!(error, BrokerError::TooOld { .. }), "{error}");
    let text = error.to_string();
    let says = |what: &str| assert!(text.contains(what), "{text} does not say {what}");
    [&url, "2.12.5", "2.12.6 or newer"].into_iter().for_each(says);
    assert!(!text.contains('\n'), "{text}");
}

/// A broker that may store 64 KB stands for one whose disk is full: the container tests have that.
#[tokio::test]
async fn one_that_has_no_room_says_where_to_make_some() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("nats.conf");
    let text = format!(
        "max_payload: 16777216\njetstream {{ store_dir: {:?}, max_file_store: 65536 }}\n",
        folder.path().join("jetstream")
    );
    std::fs::write(&configuration, text).unwrap();
    let server = LocalServer::start_configured(&configuration, None, folder.path()).await.unwrap();
    let settings = BrokerSettings { url: server.url(), ..BrokerSettings::default() };
    let bus = Bus::connect(&settings, "client").await.unwrap();
    let store = bus.model_store().await.unwrap();
    let error = store.put(&model(), "model.onnx", vec![7; 1 << 20]).await.unwrap_err();
    assert!(matches!(error, BrokerError::NoRoom { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("storing a model") && text.contains("store_dir") && !text.contains('\n'), "{text}");
}

/// The device `/dev/full` takes what a full disk takes: nothing.
#[tokio::test]
async fn no_room_for_a_temporary_file_is_said_with_the_folder() {
    let server = TestServer::start().await.unwrap();
    let store = server.connect("client").await.unwrap().model_store().await.unwrap();
    store.put(&model(), "model.onnx", vec![7; 1 << 20]).await.unwrap();
    let Ok(mut full) = tokio::fs::OpenOptions::new().write(true).open("/dev/full").await else {
        eprintln!("SKIPPED: no /dev/full here");
        return;
    };
    let error = store.copy(&model(), "model.onnx", &mut full).await.unwrap_err();
    assert!(matches!(error, BrokerError::NoRoomHere { .. }), "{error}");
    assert!(error.to_string().contains("TMPDIR"), "{error}");
}
