use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use loadgen::results::{Ending, Origin, Results};
use schemas::{FaultKind, PolicyName};
use testkit::wait_for;
use tokio::sync::Semaphore;

use crate::program::{Place, lines, run, start};
use crate::responder::{Behaviour, Responder, Seen, http};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn closed(requests: usize) -> String {
    let mut text = "limit_ms,model\n".to_owned();
    for request in 0..requests {
        writeln!(text, "{},net", 60_000 + request).unwrap();
    }
    text
}

fn open(requests: usize, apart_ms: usize) -> String {
    let mut text = "at_ms,limit_ms,model,tenant\n".to_owned();
    for request in 0..requests {
        writeln!(text, "{},60000,net,camera", request * apart_ms).unwrap();
    }
    text
}

#[tokio::test]
async fn every_request_has_its_record() {
    let (place, responder) = (Place::new(), Responder::start(Behaviour::default()).await);
    place.file("trace.csv", &closed(20));
    let (code, out, err) = run(
        &place,
        &[
            "replay",
            "trace.csv",
            "--images",
            "pictures",
            "-o",
            "results",
            "--policy",
            "dynasplit",
            "--warm-up",
            "2",
            "--broker",
            &responder.url(),
            "--require",
            "within>=1",
            "--require",
            "p95<=60000",
            "--json",
        ],
    )
    .await;
    assert_eq!(code, 0, "{out}{err}");
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&figures["requests"], &figures["within"]), (&20.into(), &1.0.into()));
    // Every other picture is of class 7.
    assert_eq!((&figures["accuracy"], &figures["energy"]["joules"]), (&0.5.into(), &0.5.into()));
    assert_eq!(figures["sides"], serde_json::json!([0, 20, 0]));
    let asked = responder.seen.lock().unwrap().clone();
    assert_eq!(asked.len(), 22, "two warmed up");
    assert!(asked.iter().all(|(policy, ..)| *policy == PolicyName::Dynasplit));
    let records = place.records("results");
    for (position, record) in records.iter().enumerate() {
        assert_eq!(record.request, position as u64);
        assert_eq!(record.limit_ms.get(), 60_000.0 + position as f64);
        assert_eq!(record.outcome, Ending::Within);
        let answer = record.answer.as_ref().unwrap();
        assert_eq!((answer.label.as_deref(), answer.correct), (Some("seven"), Some(position % 2 == 0)));
        assert_eq!((answer.energy[0].origin, answer.stages[0].origin), (Origin::Emulated, Origin::Emulated));
    }
    let results = Results::open(&place.path("results")).unwrap();
    let manifest = results.manifest();
    assert!(manifest.ended_at.is_some());
    assert_eq!(manifest.services.len(), 1);
    assert_eq!(manifest.models[0].last_cut, Some(schemas::Cut(5)));
    let copy = std::fs::read_to_string(place.path("results").join(&manifest.traces[0].file)).unwrap();
    assert_eq!(copy, closed(20));
}

#[tokio::test]
async fn a_slow_server_cannot_hide_behind_its_own_slowness() {
    let takes = Duration::from_millis(100);
    let (place, responder) =
        (Place::new(), Responder::start(Behaviour { takes, ..Behaviour::default() }).await);
    place.file("trace.csv", &open(8, 5));
    let arguments = ["replay", "trace.csv", "--images", "pictures", "-o", "results", "--in-flight", "1"];
    let (code, _, err) = run(&place, &[&arguments[..], &["--broker", &responder.url()]].concat()).await;
    assert_eq!(code, 0, "{err}");
    for record in place.records("results") {
        let position = record.request as f64;
        assert_eq!(record.scheduled_ms.get(), position * 5.0);
        assert_eq!(record.tenant.as_ref().map(ToString::to_string).as_deref(), Some("camera"));
        // One after the other, each takes 100 ms at least, and all were due within 40 ms.
        let least = (position + 1.0) * 100.0 - position * 5.0;
        assert!(record.latency_ms.get() >= least, "{record:?}");
        let parts = record.service_ms.get() + record.sent_ms.get() - record.scheduled_ms.get();
        assert!((record.latency_ms.get() - parts).abs() < 1e-6);
    }
}

#[tokio::test]
async fn an_open_loop_does_not_wait_for_answers() {
    let let_through = Arc::new(Semaphore::new(0));
    let behaviour = Behaviour { let_through: let_through.clone(), ..Behaviour::default() };
    let (place, responder) = (Place::new(), Responder::start(behaviour).await);
    place.file("trace.csv", &open(300, 1));
    let arguments = ["replay", "trace.csv", "--images", "pictures", "-o", "results", "--broker"];
    let running = start(&place, &[&arguments[..], &[responder.url().as_str()]].concat());
    let seen = responder.seen.clone();
    wait_for(PATIENCE, || {
        let count = seen.lock().unwrap().len();
        std::future::ready(if count == 300 { Ok(()) } else { Err(format!("{count} arrived")) })
    })
    .await
    .unwrap();
    assert_eq!(lines(&place.path("results")), 0, "no request was answered, and all are there");
    let_through.add_permits(300);
    let ended = running.wait_with_output().await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(place.records("results").len(), 300);
}

#[tokio::test]
async fn a_crash_loses_nothing_and_the_rest_is_sent_once() {
    let let_through = Arc::new(Semaphore::new(12));
    let behaviour = Behaviour { let_through: let_through.clone(), ..Behaviour::default() };
    let (place, responder) = (Place::new(), Responder::start(behaviour).await);
    place.file("trace.csv", &closed(30));
    let url = responder.url();
    let arguments = ["replay", "trace.csv", "--images", "pictures", "-o", "results", "--broker", &url];
    let mut running = start(&place, &arguments);
    let results = place.path("results");
    wait_for(PATIENCE, || {
        let count = lines(&results);
        std::future::ready(if count == 12 { Ok(()) } else { Err(format!("{count} records")) })
    })
    .await
    .unwrap();
    running.kill().await.unwrap();
    let_through.add_permits(1_000);
    let (code, _, err) = run(&place, &arguments).await;
    assert_eq!(code, 1);
    assert!(err.contains("results is there already"), "{err}");
    let other = [&arguments[..], &["--resume", "--policy", "cloud"]].concat();
    let (code, _, err) = run(&place, &other).await;
    assert_eq!(code, 1);
    assert!(err.contains("begun with another trace, campaign or other options"), "{err}");
    let (code, out, err) = run(&place, &[&arguments[..], &["--resume", "--json"]].concat()).await;
    assert_eq!(code, 0, "{err}");
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(figures["requests"], 30, "the figures are of all");
    let mut requests: Vec<u64> = place.records("results").iter().map(|record| record.request).collect();
    requests.sort_unstable();
    assert_eq!(requests, (0..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_required_decides_the_exit_code() {
    let behaviour = Behaviour { fails_each: 4, ..Behaviour::default() };
    let (place, responder) = (Place::new(), Responder::start(behaviour).await);
    place.file("trace.csv", &closed(20));
    let url = responder.url();
    let base = ["replay", "trace.csv", "--images", "pictures", "--broker", &url];
    for (name, required, expected) in [("a", "answered>=0.75", 0), ("b", "within>=0.76", 1)] {
        let (code, out, err) = run(&place, &[&base[..], &["-o", name, "--require", required]].concat()).await;
        assert_eq!(code, expected, "{out}{err}");
        assert!(out.contains("failed: infeasible 5"), "{out}");
        assert_eq!(err.contains("within>=0.76 is required, and it is 0.75"), expected == 1, "{err}");
    }
    let failed = place.records("a").into_iter().find(|record| !record.is_answered()).unwrap();
    let message = "it is the turn of this one".to_owned();
    assert_eq!(failed.outcome, Ending::Failed { fault: FaultKind::Infeasible, message });
}

#[tokio::test]
async fn a_gateway_is_driven_over_http() {
    let (place, seen) = (Place::new(), Seen::default());
    let url = http(seen.clone()).await;
    place.file("trace.csv", &closed(5));
    let base = ["replay", "trace.csv", "--images", "pictures", "-o", "results", "--http", &url];
    let (code, _, err) = run(&place, &[&base[..], &["--policy", "energy"]].concat()).await;
    assert_eq!(code, 0, "{err}");
    let asked = seen.lock().unwrap().clone();
    let expected = (PolicyName::Energy, 60_001.0, b"\xff\xd8 b".to_vec());
    assert_eq!((asked.len(), &asked[1]), (5, &expected));
    let records = place.records("results");
    let message = "full".to_owned();
    assert_eq!(records[2].outcome, Ending::Failed { fault: FaultKind::Overloaded, message });
    let answer = records[0].answer.as_ref().unwrap();
    assert_eq!((answer.correct, answer.side), (Some(true), None), "nobody tells the last cut over HTTP");
}
