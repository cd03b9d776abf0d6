//! Leaving under load loses nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use testkit::{FaultProxy, TestServer, wait_for};

use crate::{PATIENCE, answer, call, own, serve_with, shared};

/// A link with latency is where the client library's own ways of leaving lose messages.
const LINK: Duration = Duration::from_millis(5);

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_leaves_under_load_loses_no_request() {
    let server = TestServer::start().await.unwrap();
    let proxy = FaultProxy::start(server.port()).await.unwrap();
    let caller = server.connect("caller").await.unwrap();
    let (leaver, stayer) = (proxy.connect("leaver").await.unwrap(), server.connect("stayer").await.unwrap());
    proxy.delay(LINK);
    let work = |_| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer("done")
    };
    let leaving = serve_with(&leaver, "leaver", 64, work).await;
    let _staying = serve_with(&stayer, "stayer", 64, work).await;

    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU32::new(0));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (caller, stop, answered) = (caller.clone(), stop.clone(), answered.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let targets = vec![own("leaver"), shared(), own("stayer")];
                    caller.call(call(targets, PATIENCE)).await?;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, broker::CallError>(())
            })
        })
        .collect();
    leaving.leave(PATIENCE).await;
    let before = answered.load(Ordering::Relaxed);
    let went_on = wait_for(PATIENCE, || async {
        let now = answered.load(Ordering::Relaxed);
        if now >= before + 50 { Ok(()) } else { Err(format!("{now} answers, {before} before")) }
    });
    let went_on = went_on.await;
    stop.store(true, Ordering::Relaxed);
    for one in load {
        one.await.unwrap().unwrap();
    }
    went_on.unwrap();
}
