//! The page at `/` and its files, all of them inside of the program.

use axum::extract::{Path, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::json_error;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const INDEX: &str = include_str!("../page/index.html");

/// What `/page/<name>` answers: name, content type, content.
const FILES: [(&str, &str, &str); 12] = [
    ("page.css", CSS, include_str!("../page/page.css")),
    ("charts.css", CSS, include_str!("../page/charts.css")),
    ("icon.svg", SVG, include_str!("../page/icon.svg")),
    ("main.js", SCRIPT, include_str!("../page/main.js")),
    ("stream.js", SCRIPT, include_str!("../page/stream.js")),
    ("words.js", SCRIPT, include_str!("../page/words.js")),
    ("elements.js", SCRIPT, include_str!("../page/elements.js")),
    ("figures.js", SCRIPT, include_str!("../page/figures.js")),
    ("front.js", SCRIPT, include_str!("../page/front.js")),
    ("time.js", SCRIPT, include_str!("../page/time.js")),
    ("tables.js", SCRIPT, include_str!("../page/tables.js")),
    ("classify.js", SCRIPT, include_str!("../page/classify.js")),
];

/// Nothing but our own files runs or is loaded; a picture that is shown comes from the page itself (`blob:`).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// What browsers are told with every answer.
const SECURITY: [(HeaderName, HeaderValue); 6] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

pub(super) async fn index() -> Response {
    file(HTML, INDEX)
}

pub(super) async fn named(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(known, _, _)| *known == name) {
        Some((_, content_type, content)) => file(content_type, content),
        None => json_error(StatusCode::NOT_FOUND, "the page has no such file"),
    }
}

fn file(content_type: &'static str, content: &'static str) -> Response {
    // The files have no version in their names, so that a newer gateway's are to be seen at once.
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")];
    (headers, content).into_response()
}

pub(super) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().extend(SECURITY);
    response
}

#[cfg(test)]
mod tests;
