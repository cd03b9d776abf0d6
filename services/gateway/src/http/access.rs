//! Who may use HTTP: bearer tokens, where the settings name a file of them.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::debug;

use super::Site;
use crate::tokens::Tokens;

/// Lets a request through that has a token, before anything of its body is read.
pub(super) async fn check(State(site): State<Site>, request: Request, next: Next) -> Response {
    // Not within the match: the tokens would be held until the request has ended.
    let judged = judge(site.tokens.borrow().as_ref(), request.headers());
    match judged {
        Ok(()) => next.run(request).await,
        Err(Refusal { challenge, message }) => refused(challenge, message),
    }
}

struct Refusal {
    challenge: &'static str,
    message: &'static str,
}

fn judge(tokens: Option<&Tokens>, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(tokens) = tokens else { return Ok(()) };
    let token = bearer(headers).ok_or(Refusal {
        challenge: "Bearer realm=\"splinter\"",
        message: "this needs a header \"Authorization: Bearer <token>\"",
    })?;
    let name = tokens.name_of(token).ok_or(Refusal {
        challenge: "Bearer realm=\"splinter\", error=\"invalid_token\"",
        message: "the token is not one of this gateway's: ask whoever runs it for one",
    })?;
    debug!(name, "a token's holder asks");
    Ok(())
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
