//! What the optimizer does not do, and says so.

use std::sync::Arc;
use std::time::Duration;

use optimizer::Settings;
use schemas::{Configuration, Fault, FaultKind, ModelName, OptimizeRequest};
use testkit::wait_for;

use crate::site::{PATIENCE, Site, no_trouble, request};

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_refused_with_the_reason() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let cases = [
        (OptimizeRequest { pictures: Vec::new(), ..request(1) }, FaultKind::BadRequest, "no picture"),
        (request(0), FaultKind::BadRequest, "use 1 to 1000"),
        (request(1_001), FaultKind::BadRequest, "use 1 to 1000"),
        (
            OptimizeRequest { model: ModelName::new("lenet")?, ..request(1) },
            FaultKind::UnknownModel,
            "use tiny",
        ),
    ];
    for (request, kind, says) in cases {
        let fault = site.measure(&request).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{}", fault.message);
        assert!(fault.message.contains(says), "{}", fault.message);
    }
    assert!(site.ran.lock().unwrap().is_empty(), "nothing was run for a refused request");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_none_ends_the_measuring() -> anyhow::Result<()> {
    let refusal = Fault::new(FaultKind::BadRequest, "the body is not a picture");
    let answer = refusal.clone();
    let trouble = Arc::new(move |_: &Configuration, _: u32| Err(answer.clone()));
    let site = Site::start(Settings::default(), trouble).await?;
    assert_eq!(site.measure(&request(3)).await.unwrap_err(), refusal);
    assert_eq!(site.ran.lock().unwrap().len(), 1, "the same picture would be refused each time");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_always_fails_is_given_up() -> anyhow::Result<()> {
    let trouble = Arc::new(|_: &Configuration, _: u32| Err(Fault::new(FaultKind::Internal, "broken")));
    let site = Site::start(Settings { retries: 0, ..Settings::default() }, trouble).await?;
    let fault = site.measure(&request(3)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(
        fault.message.contains("everything in the cloud") && fault.message.contains("broken"),
        "{}",
        fault.message
    );
    assert_eq!(site.ran.lock().unwrap().len(), 2, "without the baselines the rest is not tried");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_network_is_measured_at_a_time() -> anyhow::Result<()> {
    let site = Arc::new(Site::start(Settings::default(), no_trouble()).await?);
    let first = {
        let site = site.clone();
        tokio::spawn(async move { site.ask(&request(1_000), Duration::from_secs(3)).await.map(|_answer| ()) })
    };
    wait_for(PATIENCE, || async {
        if site.ran.lock().unwrap().is_empty() { Err("nothing runs yet".to_owned()) } else { Ok(()) }
    })
    .await?;
    let fault = site.measure(&request(1)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Overloaded);
    assert!(fault.message.contains("tiny is being measured now") && fault.retry_after_ms.is_some());
    assert_eq!(first.await?.unwrap_err().to_fault().kind, FaultKind::DeadlineExceeded);
    Ok(())
}
