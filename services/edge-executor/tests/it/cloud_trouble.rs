//! A cloud that hangs, refuses, talks nonsense or is not there costs no request its answer.

use std::future::pending;
use std::time::{Duration, Instant};

use broker::{Response, Serving};
use schemas::{ByteCount, Fallback, Fault, FaultKind, Input};
use testkit::wait_for;

use crate::site::{PATIENCE, Site, picture};

/// Enough for a slow machine to finish at home, and short enough to notice an edge that waits for the cloud to the end.
const WITHIN: Duration = Duration::from_secs(8);

/// Sends one picture to be split and checks that the edge gave the whole answer, in time.
async fn is_finished_at_home(site: &Site, cut: u16) {
    let picture = picture(1);
    let start = Instant::now();
    let input = Input::Encoded { bytes: (&picture[..]).into() };
    let reply = site.execute(cut, input, WITHIN).await.unwrap();
    assert!(start.elapsed() < WITHIN, "cut {cut} took {:?}", start.elapsed());
    assert_eq!(reply.fallback, Some(Fallback::FinishedAtHome), "cut {cut}");
    assert_eq!(reply.configuration.cut, site.network.last_cut(), "what really ran");
    assert_eq!((reply.cloud, reply.sent_bytes), (None, ByteCount(0)));
    assert_eq!(reply.output, site.whole(&picture), "cut {cut}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_accepts_and_never_answers() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let _edge = site.edge().await?;
    let _hung = site.cloud_that(|_| pending()).await?;
    is_finished_at_home(&site, 9).await;
    // Cut 0 keeps no frontier but the picture.
    is_finished_at_home(&site, 0).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_full_leaving_broken_or_garbled() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let _edge = site.edge().await?;
    for kind in [FaultKind::Overloaded, FaultKind::Draining, FaultKind::Internal, FaultKind::BadRequest] {
        let cloud = site.cloud_that(move |_| async move { Err(Fault::new(kind, "on purpose")) }).await?;
        is_finished_at_home(&site, 9).await;
        gone(cloud).await;
    }
    let cloud = site.cloud_that(|_| async { Response::messagepack(&"no tail reply") }).await?;
    is_finished_at_home(&site, 9).await;
    gone(cloud).await;
    let panicking = site.cloud_that(|_| async { panic!("on purpose") }).await?;
    is_finished_at_home(&site, 9).await;
    gone(panicking).await;
    Ok(())
}

async fn gone(cloud: Serving) {
    cloud.leave(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_comes_goes_silent_and_comes_back() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let _edge = site.edge().await?;
    is_finished_at_home(&site, 9).await;
    let cloud = site.cloud().await?;
    assert_eq!(site.classify(9, &picture(1)).await.fallback, None);
    // As in a crash.
    drop(cloud);
    is_finished_at_home(&site, 9).await;
    let _back = site.cloud().await?;
    wait_for(PATIENCE, || async {
        let reply = site.classify(9, &picture(1)).await;
        if reply.fallback.is_none() { Ok(()) } else { Err("still at home".to_owned()) }
    })
    .await
}
