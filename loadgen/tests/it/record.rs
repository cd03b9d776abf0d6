use std::io::Write;
use std::time::Duration;

use broker::{Bus, subjects};
use loadgen::{Trace, TraceRequest};
use schemas::{Cut, LimitKind, Millis, ModelName, NodeId, Qos, Receipt, RequestId, Share, UnixMillis};
use testkit::{TestServer, wait_for};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::program::{Place, run, start};

const PATIENCE: Duration = Duration::from_secs(60);

fn receipt(model: &str, at: u64, limit: Option<f64>) -> Receipt {
    Receipt {
        qos: limit.map(|limit| Qos {
            accuracy_floor: Share::new(0.5).ok(),
            least_cut: Some(Cut(2)),
            limit: LimitKind::Hard,
            energy_weight: Share::new(0.25).ok(),
            ..Qos::within(Millis::new(limit).unwrap())
        }),
        ..Receipt::opened(
            RequestId::fresh(),
            ModelName::new(model).unwrap(),
            NodeId::new("site").unwrap(),
            UnixMillis(at),
        )
    }
}

/// A recorder that follows what comes.
async fn recording(place: &Place, arguments: &[&str]) -> Child {
    let mut running = start(place, arguments);
    let mut told = BufReader::new(running.stderr.take().unwrap()).lines();
    let line = timeout(PATIENCE, told.next_line()).await.unwrap().unwrap().unwrap();
    assert!(line.contains("recording"), "{line}");
    running
}

async fn publish(bus: &Bus, receipts: impl IntoIterator<Item = Receipt>) {
    for receipt in receipts {
        let body = schemas::encode(&receipt).unwrap();
        bus.publish(subjects::receipt(&receipt.model), body).await.unwrap();
    }
}

/// Waits until so many requests are on the disk.
async fn written(place: &Place, expected: usize) {
    let partial = place.path("traffic.csv.partial");
    wait_for(PATIENCE, || {
        let count = std::fs::read_to_string(&partial).map_or(0, |text| text.lines().count());
        std::future::ready(if count == expected { Ok(()) } else { Err(format!("{count} lines")) })
    })
    .await
    .unwrap();
}

/// Time, network and limit of every request.
fn rows(place: &Place) -> Vec<(f64, String, f64)> {
    let trace = Trace::read(&place.path("traffic.csv")).unwrap();
    let row = |request: &TraceRequest| {
        (request.at.unwrap().get(), request.model.to_string(), request.qos.latency_ms.get())
    };
    trace.requests().iter().map(row).collect()
}

#[tokio::test]
async fn receipts_become_a_trace_by_arrival() {
    let (place, server) = (Place::new(), TestServer::start().await.unwrap());
    let bus = server.connect("test").await.unwrap();
    let url = server.url();
    let arguments = ["record", "-o", "traffic.csv", "--requests", "3", "--json", "--broker", &url];
    let running = recording(&place, &arguments).await;
    // In the order in which they ended, which is not that in which they arrived.
    let receipts = [
        receipt("a", 1_700_000_000_250, Some(80.0)),
        receipt("b", 1_700_000_000_000, None),
        receipt("b", 1_700_000_000_100, Some(300.5)),
        receipt("a", 1_700_000_000_400, Some(90.0)),
    ];
    publish(&bus, receipts).await;
    let ended = timeout(PATIENCE, running.wait_with_output()).await.unwrap().unwrap();
    assert!(ended.status.success());
    let said: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(said, serde_json::json!({"requests": 3, "without_limit": 1, "unreadable": 0}));
    let row = |at, model: &str, limit| (at, model.to_owned(), limit);
    assert_eq!(rows(&place), [row(0.0, "b", 300.5), row(150.0, "a", 80.0), row(300.0, "a", 90.0)]);
    let trace = Trace::read(&place.path("traffic.csv")).unwrap();
    let asked = receipt("b", 0, Some(300.5)).qos;
    assert_eq!(Some(trace.requests()[0].qos), asked, "all that a request may ask for");
}

/// A second of traffic, one request every 100 ms.
fn second() -> impl Iterator<Item = Receipt> {
    (0..10).map(|place| receipt("a", 1_700_000_000_000 + 100 * place, Some(80.0)))
}

#[tokio::test]
async fn a_killed_recorder_loses_nothing_and_leaves_no_trace() {
    let (place, server) = (Place::new(), TestServer::start().await.unwrap());
    let bus = server.connect("test").await.unwrap();
    let url = server.url();
    let arguments = ["record", "-o", "traffic.csv", "--broker", &url];
    let mut running = recording(&place, &arguments).await;
    publish(&bus, second()).await;
    written(&place, 10).await;
    assert!(!place.path("traffic.csv").exists());
    let (code, _, err) = run(&place, &["record", "-o", "traffic.csv", "--recover"]).await;
    assert_eq!((code, err.as_str()), (1, "error: traffic.csv.partial: that recording goes on\n"));
    running.kill().await.unwrap();

    // The kill may have torn the line that was being written.
    let partial = place.path("traffic.csv.partial");
    let mut file = std::fs::OpenOptions::new().append(true).open(&partial).unwrap();
    file.write_all(br#"{"at":1700000001000,"model":"a","qos":{"latency_ms":8"#).unwrap();
    for arguments in [&arguments[..], &["trace", "show", "traffic.csv.partial"]] {
        let (code, _, err) = run(&place, arguments).await;
        assert_eq!(code, 1);
        assert!(err.contains("`loadgen record --recover -o traffic.csv` makes a trace of it"), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
    let (code, out, err) = run(&place, &["record", "-o", "traffic.csv", "--recover", "--json"]).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap(), serde_json::json!({"requests": 10}));
    assert_eq!(rows(&place).last(), Some(&(900.0, "a".to_owned(), 80.0)));
    assert!(!partial.exists());
}

#[tokio::test]
async fn an_interrupted_recorder_writes_its_trace() {
    let (place, server) = (Place::new(), TestServer::start().await.unwrap());
    let bus = server.connect("test").await.unwrap();
    let running = recording(&place, &["record", "-o", "traffic.csv", "--broker", &server.url()]).await;
    publish(&bus, second()).await;
    written(&place, 10).await;
    let process = running.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &process]).status().await.unwrap().success());
    let ended = timeout(PATIENCE, running.wait_with_output()).await.unwrap().unwrap();
    assert!(ended.status.success());
    assert_eq!(rows(&place).len(), 10);
    assert!(!place.path("traffic.csv.partial").exists());
}

#[tokio::test]
async fn a_recorder_that_hears_nothing_leaves_nothing() {
    let (place, server) = (Place::new(), TestServer::start().await.unwrap());
    let arguments = ["record", "-o", "traffic.csv", "--duration-s", "0.01", "--broker", &server.url()];
    let (code, _, err) = run(&place, &arguments).await;
    assert_eq!(code, 1);
    assert!(err.contains("no request was recorded, so traffic.csv is not written"), "{err}");
    assert!(!place.path("traffic.csv").exists() && !place.path("traffic.csv.partial").exists());
}
