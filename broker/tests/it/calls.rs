//! ACCEPT → RESULT or NACK, and where a call turns next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use broker::{Call, CallError};
use schemas::{Fault, FaultKind, UnixMillis};
use testkit::{TestServer, wait_for};
use tokio::sync::Notify;

use crate::{PATIENCE, answer, call, own, serve, serve_with, shared, text};

#[tokio::test]
async fn a_call_gets_the_answer_of_the_instance_it_names() {
    let server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let _one = serve(&there, "one").await;
    let _two = serve(&there, "two").await;
    for instance in ["one", "two"] {
        let got = caller.call(call(vec![own(instance), shared()], PATIENCE)).await.unwrap();
        assert_eq!((text(&got.body).as_str(), got.attempts), (instance, 1));
    }
}

#[tokio::test]
async fn an_absent_instance_costs_no_time() {
    let server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let _one = serve(&there, "one").await;
    let start = Instant::now();
    let got = caller.call(call(vec![own("gone"), own("also-gone"), shared()], PATIENCE)).await.unwrap();
    assert_eq!((text(&got.body).as_str(), got.attempts), ("one", 3));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn with_nobody_there_the_error_comes_at_once() {
    let server = TestServer::start().await.unwrap();
    let caller = server.connect("caller").await.unwrap();
    let error = caller.call(call(vec![shared()], PATIENCE)).await.unwrap_err();
    assert!(matches!(error, CallError::NoResponders(_)), "{error}");
    assert_eq!(error.to_fault().kind, FaultKind::Unavailable);
}

#[tokio::test]
async fn a_refusal_moves_on_and_a_bad_request_does_not() {
    let server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let refuse = |kind| move |_| async move { Err(Fault::new(kind, "no")) };
    let _full = serve_with(&there, "full", 8, refuse(FaultKind::Overloaded)).await;
    let _strict = serve_with(&there, "strict", 8, refuse(FaultKind::BadRequest)).await;
    let _good = serve_with(&there, "good", 8, |_| async { answer("good") }).await;
    let got = caller.call(call(vec![own("full"), own("good")], PATIENCE)).await.unwrap();
    assert_eq!(text(&got.body), "good");
    match caller.call(call(vec![own("strict"), own("good")], PATIENCE)).await {
        Err(CallError::Fault(fault)) => assert_eq!(fault.kind, FaultKind::BadRequest),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn work_beyond_the_credits_is_refused_as_overloaded() {
    let server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let (started, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (started.clone(), release.clone());
    let serving = serve_with(&there, "one", 1, move |_| {
        let (started, release) = signals.clone();
        async move {
            started.notify_one();
            release.notified().await;
            answer("done")
        }
    })
    .await;
    let first = tokio::spawn({
        let caller = caller.clone();
        async move { caller.call(call(vec![own("one")], PATIENCE)).await }
    });
    started.notified().await;
    assert_eq!(serving.credits().free(), 0);
    match caller.call(call(vec![own("one")], PATIENCE)).await {
        Err(CallError::Fault(fault)) => {
            assert_eq!(fault.kind, FaultKind::Overloaded);
            assert!(fault.retry_after_ms.is_some());
        }
        other => panic!("{other:?}"),
    }
    release.notify_one();
    assert_eq!(text(&first.await.unwrap().unwrap().body), "done");
    wait_for(PATIENCE, || async {
        if serving.credits().free() == 1 { Ok(()) } else { Err("no credit back".into()) }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_deadline_and_no_more() {
    let server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let _hung = serve_with(&there, "hung", 8, |_| std::future::pending()).await;
    let start = Instant::now();
    let error = caller.call(call(vec![own("hung")], Duration::from_millis(600))).await.unwrap_err();
    // The server cuts its handler off at the deadline too; whichever word comes first.
    assert_eq!(error.to_fault().kind, FaultKind::DeadlineExceeded, "{error}");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(550) && took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_panic_is_an_internal_fault_and_the_service_lives_on() {
    let server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let calls = AtomicU32::new(0);
    let _serving = serve_with(&there, "one", 8, move |_| {
        assert!(calls.fetch_add(1, Ordering::Relaxed) > 0, "the first call panics on purpose");
        async { answer("fine") }
    })
    .await;
    // Writing the panic's backtrace may take longer than a server is usually waited for.
    let patient = Call { accept_within: Some(PATIENCE), ..call(vec![own("one")], PATIENCE) };
    let error = caller.call(patient).await.unwrap_err();
    assert_eq!(error.to_fault().kind, FaultKind::Internal);
    assert_eq!(text(&caller.call(call(vec![own("one")], PATIENCE)).await.unwrap().body), "fine");
}

#[tokio::test]
async fn a_request_whose_deadline_has_passed_is_never_run() {
    let server = TestServer::start().await.unwrap();
    let (caller, there) = (server.connect("caller").await.unwrap(), server.connect("there").await.unwrap());
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let _serving = serve_with(&there, "one", 8, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { answer("late") }
    })
    .await;
    let mut late = call(vec![own("one")], PATIENCE);
    late.deadline = UnixMillis(1);
    let error = caller.call(late).await.unwrap_err();
    assert_eq!(error.to_fault().kind, FaultKind::DeadlineExceeded);
    assert_eq!(runs.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_repeated_request_runs_once_and_both_callers_are_answered() {
    let server = TestServer::start().await.unwrap();
    let (first, second) = (server.connect("first").await.unwrap(), server.connect("second").await.unwrap());
    let there = server.connect("there").await.unwrap();
    let (started, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let runs = Arc::new(AtomicU32::new(0));
    let parts = (started.clone(), release.clone(), runs.clone());
    let _serving = serve_with(&there, "one", 8, move |_| {
        let (started, release, runs) = parts.clone();
        async move {
            runs.fetch_add(1, Ordering::Relaxed);
            started.notify_one();
            release.notified().await;
            answer("once")
        }
    })
    .await;
    let request = call(vec![own("one")], PATIENCE);
    let (one, two) = (request.clone(), request.clone());
    let one = tokio::spawn(async move { first.call(one).await });
    started.notified().await;
    let (mut two, again) = (Box::pin(second.call(two)), second.clone());
    // The repetition is on its way when its call has been polled; the answer of the first serves it too.
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut two).await.is_err());
    release.notify_one();
    assert_eq!(text(&one.await.unwrap().unwrap().body), "once");
    assert_eq!(text(&two.await.unwrap().body), "once");
    assert_eq!(
        text(&again.call(request).await.unwrap().body),
        "once",
        "a later repetition gets the kept answer"
    );
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}
