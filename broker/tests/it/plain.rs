//! Plain NATS clients: one request, one reply.

use async_nats::HeaderMap;
use schemas::{Fault, FaultKind};
use testkit::TestServer;

use crate::{answer, serve_with, shared};

#[tokio::test]
async fn a_plain_client_gets_one_reply_and_errors_as_json() {
    let server = TestServer::start().await.unwrap();
    let there = server.connect("there").await.unwrap();
    let _serving = serve_with(&there, "one", 8, |request| async move {
        assert!(request.plain);
        match request.headers.get("splinter-latency-ms") {
            Some("200") => answer("fine"),
            _ => Err(Fault::new(FaultKind::BadRequest, "no limit")),
        }
    })
    .await;
    let plain = async_nats::ConnectOptions::new().connect(server.url()).await.unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("Splinter-Latency-Ms", "200");
    let reply = plain.request_with_headers(shared().to_string(), headers, "x".into()).await.unwrap();
    assert_eq!(crate::text(&reply.payload), "fine");

    let reply = plain.request(shared().to_string(), "x".into()).await.unwrap();
    let headers = reply.headers.unwrap();
    assert_eq!(headers.get("Nats-Service-Error").unwrap().as_str(), "bad_request");
    assert_eq!(headers.get("Nats-Service-Error-Code").unwrap().as_str(), "400");
    let fault: Fault = serde_json::from_slice(&reply.payload).unwrap();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::BadRequest, "no limit"));
}
