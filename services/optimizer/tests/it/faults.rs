//! What goes wrong in the middle of a campaign, and what was left by one that was broken off.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use optimizer::Settings;
use schemas::{
    Configuration, Cut, Digest, Fallback, Fault, FaultKind, Front, FrontId, Millis, OptimizeReply,
    OptimizeRequest, OptimizeTask, SearchWishes,
};
use testkit::wait_for;

use crate::site::{LAST, PATIENCE, Site, Trouble, clocks, grid, model, no_trouble, request};

const ALL: usize = (LAST as usize + 1) * 2;

/// How often each configuration ran.
fn runs(site: &Site) -> HashMap<Configuration, u32> {
    let mut times = HashMap::new();
    site.ran.lock().unwrap().iter().for_each(|ran| *times.entry(*ran).or_default() += 1);
    times
}

async fn some_ran(site: &Site, least: usize) -> anyhow::Result<()> {
    wait_for(PATIENCE, || async {
        let ran = site.ran.lock().unwrap().len();
        if ran >= least { Ok(()) } else { Err(format!("only {ran} ran")) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_was_broken_off_goes_on_where_it_was() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let broken_off = site.ask(&grid(3), Duration::from_millis(900)).await.unwrap_err().to_fault();
    assert_eq!(broken_off.kind, FaultKind::DeadlineExceeded);
    // The place is free again when the first one has noticed.
    let reply: OptimizeReply =
        wait_for(PATIENCE, || async { site.measure(&grid(3)).await.map_err(|fault| fault.to_string()) })
            .await?;
    assert!(reply.resumed_samples > 0, "nothing was left");
    assert_eq!(reply.measurements.len(), ALL);
    assert!(reply.measurements.iter().all(|one| one.samples == 3));
    // Two warm-ups, three samples, and the one execution that the deadline fell into.
    for (configuration, times) in runs(&site) {
        let doubted = reply.measurements.iter().any(|one| {
            one.configuration == configuration
                && one.provenance.as_ref().is_some_and(|known| known.measured_again)
        });
        assert!(times <= if doubted { 12 } else { 6 }, "{configuration} ran {times} times");
    }

    // It is over: the same again is measured anew, and a revision later.
    let again = site.measure(&grid(3)).await.unwrap();
    assert_eq!((again.resumed_samples, again.front.revision), (0, reply.front.revision + 1));
    let kept = site.bus.front_revisions(&model(), &again.front.edge, &again.front.cloud).await?;
    assert_eq!(kept.iter().map(|front| front.id).collect::<Vec<_>>(), [reply.front.id, again.front.id]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_begin_anew_does() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    site.ask(&grid(3), Duration::from_millis(900)).await.unwrap_err();
    let search = SearchWishes { task: OptimizeTask::MeasureAfresh, ..grid(1).search };
    let afresh = OptimizeRequest { search, ..grid(1) };
    let reply: OptimizeReply =
        wait_for(PATIENCE, || async { site.measure(&afresh).await.map_err(|fault| fault.to_string()) })
            .await?;
    assert_eq!(reply.resumed_samples, 0);
    Ok(())
}

/// Runs a campaign, lets something happen when some executions ran, and gives the reply.
async fn disturbed<F: Future<Output = anyhow::Result<()>>>(
    site: &Arc<Site>,
    after: usize,
    happens: impl FnOnce() -> F,
) -> anyhow::Result<Result<OptimizeReply, Fault>> {
    let measuring = {
        let site = site.clone();
        tokio::spawn(async move { site.measure(&grid(2)).await })
    };
    some_ran(site, after).await?;
    happens().await?;
    Ok(measuring.await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_executor_that_dies_is_waited_for() -> anyhow::Result<()> {
    let site = Arc::new(Site::start(Settings::default(), no_trouble()).await?);
    let reply = disturbed(&site, 8, || async {
        site.kill_edge();
        site.start_edge("edge2", "pi").await
    });
    let reply = reply.await?.unwrap();
    assert_eq!(reply.measurements.len(), ALL, "{:?}", reply.notes);
    Ok(())
}

/// Where a part of the site is gone, the edge executor answers, but not as it was asked to.
fn until_it_is_back(gone: &Arc<AtomicBool>, fallback: Fallback) -> Trouble {
    let gone = gone.clone();
    Arc::new(move |_, _| Ok(gone.load(Ordering::SeqCst).then_some(fallback)))
}

/// Runs a campaign in which a part of the site dies and comes back, and which has measured everything in the end.
async fn outlives(
    without_it: Fallback,
    kill: impl Fn(&Site),
    start: impl AsyncFn(&Site) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let gone = Arc::new(AtomicBool::new(false));
    let trouble = until_it_is_back(&gone, without_it);
    let site = Arc::new(Site::start(Settings::default(), trouble).await?);
    let reply = disturbed(&site, 8, || async {
        kill(&site);
        gone.store(true, Ordering::SeqCst);
        let before = site.ran.lock().unwrap().len();
        some_ran(&site, before + 1).await?;
        start(&site).await?;
        gone.store(false, Ordering::SeqCst);
        Ok(())
    });
    let reply = reply.await?.unwrap();
    assert_eq!(reply.measurements.len(), ALL, "{:?}", reply.notes);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tuner_that_dies_is_waited_for_and_nothing_without_it_counts() -> anyhow::Result<()> {
    outlives(Fallback::HardwareAsItWas, Site::kill_tuner, Site::start_tuner).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_executor_that_dies_is_waited_for() -> anyhow::Result<()> {
    outlives(Fallback::FinishedAtHome, Site::kill_cloud, Site::start_cloud).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_machine_of_the_same_kind_measures_again_what_was_under_way() -> anyhow::Result<()> {
    let site = Arc::new(Site::start(Settings::default(), no_trouble()).await?);
    // It shares the cloud machine with the first, so it stands by.
    let _standing_by = (site.another_edge("edge9", "pi9").await?, site.another_tuner("tuner9", "pi9").await?);
    let reply = disturbed(&site, 8, || async {
        site.kill_edge();
        Ok(())
    });
    let reply = reply.await?.unwrap();
    assert_eq!(reply.measurements.len(), ALL, "{:?}", reply.notes);
    let edges: HashSet<&str> =
        reply.measurements.iter().map(|one| one.provenance.as_ref().unwrap().edge.as_str()).collect();
    assert_eq!(edges, HashSet::from(["pi", "pi9"]), "each measurement is of one machine, and says which");
    assert!(reply.measurements.iter().all(|one| one.samples == 2), "no sample of two machines is mixed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_stays_away_ends_the_campaign_and_nothing_is_lost() -> anyhow::Result<()> {
    let settings = Settings { patience_ms: Millis::saturating(300.0), ..Settings::default() };
    let site = Arc::new(Site::start(settings, no_trouble()).await?);
    let fault = disturbed(&site, 8, || async {
        site.kill_edge();
        Ok(())
    });
    let fault = fault.await?.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.message.contains("was lost") && fault.message.contains("goes on from there"), "{fault}");
    site.start_edge("edge2", "pi").await?;
    let reply: OptimizeReply =
        wait_for(PATIENCE, || async { site.measure(&grid(2)).await.map_err(|fault| fault.to_string()) })
            .await?;
    assert!(reply.resumed_samples > 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_does_not_end_a_campaign() -> anyhow::Result<()> {
    let mut site = Site::start(Settings::default(), no_trouble()).await?;
    let bus = site.bus.clone();
    let call =
        broker::Call::new(vec![broker::subjects::optimize(&model())], PATIENCE, schemas::encode(&grid(2))?);
    let id = call.id;
    let measuring = tokio::spawn(async move { bus.call(call).await });
    some_ran(&site, 8).await?;
    site.server.restart().await?;
    // The caller may have given it up; the optimizer has not, and tells the same caller when asked again.
    let reply: OptimizeReply = match measuring.await? {
        Ok(answer) => schemas::decode(&answer.body)?,
        Err(_) => {
            wait_for(PATIENCE, || async {
                let target = broker::subjects::optimize(&model());
                let body = schemas::encode(&grid(2)).map_err(|error| error.to_string())?;
                let call = broker::Call { id, ..broker::Call::new(vec![target], PATIENCE, body) };
                let answer = site.bus.call(call).await.map_err(|error| error.to_string())?;
                schemas::decode(&answer.body).map_err(|error| error.to_string())
            })
            .await?
        }
    };
    assert_eq!(reply.measurements.len(), ALL, "{:?}", reply.notes);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_campaign_with_the_reason() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    site.ask(&grid(2), Duration::from_millis(900)).await.unwrap_err();
    let log = wait_for(PATIENCE, || async {
        let mut files = std::fs::read_dir(site.state.path()).map_err(|error| error.to_string())?;
        files.next().ok_or("no log yet")?.map(|file| file.path()).map_err(|error| error.to_string())
    })
    .await?;
    // A disk that takes nothing any more, under the name of the log.
    std::fs::remove_file(&log)?;
    std::os::unix::fs::symlink("/dev/full", &log)?;
    let fault: Fault = wait_for(PATIENCE, || async {
        let fault = site.measure(&grid(2)).await.unwrap_err();
        if fault.kind == FaultKind::Overloaded { Err(fault.to_string()) } else { Ok(fault) }
    })
    .await?;
    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}");
    assert!(fault.message.contains("No space left") && fault.message.contains("free some space"), "{fault}");
    std::fs::remove_file(&log)?;
    assert_eq!(site.measure(&grid(2)).await.unwrap().measurements.len(), ALL, "it serves on");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_that_was_published_meanwhile_is_merged_or_refused() -> anyhow::Result<()> {
    let site = Arc::new(Site::start(Settings::default(), no_trouble()).await?);
    let first = site.measure(&grid(1)).await.unwrap().front;
    let younger = |site: &Site, front: Front| {
        let ended_at = schemas::UnixMillis::now().after(Duration::from_secs(1));
        let front = broker::sealed(Front { id: FrontId::fresh(), revision: 7, ended_at, ..front });
        let bus = site.bus.clone();
        async move { bus.publish_front(&front).await.map_err(anyhow::Error::from) }
    };
    site.ran.lock().unwrap().clear();
    let merged = disturbed(&site, 3, || younger(&site, first.clone())).await?.unwrap();
    assert_eq!(merged.front.revision, 8, "it follows what is there");

    site.ran.lock().unwrap().clear();
    let other = Front { digest: Digest::from_bytes([9; 32]), ..first };
    let fault = disturbed(&site, 3, || younger(&site, other)).await?.unwrap_err();
    assert!(fault.message.contains("another file of tiny"), "{fault}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn spaces_that_cannot_be_are_refused_by_name() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let cases = [
        ("[knobs]\nedge-frequency = \"1200 MHz\"\n", "the knob edge-frequency"),
        ("[knobs]\ncloud-accelerator = \"cuda\"\n", "the knob cloud-accelerator"),
        (
            "[knobs]\ncut = 2\nedge-frequency = [\"600 MHz\", \"1800 MHz\"]\n[[rule]]\nwhen = { cut = 2 }\nonly = { edge-frequency = \"600 MHz\" }\n[[rule]]\nwhen = { cut = 2 }\nonly = { edge-frequency = \"1800 MHz\" }\n",
            "no configuration of this space is legal",
        ),
        ("nonsense", "the space"),
    ];
    for (space, says) in cases {
        let search = SearchWishes { space: Some(space.into()), ..SearchWishes::default() };
        let fault = site.measure(&OptimizeRequest { search, ..request(1) }).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest, "{fault}");
        assert!(fault.message.contains(says), "{fault}");
    }
    let search = SearchWishes { strategy: Some("luck".into()), ..SearchWishes::default() };
    let fault = site.measure(&OptimizeRequest { search, ..request(1) }).await.unwrap_err();
    assert!(fault.kind == FaultKind::BadRequest && fault.message.contains("greybox"), "{fault}");
    assert!(site.ran.lock().unwrap().is_empty(), "nothing was run for them");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_without_classes_are_measured_without_accuracy() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let mut unlabelled = grid(1);
    unlabelled.pictures.iter_mut().for_each(|picture| picture.class = None);
    let reply = site.measure(&unlabelled).await.unwrap();
    assert!(reply.measurements.iter().all(|one| one.accuracy.is_none()));
    assert!(reply.notes.iter().any(|note| note.contains("labels.csv")), "{:?}", reply.notes);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_varies_is_sampled_often() -> anyhow::Result<()> {
    // Every third run at cut 2 takes much longer.
    let slow = Arc::new(AtomicUsize::new(0));
    let counting = slow.clone();
    let trouble = Arc::new(move |configuration: &Configuration, already: u32| {
        if configuration.cut == Cut(2) && already % 3 == 2 {
            counting.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(400));
        }
        Ok(None)
    });
    // Sleeping is exact to a few per cent even on a busy machine, most of the time.
    let settings = Settings { interval: schemas::Share::new(0.9)?, ..Settings::default() };
    let site = Site::start(settings, trouble).await?;
    let search = SearchWishes {
        strategy: Some("grid".into()),
        space: Some(format!("[knobs]\ncut = [0, 2, {LAST}]\nedge-frequency = \"{}\"\n", clocks()[1])),
        ..SearchWishes::default()
    };
    let asked = OptimizeRequest { search, most_samples: Some(9), ..request(3) };
    let reply = site.measure(&asked).await.unwrap();
    let samples = |cut: u16| {
        let found = reply.measurements.iter().find(|one| one.configuration.cut == Cut(cut));
        found.map(|one| one.samples).unwrap()
    };
    assert_eq!(samples(2), 9, "{:?}", reply.measurements);
    assert!(slow.load(Ordering::Relaxed) >= 3);
    Ok(())
}
