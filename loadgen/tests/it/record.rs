use std::time::Duration;

use broker::subjects;
use loadgen::Trace;
use schemas::{
    ByteCount, FaultKind, Millis, ModelName, NodeId, Outcome, Qos, Receipt, RequestId, UnixMillis,
};
use testkit::TestServer;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::program::{Place, start};

const PATIENCE: Duration = Duration::from_secs(60);

fn receipt(model: &str, at: u64, limit: Option<f64>) -> Receipt {
    Receipt {
        id: RequestId::fresh(),
        model: ModelName::new(model).unwrap(),
        outcome: Outcome::Failed(FaultKind::Internal),
        qos: limit.map(|limit| Qos {
            least_cut: Some(schemas::Cut(2)),
            ..Qos::within(Millis::new(limit).unwrap())
        }),
        latency_ms: Millis::ZERO,
        planned: None,
        predicted_latency_ms: None,
        predicted_energy_j: None,
        executed: None,
        fallback: None,
        policy: None,
        reason: None,
        front: None,
        edge: None,
        cloud: None,
        sent_bytes: ByteCount(0),
        stages: Vec::new(),
        energy: Vec::new(),
        breakdown: Vec::new(),
        node: NodeId::new("site").unwrap(),
        at: UnixMillis(at),
    }
}

#[tokio::test]
async fn receipts_become_a_trace_by_arrival() {
    let (place, server) = (Place::new(), TestServer::start().await.unwrap());
    let bus = server.connect("test").await.unwrap();
    let url = server.url();
    let arguments = ["record", "-o", "traffic.csv", "--requests", "3", "--json", "--broker", &url];
    let mut running = start(&place, &arguments);
    let mut told = BufReader::new(running.stderr.take().unwrap()).lines();
    let line = timeout(PATIENCE, told.next_line()).await.unwrap().unwrap().unwrap();
    assert!(line.contains("recording"), "{line}");
    // In the order in which they ended, which is not that in which they arrived.
    for receipt in [
        receipt("a", 1_700_000_000_250, Some(80.0)),
        receipt("b", 1_700_000_000_000, None),
        receipt("b", 1_700_000_000_100, Some(300.5)),
        receipt("a", 1_700_000_000_400, Some(90.0)),
    ] {
        let body = schemas::encode(&receipt).unwrap();
        bus.publish(subjects::receipt(&receipt.model), body).await.unwrap();
    }
    let ended = timeout(PATIENCE, running.wait_with_output()).await.unwrap().unwrap();
    assert!(ended.status.success());
    let said: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(said, serde_json::json!({"requests": 3, "without_limit": 1, "unreadable": 0}));
    let trace = Trace::read(&place.path("traffic.csv")).unwrap();
    let rows: Vec<_> = trace
        .requests()
        .iter()
        .map(|request| (request.at.unwrap().get(), request.model.to_string(), request.qos.latency_ms.get()))
        .collect();
    let row = |at, model: &str, limit| (at, model.to_owned(), limit);
    assert_eq!(rows, [row(0.0, "b", 300.5), row(150.0, "a", 80.0), row(300.0, "a", 90.0)]);
    assert_eq!(trace.requests()[0].qos.least_cut, Some(schemas::Cut(2)));
}
