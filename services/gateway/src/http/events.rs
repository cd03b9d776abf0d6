//! `GET /v1/events`: what happens on the site, as server-sent events.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use schemas::{Fault, FaultKind, Millis};

use super::Site;
use super::error::{fault_with_status, json_error};

/// Streams end when somebody closes a page: trying again in some seconds is worth it.
const TRY_AGAIN_MS: f64 = 5_000.0;

pub(super) async fn follow(State(site): State<Site>) -> Response {
    let Some(events) = &site.events else {
        return json_error(StatusCode::NOT_FOUND, "this gateway has no page (gateway.page = false)");
    };
    let Some(stream) = events.open() else {
        let fault = Fault {
            retry_after_ms: Some(Millis::saturating(TRY_AGAIN_MS)),
            ..Fault::new(FaultKind::Overloaded, "as many watch this gateway as may: close another page")
        };
        return fault_with_status(StatusCode::SERVICE_UNAVAILABLE, &fault);
    };
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies that gather answers would hold events back; this is what they look for.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(stream.map(Ok::<_, Infallible>))).into_response()
}
