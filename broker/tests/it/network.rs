//! Broken links and restarted brokers.

use std::time::{Duration, Instant};

use schemas::FaultKind;
use testkit::{FaultProxy, TestServer, wait_for};

use crate::{PATIENCE, call, own, serve, shared, text};

#[tokio::test]
async fn calls_and_servers_come_back_after_the_broker_was_killed() {
    let mut server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let _one = serve(&there, "one").await;
    server.stop();
    wait_for(PATIENCE, || async {
        if caller.is_connected() { Err("still connected".into()) } else { Ok(()) }
    })
    .await
    .unwrap();
    let waiting = tokio::spawn({
        let caller = caller.clone();
        async move { caller.call_until_deadline(call(vec![own("one"), shared()], PATIENCE)).await }
    });
    server.restart().await.unwrap();
    let got = waiting.await.unwrap().unwrap();
    assert_eq!(text(&got.body), "one", "a patient call survives the restart");
}

#[tokio::test]
async fn a_black_hole_costs_the_deadline_and_no_more() {
    let server = TestServer::start().await.unwrap();
    let proxy = FaultProxy::start(server.port()).await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), proxy.connect("there").await.unwrap());
    let _one = serve(&there, "one").await;
    proxy.black_hole();
    let start = Instant::now();
    let error = caller.call_until_deadline(call(vec![own("one")], Duration::from_secs(2))).await.unwrap_err();
    assert!(matches!(error.to_fault().kind, FaultKind::DeadlineExceeded | FaultKind::Unavailable), "{error}");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    proxy.heal();
    let got = wait_for(PATIENCE, || async {
        caller.call(call(vec![own("one")], Duration::from_secs(2))).await.map_err(|error| error.to_string())
    });
    assert_eq!(text(&got.await.unwrap().body), "one");
}

#[tokio::test]
async fn while_the_broker_is_away_nothing_blocks_beyond_its_deadline() {
    let mut server = TestServer::start().await.unwrap();
    let caller = server.connect("caller").await.unwrap();
    server.stop();
    let start = Instant::now();
    let calls = (0..50).map(|_| caller.call(call(vec![shared()], Duration::from_millis(500))));
    let ended = futures::future::join_all(calls).await;
    assert!(ended.iter().all(Result::is_err));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_password_in_the_address_is_refused() {
    let settings =
        broker::BrokerSettings { url: "nats://me:secret@127.0.0.1:4222".into(), ..Default::default() };
    let error = broker::Bus::connect(&settings, "x").await.unwrap_err();
    assert!(matches!(error, broker::BrokerError::CredentialsInUrl) && !error.to_string().contains("secret"));
}

#[tokio::test]
async fn a_message_larger_than_the_broker_accepts_is_refused_here() {
    let server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let _one = serve(&there, "one").await;
    let greatest = usize::try_from(caller.greatest_payload().0).unwrap();
    let mut large = call(vec![own("one")], PATIENCE);
    large.body = vec![0; greatest + 1].into();
    assert_eq!(caller.call(large).await.unwrap_err().to_fault().kind, FaultKind::BadRequest);
    assert!(caller.call(call(vec![own("one")], PATIENCE)).await.is_ok(), "the connection lives on");
}
