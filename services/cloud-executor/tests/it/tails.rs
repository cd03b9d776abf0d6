//! A tail completes what its head began; credits bound how many are taken.

use futures::future::join_all;
use schemas::{FaultKind, Input, Place, Stage, TailPayload, TailReply};
use testkit::wait_for;

use crate::site::{PATIENCE, Site, picture};

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_completes_its_head_and_a_picture_is_run_whole() -> anyhow::Result<()> {
    let site = Site::start(8).await?;
    let picture = picture(1);
    let input = site.input(&picture);
    let whole = site.network.run(&input)?;
    for cut in 0..site.network.last_cut().0 {
        let payload = match cut {
            0 => TailPayload::Input(Input::Encoded { bytes: (&picture[..]).into() }),
            _ => TailPayload::Frontier(site.network.head(schemas::Cut(cut), &input)?),
        };
        let answer = site.run(&site.request(cut, payload)).await?;
        let reply: TailReply<'_> = schemas::decode(&answer)?;
        assert_eq!((&reply.output, reply.instance.as_str()), (&whole, "cloud"), "cut {cut}");
        assert!(reply.stages.iter().all(|stage| stage.place == Place::Cloud), "{:?}", reply.stages);
        let preprocessed = reply.stages.iter().any(|stage| stage.stage == Stage::Preprocess);
        assert_eq!(preprocessed, cut == 0, "cut {cut}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_its_credits_it_says_overloaded_and_when_to_come_back() -> anyhow::Result<()> {
    let site = Site::start(1).await?;
    let presences = site.bus.watch_presences().await?;
    let picture = picture(1);
    let payload = || TailPayload::Input(Input::Encoded { bytes: (&picture[..]).into() });
    let requests: Vec<_> = (0..12).map(|_| site.request(0, payload())).collect();
    let outcomes = join_all(requests.iter().map(|request| site.run(request))).await;
    let (done, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert!(!done.is_empty(), "one at a time is taken");
    assert!(!refused.is_empty(), "twelve at once are more than one credit");
    for error in refused.into_iter().filter_map(Result::err) {
        let fault = error.to_fault();
        assert_eq!(fault.kind, FaultKind::Overloaded);
        assert!(fault.retry_after_ms.is_some());
    }
    wait_for(PATIENCE, || async {
        let seen = presences.snapshot();
        let credits =
            seen.iter().find(|one| one.instance.as_str() == "cloud").map(|one| (one.credits, one.capacity));
        if credits == Some((1, 1)) { Ok(()) } else { Err(format!("{credits:?}")) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_twice_is_run_once_and_answered_twice() -> anyhow::Result<()> {
    let site = Site::start(8).await?;
    let picture = picture(1);
    let request = site.request(0, TailPayload::Input(Input::Encoded { bytes: (&picture[..]).into() }));
    let (first, at_once) = tokio::join!(site.run(&request), site.run(&request));
    let later = site.run(&request).await?;
    // Stage times are of a run: equal bytes mean the same run.
    assert_eq!((&first?, &at_once?), (&later, &later));
    let another = site.request(0, request.payload.clone());
    assert_ne!(site.run(&another).await?, later);
    Ok(())
}
