//! The page in a real browser: figures move, a picture is classified, keys and small screens will do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::chromium::{Chromium, program};
use crate::hardening::digest;
use crate::site::{Script, Site};
use crate::traffic;
use gateway::Settings;
use schemas::{Fault, FaultKind};

/// A folder that screenshots are written to, for the documentation.
const SCREENSHOTS: &str = "SPLINTER_SCREENSHOTS";
/// How long the traffic runs before they are taken, so that the charts are full.
const FILLING: Duration = Duration::from_secs(125);

/// The text of an element.
fn text(id: &str) -> String {
    format!("document.getElementById('{id}').textContent")
}

/// A sun over a hill, as a file that a person would drop.
fn cat() -> (TempDir, PathBuf) {
    let pixel = |x: u32, y: u32| {
        let (x, y) = (f64::from(x), f64::from(y));
        let is_sun = (x - 220.0).hypot(y - 80.0) < 34.0;
        let is_hill = y > 170.0 + 40.0 * (x / 70.0).sin();
        let sky = [250.0 - y / 2.0, 170.0 - y / 3.0, 110.0 + y / 3.0].map(|value: f64| value as u8);
        image::Rgb(if is_hill {
            [40, 70, 66]
        } else if is_sun {
            [255, 226, 150]
        } else {
            sky
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cat.jpg");
    image::RgbImage::from_fn(320, 240, pixel).save(&path).unwrap();
    (folder, path)
}

async fn assert_no_errors(browser: &mut Chromium) -> anyhow::Result<()> {
    let errors = browser.errors().await?;
    assert!(errors.is_empty(), "{errors:#?}");
    Ok(())
}

/// Nothing is wider than the screen.
async fn assert_fits(browser: &mut Chromium, width: u32) -> anyhow::Result<()> {
    let found = browser.evaluate("document.documentElement.scrollWidth").await?;
    assert!(found.as_u64().is_some_and(|found| found <= u64::from(width)), "{found} on {width}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_move_when_receipts_arrive() -> anyhow::Result<()> {
    let Some(program) = program() else { return Ok(()) };
    let site = Site::start().await?;
    let mut browser = Chromium::start(program).await?;
    browser.resize(1280, 900).await?;
    browser.open(&site.url).await?;
    browser.until(&format!("{} === 'Live'", text("status-text")), &text("status-text")).await?;
    browser.until(&format!("{}.includes('No front')", text("front-chart")), &text("front-chart")).await?;

    let front = traffic::front();
    let traffic = traffic::start(&site.bus, front, 20).await?;
    for (id, expected) in [
        ("within", "%"),
        ("rate", "a second"),
        ("latency", "ms median"),
        ("energy", "J"),
        ("policy", "Policy adaptive, in its shadow dynasplit"),
        ("front-about", "tiny on camera-7, which plays raspberry-pi-4 and rack-2; revision 3"),
        ("front-chart", "cut 15 ·"),
        ("joules-table", "emulated"),
        ("links", "Mbit/s"),
        ("services-table", "cloud2 on rack-2"),
        ("services-table", "full"),
    ] {
        let text = text(id);
        browser.until(&format!("{text}.includes('{expected}')"), &text).await?;
    }
    browser
        .until(
            "document.querySelectorAll('#front-chart .mark').length === 10",
            "document.querySelectorAll('#front-chart .mark').length",
        )
        .await?;
    browser.until("document.querySelector('#front-chart .ring') !== null", &text("front-chart")).await?;
    let outcomes = "document.getElementById('outcome-bar').ariaLabel";
    let before = browser.evaluate(outcomes).await?;
    browser.until(&format!("{outcomes} !== {before}"), outcomes).await?;
    assert_fits(&mut browser, 1280).await?;

    assert_no_errors(&mut browser).await?;

    // A gateway that leaves is said to be gone.
    drop(traffic);
    drop(site);
    let status = text("status-text");
    browser.until(&format!("{status}.includes('trying again')"), &status).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_classified_by_choosing_and_by_dropping() -> anyhow::Result<()> {
    let Some(program) = program() else { return Ok(()) };
    let site = Site::start().await?;
    let (_folder, cat) = cat();
    let mut browser = Chromium::start(program).await?;
    browser.open(&site.url).await?;
    browser.until("document.getElementById('model').value === 'tiny'", "document.body.textContent").await?;

    browser.choose("#file", &cat).await?;
    let answer = text("answer");
    browser.until(&format!("{answer}.includes('cat, 88.0')"), &answer).await?;
    assert_eq!(site.planned.lock().unwrap().take().unwrap().qos.latency_ms.get(), 200.0);
    let details = browser.evaluate(&text("answer-details")).await?.as_str().unwrap_or_default().to_owned();
    for part in ["head", "plan", "edge", "cloud", "emulated", "0.250", "1.50"] {
        assert!(details.contains(part), "{part} is not in {details}");
    }

    // What arrives from outside stays text.
    site.set(Script::Refuse(Fault::new(FaultKind::BadRequest, "<img src=x onerror=alert(1)> is no picture")));
    browser.drop_on("#drop", &cat).await?;
    browser.until(&format!("{answer}.includes('<img src=x')"), &answer).await?;
    assert_eq!(browser.evaluate("document.querySelectorAll('#answer img').length").await?, 0);

    // A refusal is an error to the browser, and nothing else went wrong.
    let errors = browser.errors().await?;
    assert!(errors.iter().all(|error| error.contains("status of 400")), "{errors:#?}");

    site.set(Script::Answer);
    browser.evaluate("document.getElementById('limit').value = '15000'").await?;
    browser.click("#send").await?;
    browser.until(&format!("{answer}.includes('within the limit of 15')"), &answer).await?;
    assert_eq!(site.planned.lock().unwrap().take().unwrap().qos.latency_ms.get(), 15_000.0);
    assert_no_errors(&mut browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_reaches_everything_in_order() -> anyhow::Result<()> {
    let Some(program) = program() else { return Ok(()) };
    let site = Site::start().await?;
    site.bus.publish_front(&traffic::front()).await?;
    let (_folder, cat) = cat();
    let mut browser = Chromium::start(program).await?;
    browser.prefer(&[("prefers-reduced-motion", "reduce")]).await?;
    browser.resize(1280, 900).await?;
    browser.open(&site.url).await?;
    browser.until("document.getElementById('model').value === 'tiny'", "document.body.textContent").await?;
    browser.choose("#file", &cat).await?;
    let is_ready =
        "!document.getElementById('send').disabled && !document.getElementById('front-details').hidden";
    browser.until(is_ready, &text("answer")).await?;

    let focus = "(() => { const e = document.activeElement; const o = getComputedStyle(e.id === 'file' ? e.parentElement : e); \
        return [e.id || e.className || e.tagName, o.outlineStyle !== 'none' && parseFloat(o.outlineWidth) >= 2]; })()";
    for expected in ["skip", "SUMMARY", "file", "model", "limit", "send"] {
        browser.press("Tab").await?;
        assert_eq!(browser.evaluate(focus).await?, json!([expected, true]));
    }
    browser.evaluate("document.getElementById('answer').replaceChildren()").await?;
    browser.press("Enter").await?;
    browser.until(&format!("{}.includes('cat')", text("answer")), &text("answer")).await?;
    assert_names(&mut browser).await?;
    assert_no_errors(&mut browser).await
}

/// Every field and picture has a name that is read aloud, landmarks are there once, and every table has its heads.
async fn assert_names(browser: &mut Chromium) -> anyhow::Result<()> {
    let tree = browser.call("Accessibility.getFullAXTree", json!({})).await?;
    let nodes = tree["nodes"].as_array().cloned().unwrap_or_default();
    let shown = |node: &&Value| node["ignored"] == false;
    let role = |node: &Value| node["role"]["value"].as_str().unwrap_or_default().to_owned();
    let of = |wanted: &str| nodes.iter().filter(shown).filter(|node| role(node) == wanted).count();
    for landmark in ["main", "banner", "contentinfo"] {
        assert_eq!(of(landmark), 1, "{landmark}");
    }
    for node in nodes.iter().filter(shown) {
        let role = role(node);
        if ["button", "combobox", "spinbutton", "image", "img", "table", "region"].contains(&role.as_str()) {
            let name = node["name"]["value"].as_str().unwrap_or_default();
            assert!(!name.trim().is_empty(), "a {role} without a name: {node}");
        }
    }
    assert!(of("columnheader") >= 6 && of("rowheader") >= 4, "tables without heads");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_where_one_is_needed() -> anyhow::Result<()> {
    let Some(program) = program() else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tokens");
    std::fs::write(&file, format!("{} page\n", digest("sesame")))?;
    let site = Site::with(Settings { tokens_file: Some(file), ..Settings::default() }).await?;
    let mut browser = Chromium::start(program).await?;
    browser.open(&site.url).await?;
    let asked = "document.getElementById('token-dialog').open";
    for (token, then) in [
        ("wrong", text("token-problem") + ".includes('does not know')"),
        ("sesame", format!("{} === 'Live'", text("status-text"))),
    ] {
        browser
            .until(&format!("{asked} && document.activeElement.id === 'token'"), &text("status-text"))
            .await?;
        browser.write(token).await?;
        browser.press("Enter").await?;
        browser.until(&then, &text("status-text")).await?;
    }
    let (_folder, cat) = cat();
    browser.until("document.getElementById('model').value === 'tiny'", "document.body.textContent").await?;
    browser.choose("#file", &cat).await?;
    browser.until(&format!("{}.includes('cat')", text("answer")), &text("answer")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fits_small_and_large_screens_in_light_and_dark() -> anyhow::Result<()> {
    let Some(program) = program() else { return Ok(()) };
    let site = Site::start().await?;
    let _traffic = traffic::start(&site.bus, traffic::front(), 12).await?;
    let (_folder, cat) = cat();
    let mut browser = Chromium::start(program).await?;
    browser.open(&site.url).await?;
    browser.until("document.querySelector('#front-chart .chosen') !== null", &text("front-chart")).await?;
    let folder = std::env::var_os(SCREENSHOTS).map(PathBuf::from);
    if folder.is_some() {
        sleep(FILLING).await;
    }
    browser.until("document.getElementById('model').value === 'tiny'", "document.body.textContent").await?;
    browser.choose("#file", &cat).await?;
    browser.until(&format!("{}.includes('cat')", text("answer")), &text("answer")).await?;
    for (width, height) in [(390, 844), (768, 1024), (1280, 900), (1920, 1080)] {
        browser.resize(width, height).await?;
        for scheme in ["light", "dark"] {
            browser.prefer(&[("prefers-color-scheme", scheme)]).await?;
            // The charts follow the width.
            let drawn = "Math.abs(document.querySelector('#front-chart svg').clientWidth - document.getElementById('front-chart').clientWidth) < 2";
            browser.until(drawn, "innerWidth").await?;
            assert_fits(&mut browser, width).await?;
            if let Some(folder) = &folder {
                write(folder, &format!("page-{width}-{scheme}.png"), &browser.screenshot().await?)?;
            }
        }
    }
    assert_no_errors(&mut browser).await
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::write(folder.join(name), bytes)?)
}
