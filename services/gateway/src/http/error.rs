//! Errors as HTTP answers: a status and `{"error": …}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::Fault;
use serde_json::json;

use crate::status::{retry_after_seconds, status};

/// An error without a kind of our own.
pub(super) fn json_error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

/// A typed error, with the status of its kind.
pub(super) fn fault_response(fault: &Fault) -> Response {
    fault_with_status(status(fault.kind), fault)
}

/// A typed error, with a status that says more than its kind.
pub(super) fn fault_with_status(status: StatusCode, fault: &Fault) -> Response {
    let mut body = json!({ "error": fault.message, "kind": fault.kind });
    if let Some(after) = fault.retry_after_ms {
        body["retry_after_ms"] = json!(after);
    }
    if let Some(feasible) = fault.feasible {
        body["feasible"] = json!(feasible);
    }
    let mut response = (status, Json(body)).into_response();
    if let Some(seconds) = retry_after_seconds(fault) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
