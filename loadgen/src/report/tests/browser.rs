//! The page in a real browser.

use std::process::Command;

use super::super::Content;
use super::report;

/// Chromium, where it is installed.
fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|said| said.status.success()))
}

/// Notes every script error in the page itself, where the test finds it.
const WATCH: &str = "<script>window.addEventListener('error',event=>{const note=document.createElement('p');\
note.className='script-error';note.textContent=event.message;document.documentElement.append(note)});</script>";

#[test]
fn the_page_renders_in_a_browser() {
    let Some(chromium) = chromium() else {
        eprintln!(
            "SKIPPED: no chromium, so that the report renders was not tested; install Debian's package chromium"
        );
        return;
    };
    let (place, report) = report();
    let page = place.path().join("report.html");
    std::fs::write(&page, report.html().replacen("<head>", &format!("<head>{WATCH}"), 1)).unwrap();
    let profile = place.path().join("profile");
    let said = Command::new(chromium)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ])
        .args(["--virtual-time-budget=60000", "--timeout=120000", "--window-size=1280,1000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && dom.contains("</main>"), "{}", String::from_utf8_lossy(&said.stderr));
    let errors: Vec<&str> =
        dom.split("class=\"script-error\">").skip(1).filter_map(|part| part.split('<').next()).collect();
    assert!(errors.is_empty(), "script errors: {errors:?}");
    for figure in report.figures() {
        let Content::Plot { traces, .. } = &figure.content else { continue };
        let begin = dom
            .find(&format!("id=\"{}\"", figure.name))
            .unwrap_or_else(|| panic!("no figure {}", figure.name));
        let drawn = &dom[begin..begin + dom[begin..].find("</figure>").unwrap()];
        assert!(drawn.contains("main-svg"), "{} was not drawn", figure.name);
        assert!(marks(drawn) > 0 && *traces > 0, "{} has no mark", figure.name);
    }
}

/// Points, bars, boxes, violins and lines that were drawn.
fn marks(drawn: &str) -> usize {
    let kinds = ["class=\"point\"", "class=\"violin\"", "class=\"box\"", "class=\"js-line\""];
    kinds.iter().map(|kind| drawn.matches(kind).count()).sum()
}
