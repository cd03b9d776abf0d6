//! Who may use HTTP: bearer tokens, where the settings name a file of them.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::debug;

use super::Site;

/// Lets a request through that has a token, before anything of its body is read.
pub(super) async fn check(State(site): State<Site>, request: Request, next: Next) -> Response {
    let Some(tokens) = &site.tokens else { return next.run(request).await };
    let Some(token) = bearer(request.headers()) else {
        return refused("Bearer realm=\"splinter\"", "this needs a header \"Authorization: Bearer <token>\"");
    };
    match tokens.name_of(token) {
        Some(name) => {
            debug!(name, "a token's holder asks");
            next.run(request).await
        }
        None => refused(
            "Bearer realm=\"splinter\", error=\"invalid_token\"",
            "the token is not one of this gateway's: ask whoever runs it for one",
        ),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn refused(challenge: &'static str, message: &str) -> Response {
    let body = Json(json!({ "error": message, "kind": "unauthorized" }));
    let mut response = (StatusCode::UNAUTHORIZED, body).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}
