//! HTTP: answers, limits, statuses and metrics.

use std::time::Duration;

use gateway::Settings;
use reqwest::Method;
use schemas::{
    Cut, Fault, FaultKind, Feasible, InferReply, InferRequest, Input, Joules, LimitKind, Millis, Outcome,
    PolicyName, Qos, Share, UnixMillis,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::plain::ask;
use crate::site::{PATIENCE, Script, Site, jpeg};

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_answered_in_json() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    // The query goes before the headers.
    let url = format!("{}/v1/infer/tiny?latency_ms=15000&policy=edge", site.url);
    let request =
        site.client.post(url).header("Splinter-Latency-Ms", "1").header("Content-Type", "image/jpeg");
    let response = request.body(jpeg()).timeout(PATIENCE).send().await?;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse()?)
    );
    let reply: InferReply = response.json().await?;
    assert_eq!((reply.policy, reply.limit_ms), (PolicyName::Edge, Millis::new(15_000.0)?));
    let read = site.receipts.until(reply.id).await;
    assert_eq!((read.len(), read[0].outcome), (1, Outcome::Within));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_messagepack_request_is_answered_in_messagepack() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let request = InferRequest {
        input: Input::Encoded { bytes: jpeg().into() },
        qos: None,
        policy: Some(PolicyName::Latency),
    };
    let posted = site
        .client
        .post(format!("{}/v1/infer/tiny", site.url))
        .header("Content-Type", "application/vnd.splinter.v1+msgpack")
        .body(schemas::encode(&request)?);
    let response = posted.timeout(PATIENCE).send().await?;
    assert_eq!(response.status().as_u16(), 200);
    let reply: InferReply = schemas::decode(&response.bytes().await?)?;
    assert_eq!(reply.policy, PolicyName::Latency);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_say_what_went_wrong() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let faults = [
        (FaultKind::Unsupported, 501),
        (FaultKind::UnknownModel, 404),
        (FaultKind::BadRequest, 400),
        (FaultKind::DeadlineExceeded, 504),
    ];
    for (kind, status) in faults {
        site.set(Script::Refuse(Fault::new(kind, "so it is")));
        let response = site.post("tiny", "", jpeg()).await;
        assert_eq!(response.status().as_u16(), status, "{kind:?}");
        let json: Value = response.json().await?;
        assert_eq!((&json["error"], &json["kind"]), (&"so it is".into(), &kind.as_str().into()));
        assert_eq!(site.receipts.next().await.outcome, Outcome::Failed(kind));
    }
    // These may pass, so they are tried again until the deadline.
    for (kind, status) in [(FaultKind::Unavailable, 503), (FaultKind::Overloaded, 429)] {
        let fault = Fault { retry_after_ms: Some(Millis::new(1_500.0)?), ..Fault::new(kind, "not now") };
        site.set(Script::Refuse(fault));
        let deadline = UnixMillis::now().after(Duration::from_millis(600)).0;
        let response = site.post("tiny", &format!("?deadline={deadline}"), jpeg()).await;
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (status, &"2".parse()?));
        assert_eq!(site.receipts.next().await.outcome, Outcome::Failed(kind));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_may_be_asked_for_reaches_the_plan() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let share = |value| Some(Share::new(value).unwrap());
    let wanted = Qos {
        latency_ms: Millis::new(15_000.0)?,
        accuracy_floor: share(0.5),
        least_cut: Some(Cut(2)),
        limit: LimitKind::Hard,
        energy_weight: share(0.25),
    };
    let query = "?latency_ms=15000&limit=hard&energy_weight=0.25&accuracy_floor=0.5&least_cut=2";
    assert_eq!(site.post("tiny", query, jpeg()).await.status().as_u16(), 200);
    assert_eq!(site.planned.lock().unwrap().take().unwrap().qos, wanted);

    let headers = [
        ("Splinter-Latency-Ms", "15000"),
        ("Splinter-Limit", "hard"),
        ("Splinter-Energy-Weight", "0.25"),
        ("Splinter-Accuracy-Floor", "0.5"),
        ("Splinter-Least-Cut", "2"),
    ];
    let url = format!("{}/v1/infer/tiny", site.url);
    let request =
        headers.iter().fold(site.client.post(url), |request, (name, value)| request.header(*name, *value));
    assert_eq!(request.body(jpeg()).timeout(PATIENCE).send().await?.status().as_u16(), 200);
    assert_eq!(site.planned.lock().unwrap().take().unwrap().qos, wanted);

    let answer = ask(site.server.port(), "splinter.v1.infer.tiny", &headers, &jpeg()).await?;
    assert_eq!(answer.error_code(), None, "{}", answer.headers);
    assert_eq!(site.planned.lock().unwrap().take().unwrap().qos, wanted);

    // A floor alone leaves the limit at the gateway's own.
    assert_eq!(site.post("tiny", "?least_cut=1", jpeg()).await.status().as_u16(), 200);
    let qos = site.planned.lock().unwrap().take().unwrap().qos;
    assert_eq!((qos.latency_ms, qos.least_cut), (Settings::default().default_latency_ms, Some(Cut(1))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_infeasible_request_is_told_what_would_be() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let feasible = Feasible { latency_ms: Millis::new(41.5)?, energy_j: Some(Joules::new(1.25)?) };
    let refusal = Fault {
        retry_after_ms: Some(Millis::new(1_500.0)?),
        feasible: Some(feasible),
        ..Fault::new(FaultKind::Infeasible, "nothing is within 5 ms")
    };
    site.set(Script::Refuse(refusal));
    let response = site.post("tiny", "?latency_ms=5&limit=hard", jpeg()).await;
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (422, &"2".parse()?));
    let json: Value = response.json().await?;
    assert_eq!(json["feasible"], serde_json::json!({ "latency_ms": 41.5, "energy_j": 1.25 }));
    assert_eq!(json["retry_after_ms"], 1_500.0);

    let headers = [("Splinter-Latency-Ms", "5"), ("Splinter-Limit", "hard")];
    let answer = ask(site.server.port(), "splinter.v1.infer.tiny", &headers, &jpeg()).await?;
    assert_eq!(answer.error_code(), Some(422));
    assert_eq!(answer.json()["feasible"]["latency_ms"], 41.5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn places_and_methods_that_are_not_there() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let wrong = [
        (Method::GET, "/nowhere", 404),
        (Method::POST, "/", 405),
        (Method::GET, "/v1/infer/tiny", 405),
        (Method::POST, "/metrics", 405),
        (Method::POST, "/v1/infer/tiny?limit=3", 400),
    ];
    for (method, path, status) in wrong {
        let response = site.client.request(method, format!("{}{path}", site.url)).send().await?;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert!(response.json::<Value>().await?["error"].is_string(), "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_is_refused() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let response = site.post("tiny", "", vec![0; 100_001]).await;
    assert_eq!(response.status().as_u16(), 413);
    assert!(response.json::<Value>().await?["error"].is_string());
    assert_eq!(site.receipts.next().await.outcome, Outcome::Failed(FaultKind::BadRequest));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_given_up() -> anyhow::Result<()> {
    let settings = Settings { body_timeout_ms: Millis::new(100.0)?, ..Settings::default() };
    let mut site = Site::with(settings).await?;
    let mut stream = tokio::net::TcpStream::connect(site.url.strip_prefix("http://").unwrap()).await?;
    stream
        .write_all(b"POST /v1/infer/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nfew")
        .await?;
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await??;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(site.receipts.next().await.outcome, Outcome::Failed(FaultKind::BadRequest));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_time_and_joules() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    for body in [jpeg(), jpeg(), b"not a picture".to_vec()] {
        site.post("tiny", "?latency_ms=15000", body).await;
        site.receipts.next().await;
    }
    for unknown in ["a", "b", "c$"] {
        site.post(unknown, "", jpeg()).await;
    }
    let response = site.get("/metrics").await;
    assert!(
        response.headers()["content-type"]
            .to_str()?
            .starts_with("application/openmetrics-text; version=1.0.0")
    );
    let text = response.text().await?;
    for line in [
        r#"splinter_gateway_requests_total{model="tiny",outcome="within"} 2.0"#,
        r#"splinter_gateway_requests_total{model="tiny",outcome="bad_request"} 1.0"#,
        r#"splinter_gateway_requests_total{model="unknown",outcome="unknown_model"} 2.0"#,
        r#"splinter_gateway_requests_total{model="unknown",outcome="bad_request"} 1.0"#,
        r#"splinter_gateway_energy_joules_total{model="tiny",place="cloud",source="emulated"} 3.0"#,
        r#"splinter_gateway_energy_joules_total{model="tiny",place="edge",source="emulated"} 0.5"#,
        r#"splinter_gateway_request_duration_seconds_count{model="tiny"} 3"#,
        r#"splinter_gateway_request_duration_seconds_bucket{le="60.0",model="tiny"} 3"#,
        r#"splinter_gateway_sent_bytes_total{model="tiny"} 2468.0"#,
        r#"splinter_gateway_stage_duration_seconds_count{model="tiny",stage="head",place="edge"} 2"#,
        r#"splinter_gateway_plans_total{policy="dynasplit",reason="least_energy_within_limit"} 2.0"#,
        r#"splinter_service_capacity{service="gateway"} 64.0"#,
        "splinter_gateway_requests_in_flight 0.0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    Ok(())
}
