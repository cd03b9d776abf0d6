//! What is seen of a service from outside, over a real broker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::{Credits, subjects};
use chassis::{Attendance, Instruments, ServiceContext, TelemetrySettings};
use schemas::{InstanceId, MetricsSnapshot, NodeId, ServiceKind};
use testkit::{TestServer, wait_for};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn instruments() -> anyhow::Result<Instruments> {
    let settings =
        TelemetrySettings { metrics_address: Some("127.0.0.1:0".parse()?), ..TelemetrySettings::default() };
    Ok(Instruments::start(&settings).await?)
}

async fn context(server: &TestServer, instruments: &Instruments) -> anyhow::Result<ServiceContext> {
    let (node, instance) = (NodeId::new("site")?, InstanceId::new("t1")?);
    let bus = server.connect("tuner").await?;
    let context = ServiceContext::new(ServiceKind::Tuner, bus, node, instance, Duration::from_secs(1));
    Ok(context.under(instruments)?)
}

async fn get(instruments: &Instruments, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", instruments.address().unwrap());
    let response = reqwest::Client::new().get(url).timeout(PATIENCE).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Asks until it is answered with this status.
async fn answers(instruments: &Instruments, path: &str, status: u16) -> anyhow::Result<String> {
    wait_for(PATIENCE, || async {
        match get(instruments, path).await {
            (found, body) if found == status => Ok(body),
            other => Err(format!("{path}: {other:?}")),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_means_started_connected_and_nothing_lacking() -> anyhow::Result<()> {
    let mut server = TestServer::start().await?;
    let instruments = instruments().await?;
    assert_eq!(get(&instruments, "/readyz").await.0, 503, "no service has begun");
    assert_eq!(get(&instruments, "/livez").await.0, 200);
    let context = context(&server, &instruments).await?;
    let warm = Arc::new(AtomicBool::new(false));
    let is_warm = warm.clone();
    context.health.needs("a warm network", move || is_warm.load(Ordering::Relaxed));
    let attendance = Attendance::begin(&context);
    assert!(answers(&instruments, "/readyz", 503).await?.contains("starting"));
    attendance.started();
    assert!(answers(&instruments, "/readyz", 503).await?.contains("a warm network"));
    warm.store(true, Ordering::Relaxed);
    answers(&instruments, "/readyz", 200).await?;
    server.stop();
    assert!(answers(&instruments, "/readyz", 503).await?.contains("the broker"));
    answers(&instruments, "/livez", 200).await?;
    server.restart().await?;
    answers(&instruments, "/readyz", 200).await?;
    attendance.leaving();
    assert!(answers(&instruments, "/readyz", 503).await?.contains("leaving"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_lost_what_it_lives_by_is_not_alive() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let instruments = instruments().await?;
    let context = context(&server, &instruments).await?;
    let thread = Arc::new(AtomicBool::new(true));
    let is_alive = thread.clone();
    context.health.lives_by("the compute thread", move || is_alive.load(Ordering::Relaxed));
    assert_eq!(get(&instruments, "/livez").await.0, 200);
    thread.store(false, Ordering::Relaxed);
    let (status, body) = get(&instruments, "/livez").await;
    assert!(status == 503 && body.contains("the compute thread"), "{body}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_of_each_second_says_what_prometheus_reads() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let instruments = instruments().await?;
    let context = context(&server, &instruments).await?;
    context.metrics.follow_credits(ServiceKind::Tuner, &Credits::new(8));
    let listener = server.connect("listener").await?;
    let mut snapshots = listener.subscribe(subjects::metrics_of(ServiceKind::Tuner)).await?;
    let attendance = Attendance::begin(&context);
    attendance.started();
    let ready = r#"splinter_service_ready{service="tuner"}"#;
    let snapshot = loop {
        let message = timeout(PATIENCE, snapshots.next()).await?.unwrap();
        let snapshot: MetricsSnapshot = schemas::decode(&message.body)?;
        assert_eq!(message.subject.last_token(), "t1");
        if snapshot.samples.iter().any(|sample| sample.series == ready && sample.value == 1.0) {
            break snapshot;
        }
    };
    let (status, page) = get(&instruments, "/metrics").await;
    assert_eq!(status, 200);
    for series in [
        ready,
        r#"splinter_service_capacity{service="tuner"}"#,
        r#"splinter_service_broker_connected{service="tuner"}"#,
        r#"splinter_service_broker_round_trip_seconds{service="tuner"}"#,
        r#"splinter_service_calls_total{service="tuner",outcome="answered"}"#,
    ] {
        assert!(snapshot.samples.iter().any(|sample| sample.series == series), "{series}: {snapshot:#?}");
        assert!(page.contains(series), "{series} is not in\n{page}");
    }
    assert!(page.contains(r#"instance="t1",node="site""#) && page.contains("process_resident_memory_bytes"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() -> anyhow::Result<()> {
    let first = instruments().await?;
    let settings = TelemetrySettings { metrics_address: first.address(), ..TelemetrySettings::default() };
    let error = Instruments::start(&settings).await.unwrap_err().to_string();
    assert!(error.contains("telemetry.metrics_address"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_keeps_nobody_else_out() -> anyhow::Result<()> {
    let instruments = instruments().await?;
    let address = instruments.address().unwrap();
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream.write_all(b"GET /metr").await?;
        silent.push(stream);
    }
    assert_eq!(get(&instruments, "/livez").await.0, 200);
    let mut nonsense = tokio::net::TcpStream::connect(address).await?;
    nonsense.write_all(b"\x16\x03\x01\x00\x00\r\n\r\n").await?;
    let mut answer = Vec::new();
    timeout(PATIENCE, nonsense.read_to_end(&mut answer)).await??;
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 400"), "{answer:?}");
    assert_eq!(get(&instruments, "/nowhere").await.0, 404);
    Ok(())
}
