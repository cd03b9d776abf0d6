//! HTTP against those who mean ill or are broken: floods, slow clients, wrong tokens; and TLS.

use std::path::PathBuf;
use std::time::Duration;

use gateway::Settings;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::header::AUTHORIZATION;
use schemas::Millis;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::wait_for;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::site::{PATIENCE, Script, Site, jpeg};

/// SHA-256 in hexadecimal, as `sha256sum` writes it.
pub fn digest(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn connect(site: &Site) -> TcpStream {
    TcpStream::connect(site.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// What the other side says until it hangs up.
async fn heard(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end, too.
    timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("it never hung up").ok();
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_is_bounded_and_others_are_served() -> anyhow::Result<()> {
    let site = Site::with(Settings { capacity: 4, ..Settings::default() }).await?;
    site.set(Script::Hang);
    let mut flood = JoinSet::new();
    for _ in 0..100 {
        let request = site.client.post(format!("{}/v1/infer/tiny", site.url)).body(jpeg()).timeout(PATIENCE);
        flood.spawn(request.send());
    }
    // All but those in work are refused at once; the four hang until their deadline.
    for _ in 0..96 {
        let response = timeout(PATIENCE, flood.join_next()).await?.unwrap()??;
        assert_eq!(response.status().as_u16(), 429);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(response.json::<Value>().await?["kind"], "overloaded");
    }
    assert_eq!(site.get("/v2/health/live").await.status().as_u16(), 200);
    assert_eq!(site.get("/").await.status().as_u16(), 200);
    let in_flight = site.get("/metrics").await.text().await?;
    assert!(in_flight.contains("splinter_gateway_requests_in_flight 4"), "{in_flight}");
    flood.abort_all();
    site.set(Script::Answer);
    // Whoever hangs up gives its place back.
    wait_for(PATIENCE, || async {
        let status = site.post("tiny", "", jpeg()).await.status().as_u16();
        if status == 200 { Ok(()) } else { Err(format!("still {status}")) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_bound_are_told_so() -> anyhow::Result<()> {
    let site =
        Site::with(Settings { connections: 8, connections_per_client: 3, ..Settings::default() }).await?;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(connect(&site).await);
    }
    // The three are accepted in order, before this one.
    let answer = heard(connect(&site).await).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Retry-After: 1"), "{answer}");
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap())?;
    assert_eq!((&body["kind"], &body["retry_after_ms"]), (&"overloaded".into(), &1_000.0.into()));
    // Those that have a place are served.
    let mut first = open.pop().unwrap();
    first.write_all(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    let answer = heard(first).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    wait_for(PATIENCE, || async {
        let response = site.client.get(format!("{}/v2/health/live", site.url)).timeout(PATIENCE).send().await;
        match response.map(|response| response.status().as_u16()) {
            Ok(200) => Ok(()),
            other => Err(format!("the place was not given back: {other:?}")),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_come_cost_a_connection_its_place() -> anyhow::Result<()> {
    let settings = Settings {
        headers_timeout_ms: Millis::new(300.0)?,
        connections: 16,
        connections_per_client: 16,
        ..Settings::default()
    };
    let site = Site::with(settings).await?;
    let mut slow = JoinSet::new();
    for _ in 0..16 {
        let mut stream = connect(&site).await;
        slow.spawn(async move {
            // A letter at a time, as a slow-loris does: that it sends something wins it nothing.
            let headers = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x'));
            for letter in headers {
                if stream.write_all(&[*letter]).await.is_err() {
                    return;
                }
                let mut answer = [0; 1];
                match timeout(Duration::from_millis(20), stream.read(&mut answer)).await {
                    Err(_nothing_yet) => {}
                    Ok(_) => return,
                }
            }
        });
    }
    timeout(PATIENCE, async { while slow.join_next().await.is_some() {} }).await?;
    assert_eq!(site.get("/v2/health/live").await.status().as_u16(), 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_is_given_up() -> anyhow::Result<()> {
    let site = Site::with(Settings { body_timeout_ms: Millis::new(300.0)?, ..Settings::default() }).await?;
    let mut stream = connect(&site).await;
    stream
        .write_all(
            b"POST /v1/infer/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n",
        )
        .await?;
    let (mut reading, mut writing) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut answer = Vec::new();
    timeout(PATIENCE, reading.read_to_end(&mut answer)).await?.ok();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    timeout(PATIENCE, dripping).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_headers_are_refused() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let mut stream = connect(&site).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ").await?;
    let long = vec![b'x'; 64 * 1024];
    let (mut reading, mut writing) = stream.into_split();
    let writing = tokio::spawn(async move { while writing.write_all(&long).await.is_ok() {} });
    let mut answer = Vec::new();
    timeout(PATIENCE, reading.read_to_end(&mut answer)).await?.ok();
    drop(reading);
    timeout(PATIENCE, writing).await??;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(site.get("/v2/health/live").await.status().as_u16(), 200);
    Ok(())
}

fn tokens() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    std::fs::write(&file, format!("# who\n{} camera\n{} robot\n", digest("first"), digest("second")))
        .unwrap();
    (folder, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_right_token_only_health_and_the_page_itself_answer() -> anyhow::Result<()> {
    let (_folder, file) = tokens();
    let site = Site::with(Settings { tokens_file: Some(file), ..Settings::default() }).await?;
    let get = |path: &str| site.client.get(format!("{}{path}", site.url)).timeout(PATIENCE);
    for open in ["/", "/page/main.js", "/v2/health/live", "/v2/health/ready"] {
        assert_eq!(get(open).send().await?.status().as_u16(), 200, "{open}");
    }
    let guarded = ["/v1/events", "/metrics", "/v2", "/v2/models/tiny", "/v2/models/tiny/ready"];
    for path in guarded {
        for (header, challenge) in [
            (None, "Bearer realm=\"splinter\""),
            (Some("Basic Zmlyc3Q6"), "Bearer realm=\"splinter\""),
            (Some("Bearer"), "Bearer realm=\"splinter\""),
            (Some("Bearer firs"), "Bearer realm=\"splinter\", error=\"invalid_token\""),
            (Some("Bearer camera"), "Bearer realm=\"splinter\", error=\"invalid_token\""),
        ] {
            let request =
                header.into_iter().fold(get(path), |request, value| request.header(AUTHORIZATION, value));
            let response = request.send().await?;
            assert_eq!(response.status().as_u16(), 401, "{path} with {header:?}");
            assert_eq!(response.headers()["www-authenticate"], challenge, "{path} with {header:?}");
            assert_eq!(response.json::<Value>().await?["kind"], "unauthorized");
        }
        for right in ["Bearer first", "bearer second"] {
            let response = get(path).header(AUTHORIZATION, right).send().await?;
            assert_eq!(response.status().as_u16(), 200, "{path} with {right}");
        }
    }
    // Refused before the body is read, and without a receipt: nobody is known to have asked.
    assert_eq!(site.post("tiny", "", jpeg()).await.status().as_u16(), 401);
    let url = format!("{}/v1/infer/tiny", site.url);
    let request = site.client.post(url).header(AUTHORIZATION, "Bearer first").body(jpeg());
    assert_eq!(request.timeout(PATIENCE).send().await?.status().as_u16(), 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_where_a_certificate_is_named() -> anyhow::Result<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
    let folder = tempfile::tempdir()?;
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, cert.pem())?;
    std::fs::write(&key, signing_key.serialize_pem())?;
    let settings = Settings {
        tls_certificate_file: Some(certificate),
        tls_key_file: Some(key),
        headers_timeout_ms: Millis::new(2_000.0)?,
        ..Settings::default()
    };
    let site = Site::with(settings).await?;
    let trusting = reqwest::Client::builder()
        .add_root_certificate(reqwest::Certificate::from_pem(cert.pem().as_bytes())?)
        .build()?;
    let port = site.url.rsplit(':').next().unwrap();
    let url = format!("https://localhost:{port}/v1/infer/tiny");
    let response = trusting.post(&url).body(jpeg()).timeout(PATIENCE).send().await?;
    assert_eq!(response.status().as_u16(), 200);
    assert!(
        site.client.post(&url).body(jpeg()).timeout(PATIENCE).send().await.is_err(),
        "an unknown signer was trusted"
    );

    // One that never speaks TLS loses its place, and one that speaks plainly is not answered.
    let silent = connect(&site).await;
    assert_eq!(heard(silent).await, "");
    let mut plain = connect(&site).await;
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    assert!(!heard(plain).await.contains("200 OK"));
    Ok(())
}

/// Why a gateway with these settings does not start, its causes included.
async fn refused(settings: Settings) -> anyhow::Result<String> {
    let server = testkit::TestServer::start().await?;
    let context = chassis::ServiceContext::new(
        schemas::ServiceKind::Gateway,
        server.connect("gateway").await?,
        schemas::NodeId::new("site")?,
        schemas::InstanceId::new("gateway1")?,
        Duration::from_secs(1),
    );
    let Err(error) = gateway::start(settings, context).await else { panic!("it starts") };
    let message = format!("{:#}", anyhow::Error::from(error));
    assert!(!message.contains('\n'), "{message}");
    Ok(message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_one_line_that_says_what_to_change() -> anyhow::Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let message = refused(Settings { http: taken.local_addr()?, ..Settings::default() }).await?;
    let address = taken.local_addr()?.to_string();
    assert!(message.contains("gateway.http") && message.contains(&address), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_out_of_its_time_is_refused_with_its_date() -> anyhow::Result<()> {
    for (from, to, says) in [(2020, 2021, "expired on Jan  1"), (2200, 2201, "valid from Jan  1")] {
        let folder = tempfile::tempdir()?;
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        let signing = rcgen::KeyPair::generate()?;
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()])?;
        parameters.not_before = rcgen::date_time_ymd(from, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(to, 1, 1);
        std::fs::write(&certificate, parameters.self_signed(&signing)?.pem())?;
        std::fs::write(&key, signing.serialize_pem())?;
        let settings = Settings {
            tls_certificate_file: Some(certificate),
            tls_key_file: Some(key),
            http: "127.0.0.1:0".parse()?,
            ..Settings::default()
        };
        let message = refused(settings).await?;
        assert!(message.contains("tls_certificate_file") && message.contains(says), "{message}");
    }
    Ok(())
}
