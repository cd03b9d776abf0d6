//! Leaving in order.

use std::sync::Arc;
use std::time::Duration;

use broker::CallError;
use chassis::RunningService;
use edge_executor::{LinkSettings, Settings};
use schemas::{FaultKind, Input};
use testkit::wait_for;

use crate::site::{PATIENCE, Site, picture};

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_finished_and_new_requests_are_refused() -> anyhow::Result<()> {
    let site = Arc::new(Site::start().await?);
    // Two seconds on the way make a request that is still in flight when the executor has begun to leave.
    let link = Some(LinkSettings { bandwidth_mbit: 1_000.0, rtt_ms: 2_000.0 });
    let edge = site.edge_with(Settings { link, ..Settings::default() }).await?;
    let _cloud = site.cloud().await?;
    let presences = site.bus.watch_presences().await?;
    let running = tokio::spawn({
        let site = site.clone();
        async move { site.classify(9, &picture(1)).await }
    });
    let edge_credits =
        || presences.snapshot().iter().find(|one| one.instance.as_str() == "edge").map(|one| one.credits);
    wait_for(PATIENCE, || async {
        if edge_credits() == Some(7) { Ok(()) } else { Err("not taken yet".to_owned()) }
    })
    .await?;
    let leaving = tokio::spawn(edge.leave(PATIENCE));
    let refusal = wait_for(PATIENCE, || async {
        let bytes = picture(2).into();
        match site.execute(9, Input::Encoded { bytes }, Duration::from_secs(1)).await {
            Err(CallError::Fault(fault)) if fault.kind == FaultKind::Draining => Ok(fault),
            other => Err(format!("not refused yet: {:?}", other.map(|reply| reply.fallback))),
        }
    });
    assert!(refusal.await?.message.contains("leaving"));
    let reply = running.await?;
    assert_eq!((reply.fallback, reply.output), (None, site.whole(&picture(1))));
    leaving.await?;
    let picture = picture(3);
    let gone = site.execute(9, Input::Encoded { bytes: (&picture[..]).into() }, PATIENCE).await.unwrap_err();
    assert!(matches!(gone, CallError::NoResponders(_)), "{gone}");
    Ok(())
}
