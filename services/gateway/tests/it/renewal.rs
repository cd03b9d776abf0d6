//! Tokens and certificates are renewed while the gateway runs.

use std::fs;
use std::path::Path;

use gateway::Settings;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use testkit::wait_for;

use crate::hardening::digest;
use crate::site::{PATIENCE, Site};

/// Replaces a file in one step, as whoever renews it should.
fn put(file: &Path, text: &str) {
    let beside = file.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_is_taken_and_one_that_is_gone_is_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tokens");
    put(&file, &format!("{} camera\n", digest("first")));
    let site = Site::with(Settings { tokens_file: Some(file.clone()), ..Settings::default() }).await?;
    let status = async |token: &str| {
        let request = site.client.get(format!("{}/v2", site.url)).bearer_auth(token).timeout(PATIENCE);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((status("first").await, status("second").await), (200, 401));

    put(&file, &format!("{} robot\n", digest("second")));
    wait_for(PATIENCE, || async {
        match status("second").await {
            200 => Ok(()),
            other => Err(format!("the new token is answered {other}")),
        }
    })
    .await?;
    assert_eq!(status("first").await, 401);

    // A file that cannot be used changes nothing; the next one that can be is taken.
    put(&file, "no digest\n");
    put(&file, &format!("{} robot\n{} camera\n", digest("second"), digest("first")));
    wait_for(PATIENCE, || async {
        assert_eq!(status("second").await, 200, "what was read before stays in use");
        match status("first").await {
            200 => Ok(()),
            other => Err(format!("the token is answered {other}")),
        }
    })
    .await
}

/// A certificate made now, put where the settings name it.
fn certified(certificate: &Path, key: &Path) -> anyhow::Result<reqwest::Certificate> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
    put(certificate, &cert.pem());
    put(key, &signing_key.serialize_pem());
    Ok(reqwest::Certificate::from_pem(cert.pem().as_bytes())?)
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_are_shown_the_renewed_certificate_and_open_ones_go_on() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let first = certified(&certificate, &key)?;
    let settings = Settings {
        tls_certificate_file: Some(certificate.clone()),
        tls_key_file: Some(key.clone()),
        ..Settings::default()
    };
    let site = Site::with(settings).await?;
    let url = format!("https://localhost:{}/v2/health/live", site.url.rsplit(':').next().unwrap());
    let trusting = |signer| {
        reqwest::Client::builder().tls_built_in_root_certs(false).add_root_certificate(signer).build()
    };
    let status = async |client: &reqwest::Client| {
        client.get(&url).timeout(PATIENCE).send().await.map(|response| response.status().as_u16())
    };
    let before = trusting(first.clone())?;
    assert_eq!(status(&before).await?, 200);

    let second = certified(&certificate, &key)?;
    wait_for(PATIENCE, || async {
        let client = trusting(second.clone()).map_err(|error| error.to_string())?;
        status(&client).await.map(drop).map_err(|error| format!("{error:?}"))
    })
    .await?;
    assert_eq!(status(&before).await?, 200, "an open connection goes on");
    assert!(status(&trusting(first)?).await.is_err(), "a new connection was shown the old certificate");
    Ok(())
}
