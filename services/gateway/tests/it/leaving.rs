//! Leaving in order, and a broker that restarts.

use std::time::Duration;

use chassis::RunningService;
use schemas::Outcome;
use testkit::wait_for;

use crate::site::{PATIENCE, Script, Site, jpeg};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_is_answered_before_the_gateway_is_gone() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    site.set(Script::AnswerAfter(Duration::from_millis(800)));
    let (url, client) = (site.url.clone(), site.client.clone());
    let posted = tokio::spawn(async move {
        client.post(format!("{url}/v1/infer/tiny?latency_ms=15000")).body(jpeg()).send().await
    });
    wait_for(PATIENCE, || async {
        site.planned.lock().unwrap().is_some().then_some(()).ok_or_else(|| "not planned yet".to_owned())
    })
    .await?;
    let gateway = site.gateway.take().unwrap();
    let leaving = tokio::spawn(gateway.leave(PATIENCE));
    wait_for(PATIENCE, || async {
        match site.get("/v2/health/ready").await.status().as_u16() {
            503 => Ok(()),
            other => Err(format!("it still says {other}")),
        }
    })
    .await?;
    assert_eq!(posted.await??.status().as_u16(), 200);
    assert_eq!(site.receipts.next().await.outcome, Outcome::Within);
    leaving.await?;
    assert!(site.client.get(format!("{}/v2", site.url)).send().await.is_err(), "nobody listens any more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_during_a_restart_of_the_broker_is_answered_after_it() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    assert_eq!(site.post("tiny", "", jpeg()).await.status().as_u16(), 200);
    site.server.stop();
    let (url, client) = (site.url.clone(), site.client.clone());
    let posted = tokio::spawn(async move {
        client.post(format!("{url}/v1/infer/tiny?latency_ms=15000")).body(jpeg()).send().await
    });
    site.server.restart().await?;
    let response = posted.await??;
    assert_eq!(response.status().as_u16(), 200, "{}", response.text().await?);
    Ok(())
}
