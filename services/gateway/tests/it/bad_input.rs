//! Every bad input gets a clear typed error and one receipt, and the gateway lives on.

use image::ImageFormat;
use schemas::{Fault, FaultKind, Outcome, UnixMillis};

use crate::plain::ask;
use crate::site::{Script, Site, jpeg, picture};

struct Case {
    name: &'static str,
    model: &'static str,
    /// Header and query value of one term.
    term: Option<(&'static str, &'static str, String)>,
    body: Vec<u8>,
    code: u16,
    kind: FaultKind,
    says: &'static str,
}

fn case(name: &'static str, body: Vec<u8>, says: &'static str) -> Case {
    Case { name, model: "tiny", term: None, body, code: 400, kind: FaultKind::BadRequest, says }
}

fn with_term(
    name: &'static str,
    header: &'static str,
    query: &'static str,
    value: &str,
    says: &'static str,
) -> Case {
    Case { term: Some((header, query, value.to_owned())), ..case(name, jpeg(), says) }
}

/// A PNG whose header says 10 000 × 10 000 pixels.
fn great_picture() -> Vec<u8> {
    let mut bytes = picture(ImageFormat::Png);
    bytes[16..20].copy_from_slice(&10_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&10_000_u32.to_be_bytes());
    bytes
}

/// A JPEG of many bytes, most of them after its header.
fn noise(width: u32, height: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| image::Rgb([(x * 37 + y * 91) as u8, (x * y) as u8, (x * 13 + y * 7) as u8]);
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_fn(width, height, pixel).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn cases() -> Vec<Case> {
    let past = (UnixMillis::now().0 - 5_000).to_string();
    vec![
        case("not a picture", b"a cat, I swear".to_vec(), "not a picture"),
        case("nothing", vec![], "no body"),
        case("a JPEG cut in its header", jpeg()[..24].to_vec(), "cut off"),
        case("a PNG cut in its header", picture(ImageFormat::Png)[..20].to_vec(), "cut off"),
        case("10 000 × 10 000", great_picture(), "the limit is 50000000 pixels"),
        with_term("a limit of zero", "Splinter-Latency-Ms", "latency_ms", "0", "at most 60000 ms"),
        with_term("a limit of an hour", "Splinter-Latency-Ms", "latency_ms", "3600000", "at most 60000 ms"),
        with_term("a limit in words", "Splinter-Latency-Ms", "latency_ms", "fast", "not a number"),
        with_term("an unknown policy", "Splinter-Policy", "policy", "best", "use adaptive, dynasplit"),
        with_term("a deadline in words", "Splinter-Deadline", "deadline", "soon", "unix milliseconds"),
        Case {
            code: 504,
            kind: FaultKind::DeadlineExceeded,
            ..with_term("a deadline in the past", "Splinter-Deadline", "deadline", &past, "deadline")
        },
        Case {
            model: "nobody-serves-it",
            code: 404,
            kind: FaultKind::UnknownModel,
            ..case("an unknown model", jpeg(), "no model nobody-serves-it is served here: use tiny")
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn over_nats() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    for case in cases() {
        let headers: Vec<(&str, &str)> =
            case.term.iter().map(|(header, _, value)| (*header, value.as_str())).collect();
        let subject = format!("splinter.v1.infer.{}", case.model);
        let answer = ask(site.server.port(), &subject, &headers, &case.body).await?;
        assert_eq!(answer.error_code(), Some(case.code), "{}", case.name);
        let fault: Fault = serde_json::from_slice(&answer.payload)?;
        assert_eq!(fault.kind, case.kind, "{}", case.name);
        assert!(fault.message.contains(case.says), "{}: {}", case.name, fault.message);
        let receipt = site.receipts.next().await;
        assert_eq!(receipt.outcome, Outcome::Failed(case.kind), "{}", case.name);
        assert_eq!(receipt.model.as_str(), case.model);
    }
    it_lives_on(&mut site).await
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    for case in cases() {
        let query =
            case.term.as_ref().map(|(_, query, value)| format!("?{query}={value}")).unwrap_or_default();
        let response = site.post(case.model, &query, case.body).await;
        assert_eq!(response.status().as_u16(), case.code, "{}", case.name);
        let json: serde_json::Value = response.json().await?;
        let message = json["error"].as_str().unwrap();
        assert!(message.contains(case.says), "{}: {message}", case.name);
        let receipt = site.receipts.next().await;
        assert_eq!(receipt.outcome, Outcome::Failed(case.kind), "{}", case.name);
    }
    it_lives_on(&mut site).await
}

/// A good request is answered, and nothing had two receipts.
async fn it_lives_on(site: &mut Site) -> anyhow::Result<()> {
    let response = site.post("tiny", "?latency_ms=15000", jpeg()).await;
    assert_eq!(response.status().as_u16(), 200);
    let json: serde_json::Value = response.json().await?;
    let read = site.receipts.until(serde_json::from_value(json["id"].clone())?).await;
    assert_eq!((read.len(), read[0].outcome), (1, Outcome::Within));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_executor_refuses_comes_back_unchanged() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let refusal =
        Fault::new(FaultKind::BadRequest, "the picture ends after 20 of 24 rows: send the whole file");
    site.set(Script::Refuse(refusal.clone()));
    let whole = noise(128, 128);
    let truncated = &whole[..whole.len() / 2];

    let answer = ask(site.server.port(), "splinter.v1.infer.tiny", &[], truncated).await?;
    assert_eq!(serde_json::from_slice::<Fault>(&answer.payload)?, refusal);
    assert_eq!(site.receipts.next().await.outcome, Outcome::Failed(FaultKind::BadRequest));

    let response = site.post("tiny", "", truncated.to_vec()).await;
    assert_eq!(response.status().as_u16(), 400);
    assert_eq!(response.json::<serde_json::Value>().await?["error"], refusal.message);
    assert_eq!(site.receipts.next().await.outcome, Outcome::Failed(FaultKind::BadRequest));
    site.set(Script::Answer);
    it_lives_on(&mut site).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_model_can_have_is_refused() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let answer = ask(site.server.port(), "splinter.v1.infer.cat$", &[], &jpeg()).await?;
    assert_eq!(answer.error_code(), Some(400));
    let response = site.post("cat$", "", jpeg()).await;
    assert_eq!(response.status().as_u16(), 400);
    Ok(())
}
