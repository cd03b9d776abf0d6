//! A front kept true by the receipts of live requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::subjects;
use optimizer::Settings;
use schemas::{
    Configuration, Cut, EnergyEntry, EnergySource, FaultKind, Front, InstanceId, Joules, Measurement, Millis,
    NodeId, OptimizeReply, OptimizeRequest, OptimizeTask, Outcome, Place, Receipt, RequestId, SearchWishes,
    Stage, StageTime, TimeSource, UnixMillis,
};
use testkit::wait_for;

use crate::site::{PATIENCE, Site, Trouble, grid, model, no_trouble, request};

/// How much slower the head at one cut becomes: far more than a busy machine adds.
const SLOWER: Duration = Duration::from_millis(300);
const DRIFTED: Cut = Cut(2);

fn refresh(samples: u32) -> OptimizeRequest<'static> {
    let search = SearchWishes { task: OptimizeTask::Refresh, ..SearchWishes::default() };
    OptimizeRequest { search, ..request(samples) }
}

/// What a request cost with a configuration of a front: what the front says, and some milliseconds more.
fn receipt(front: &Front, of: &Measurement, more: Duration) -> Receipt {
    let head = StageTime {
        stage: Stage::Head,
        place: Place::Edge,
        time_ms: of.stages.iter().map(|stage| stage.time_ms).sum::<Millis>() + Millis::from(more),
        source: TimeSource::Measured,
    };
    Receipt {
        outcome: Outcome::Within,
        latency_ms: head.time_ms,
        planned: Some(of.configuration),
        executed: Some(of.configuration),
        front: Some(front.id),
        edge: Some(InstanceId::new("edge1").unwrap()),
        cloud: Some(InstanceId::new("cloud1").unwrap()),
        stages: vec![head],
        energy: vec![EnergyEntry {
            place: Place::Edge,
            source: EnergySource::Emulated,
            joules: of.joules().unwrap_or(Joules::ZERO),
        }],
        ..Receipt::opened(RequestId::fresh(), model(), NodeId::new("server").unwrap(), UnixMillis::now())
    }
}

/// Live requests with everything that is on the front; those at one cut have become slower, as its heads have.
async fn live_requests(site: &Site, front: &Front, slower: Duration) -> anyhow::Result<()> {
    site.delays.lock().unwrap().insert(DRIFTED, slower);
    for point in &front.points {
        let more = if point.configuration.cut == DRIFTED { slower } else { Duration::ZERO };
        for _ in 0..10 {
            let body = schemas::encode(&receipt(front, point, more))?;
            site.bus.publish(subjects::receipt(&model()), body).await?;
        }
    }
    Ok(())
}

/// Asks again until the receipts have arrived.
async fn refreshed(site: &Site) -> anyhow::Result<OptimizeReply> {
    wait_for(PATIENCE, || async {
        let reply = site.measure(&refresh(2)).await.map_err(|fault| fault.to_string())?;
        if reply.measurements.is_empty() { Err(reply.notes.join("; ")) } else { Ok(reply) }
    })
    .await
}

fn of(front: &Front, configuration: Configuration) -> Option<&Measurement> {
    front.points.iter().chain(&front.tied).find(|one| one.configuration == configuration)
}

/// A front with several points at the cut that is to drift, at any clock.
async fn measured(site: &Site) -> anyhow::Result<Front> {
    let front = site.measure(&grid(2)).await.unwrap().front;
    anyhow::ensure!(front.points.iter().any(|one| one.configuration.cut == DRIFTED), "{:?}", front.points);
    site.ran.lock().unwrap().clear();
    Ok(front)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_drifted_is_measured_again_and_nothing_else() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let before = measured(&site).await?;
    live_requests(&site, &before, SLOWER).await?;
    let reply = refreshed(&site).await?;
    let after = &reply.front;
    assert_eq!(after.revision, before.revision + 1);
    assert!(broker::is_intact(after) && after.content.is_some() && after.content != before.content);
    let ran: Vec<Cut> = site.ran.lock().unwrap().iter().map(|ran| ran.cut).collect();
    assert!(!ran.is_empty() && ran.iter().all(|cut| *cut == DRIFTED), "{ran:?}");
    for one in &reply.measurements {
        let old = of(&before, one.configuration).unwrap();
        assert!(one.latency.mean_ms > old.latency.mean_ms + Millis::from(SLOWER / 2), "{one:?}");
    }
    // What did not drift is as it was.
    for old in before.points.iter().filter(|one| one.configuration.cut != DRIFTED) {
        assert_eq!(of(after, old.configuration), Some(old));
    }
    assert!(reply.notes.iter().any(|note| note.contains("of the latency on the edge")), "{:?}", reply.notes);
    let kept = site.bus.front_revisions(&model(), &after.edge, &after.cloud).await?;
    assert_eq!(kept.iter().map(|front| front.id).collect::<Vec<_>>(), [before.id, after.id]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_has_drifted_nothing_is_measured_or_published() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let before = measured(&site).await?;
    live_requests(&site, &before, Duration::ZERO).await?;
    let reply: OptimizeReply = wait_for(PATIENCE, || async {
        let reply = site.measure(&refresh(2)).await.map_err(|fault| fault.to_string())?;
        let all = format!("{} receipts of {}", before.points.len() * 10, before.points.len());
        if reply.notes[0].contains(&all) { Ok(reply) } else { Err(reply.notes.join("; ")) }
    })
    .await?;
    assert!(reply.notes[0].contains("nothing has drifted"), "{:?}", reply.notes);
    assert_eq!((reply.front, reply.measurements), (before.clone(), Vec::new()));
    assert!(site.ran.lock().unwrap().is_empty());
    assert_eq!(site.bus.front_revisions(&model(), &before.edge, &before.cloud).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn there_must_be_a_front_to_refresh() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let fault = site.measure(&refresh(2)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::BadRequest);
    assert!(fault.message.contains("measure it first"), "{fault}");
    let other =
        Front { digest: schemas::Digest::from_bytes([9; 32]), content: None, ..measured(&site).await? };
    site.bus.publish_front(&other).await?;
    let fault = site.measure(&refresh(2)).await.unwrap_err();
    assert!(fault.kind == FaultKind::BadRequest && fault.message.contains("another file"), "{fault}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_while_a_request_is_under_way() -> anyhow::Result<()> {
    let ran_while_busy = Arc::new(AtomicBool::new(false));
    let is_busy = Arc::new(AtomicBool::new(false));
    let (seen, busy) = (ran_while_busy.clone(), is_busy.clone());
    let trouble: Trouble = Arc::new(move |_, _| {
        if busy.load(Ordering::SeqCst) {
            seen.store(true, Ordering::SeqCst);
        }
        Ok(None)
    });
    let site = Arc::new(Site::start(Settings::default(), trouble).await?);
    let before = measured(&site).await?;
    is_busy.store(true, Ordering::SeqCst);
    site.waiting.store(1, Ordering::SeqCst);
    live_requests(&site, &before, SLOWER).await?;
    let refreshing = tokio::spawn({
        let site = site.clone();
        async move { refreshed(&site).await }
    });
    // It asks the gateway again and again. The gateway says so itself once a second, too.
    let asked = site.asked.load(Ordering::SeqCst);
    wait_for(PATIENCE, || async {
        let times = site.asked.load(Ordering::SeqCst) - asked;
        if times >= 50 { Ok(()) } else { Err(format!("asked {times} times")) }
    })
    .await?;
    assert!(site.ran.lock().unwrap().is_empty() && !refreshing.is_finished());
    is_busy.store(false, Ordering::SeqCst);
    site.waiting.store(0, Ordering::SeqCst);
    assert_eq!(refreshing.await??.front.revision, before.revision + 1);
    assert!(!ran_while_busy.load(Ordering::SeqCst));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_idle_time_it_refreshes_by_itself_after_a_restart_too() -> anyhow::Result<()> {
    let settings = Settings { refresh_idle_ms: Millis::saturating(200.0), ..Settings::default() };
    let site = Site::start(settings, no_trouble()).await?;
    let before = measured(&site).await?;
    site.restart_optimizer().await?;
    live_requests(&site, &before, SLOWER).await?;
    wait_for(PATIENCE, || async {
        let fronts = site.fronts.for_model(&model());
        let revision = fronts.first().map_or(0, |front| front.revision);
        if revision > before.revision { Ok(()) } else { Err(format!("still revision {revision}")) }
    })
    .await
}
