//! The two forms over NATS, and how requests end.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use broker::{Answer, CallError, subjects};
use gateway::Settings;
use image::ImageFormat;
use schemas::{
    ByteCount, FaultKind, InferReply, InferRequest, Input, InstanceId, Millis, Outcome, PolicyName, Qos,
    Stage, Tensor, UnixMillis,
};

use crate::plain::ask;
use crate::site::{PATIENCE, Script, Site, configuration, jpeg, model, picture};

/// How much later than promised a busy machine may make an answer.
const BUSY_MACHINE: Duration = Duration::from_millis(700);

fn request(input: Input<'_>, latency_ms: f64) -> InferRequest<'_> {
    let latency_ms = Millis::new(latency_ms).unwrap();
    InferRequest { input, qos: Some(Qos::within(latency_ms)), policy: Some(PolicyName::Energy) }
}

async fn call(site: &Site, request: &InferRequest<'_>, budget: Duration) -> Result<Answer, CallError> {
    site.bus.ask(subjects::infer(&model()), budget, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_answered_in_json() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let headers = [("Splinter-Latency-Ms", "15000"), ("Splinter-Policy", "cloud")];
        let answer = ask(site.server.port(), "splinter.v1.infer.tiny", &headers, &picture(format)).await?;
        assert_eq!(answer.error_code(), None, "{}", answer.headers);
        let json = answer.json();
        assert_eq!(json["top"][0]["label"], "cat");
        assert_eq!((&json["policy"], &json["within_limit"]), (&"cloud".into(), &true.into()));
        assert_eq!(json["energy"][0]["source"], "emulated");

        let planned = site.planned.lock().unwrap().clone().unwrap();
        assert_eq!(planned.qos.latency_ms, Millis::new(15_000.0)?);
        let receipt = site.receipts.next().await;
        assert_eq!(receipt.id, serde_json::from_value(json["id"].clone())?);
        assert_eq!(receipt.outcome, Outcome::Within);
        assert_eq!(receipt.policy, Some(PolicyName::Cloud));
        assert_eq!((receipt.planned, receipt.executed), (Some(configuration()), Some(configuration())));
        assert_eq!(
            (receipt.edge, receipt.cloud),
            (Some(InstanceId::new("edge1")?), Some(InstanceId::new("cloud1")?))
        );
        assert_eq!((receipt.sent_bytes, receipt.energy.len()), (ByteCount(1_234), 2));
        assert_eq!(receipt.stages.first().map(|stage| stage.stage), Some(Stage::Plan));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_messagepack_request_is_answered_in_messagepack() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let tensor = Tensor::from_f32(vec![1, 3, 2, 2], &[0.5; 12])?;
    let inputs = [
        Input::Encoded { bytes: Cow::Owned(jpeg()) },
        Input::Pixels { height: 2, width: 3, rgb: Cow::Owned(vec![7; 18]) },
        Input::Tensor(tensor),
    ];
    for input in inputs {
        let answer = call(&site, &request(input, 15_000.0), PATIENCE).await?;
        let reply: InferReply = schemas::decode(&answer.body)?;
        assert_eq!((reply.policy, reply.within_limit), (PolicyName::Energy, true));
        assert_eq!(reply.limit_ms, Millis::new(15_000.0)?);
        let read = site.receipts.until(reply.id).await;
        assert_eq!(read.len(), 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_is_an_answer() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    site.set(Script::AnswerAfter(Duration::from_millis(60)));
    let headers = [("Splinter-Latency-Ms", "10")];
    let answer = ask(site.server.port(), "splinter.v1.infer.tiny", &headers, &jpeg()).await?;
    assert_eq!((answer.error_code(), &answer.json()["within_limit"]), (None, &false.into()));
    assert_eq!(site.receipts.next().await.outcome, Outcome::Late);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_executor_costs_no_more_than_the_deadline() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    site.set(Script::Hang);
    let budget = Duration::from_millis(400);
    let deadline = UnixMillis::now().after(budget).0.to_string();
    let headers = [("Splinter-Deadline", deadline.as_str())];
    let began = Instant::now();
    let answer = ask(site.server.port(), "splinter.v1.infer.tiny", &headers, &jpeg()).await?;
    assert!(began.elapsed() < budget + BUSY_MACHINE, "{:?}", began.elapsed());
    assert_eq!(answer.error_code(), Some(504), "{:?}", answer.json());
    let receipt = site.receipts.next().await;
    assert_eq!(receipt.outcome, Outcome::Failed(FaultKind::DeadlineExceeded));
    assert_eq!((receipt.planned, receipt.executed), (Some(configuration()), None));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_gateway_refuses_and_accounts_for_it() -> anyhow::Result<()> {
    let mut site = Site::with(Settings { capacity: 1, ..Settings::default() }).await?;
    site.set(Script::Hang);
    let port = site.server.port();
    let deadline = UnixMillis::now().after(Duration::from_secs(3)).0.to_string();
    let first = tokio::spawn(async move {
        let headers = [("Splinter-Deadline", deadline.as_str())];
        ask(port, "splinter.v1.infer.tiny", &headers, &jpeg()).await
    });
    testkit::wait_for(PATIENCE, || async {
        site.planned.lock().unwrap().is_some().then_some(()).ok_or_else(|| "not planned yet".to_owned())
    })
    .await?;
    let second = ask(port, "splinter.v1.infer.tiny", &[], &jpeg()).await?;
    assert_eq!((second.error_code(), &second.json()["kind"]), (Some(429), &"overloaded".into()));
    let receipt = site.receipts.next().await;
    assert_eq!(receipt.outcome, Outcome::Failed(FaultKind::Overloaded));
    assert_eq!(first.await??.error_code(), Some(504));
    Ok(())
}
