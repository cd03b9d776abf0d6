//! `/v2`: the Open Inference Protocol.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use schemas::{Fault, FaultKind, RequestId, ServedModel};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::Site;
use super::body;
use super::error::fault_response;
use super::infer::{model_name, refused};
use crate::open_inference::{self as protocol, HEADER_LENGTH, ModelMetadata, OutputForm, ServerMetadata};
use crate::pipeline::{Answered, Offer};
use crate::receipts::Arrival;

/// A longer body is read on a blocking thread: at some 100 MB of JSON a second it takes more than 0.1 ms.
const LONG_BODY: usize = 16 * 1024;

pub(super) async fn server() -> Response {
    Json(ServerMetadata::THIS).into_response()
}

pub(super) async fn live() -> Response {
    Json(json!({ "live": true })).into_response()
}

pub(super) async fn ready(State(site): State<Site>) -> Response {
    readiness(&site, site.pipeline.ready())
}

pub(super) async fn model(State(site): State<Site>, Path(model): Path<String>) -> Response {
    let model = match model_name(&site, &model) {
        Ok(model) => model,
        Err(fault) => return fault_response(&fault),
    };
    match site.pipeline.served(&model) {
        Ok(served) => Json(ModelMetadata::from(&served)).into_response(),
        Err(fault) => fault_response(&fault),
    }
}

pub(super) async fn model_ready(State(site): State<Site>, Path(model): Path<String>) -> Response {
    let model = match model_name(&site, &model) {
        Ok(model) => model,
        Err(fault) => return fault_response(&fault),
    };
    match site.pipeline.served(&model) {
        Ok(_) => readiness(&site, site.pipeline.model_ready(&model)),
        Err(fault) if fault.kind == FaultKind::Unavailable => readiness(&site, false),
        Err(fault) => fault_response(&fault),
    }
}

pub(super) async fn infer(
    State(site): State<Site>,
    Path(model): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let arrival = Arrival::now(RequestId::fresh());
    let model = match model_name(&site, &model) {
        Ok(model) => model,
        Err(fault) => return fault_response(&fault),
    };
    let (held, refusal) = match body::read(&site, request).await {
        Ok(held) => (Some(held), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let read = match (&held, &refusal, site.pipeline.served(&model)) {
        (_, Some(refusal), _) => Err(refusal.fault.clone()),
        (_, _, Err(fault)) => Err(fault),
        (None, None, Ok(_)) => Err(Fault::new(FaultKind::Internal, "the body was lost")),
        (Some(held), None, Ok(served)) => read(held.bytes.clone(), &headers, served).await,
    };
    // The input goes on with the request; the rest is needed for the answer.
    let (offered, wanted) = match read {
        Ok(read) => (Ok((read.input, read.asked)), (read.id, read.output)),
        Err(fault) => (Err(fault), (None, OutputForm::Json)),
    };
    let offer = Offer { arrival, model, body: Bytes::new(), latest: None, trace: super::trace(&headers) };
    match site.pipeline.request(offer, move |_body, _served| offered).await {
        Ok(answered) => written(&answered, wanted.0.as_deref(), wanted.1),
        Err(fault) => refused(&fault, refusal.as_ref()),
    }
}

fn readiness(site: &Site, ready: bool) -> Response {
    let ready = ready && !site.leaving.load(Ordering::Relaxed);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready }))).into_response()
}

async fn read(body: Bytes, headers: &HeaderMap, served: ServedModel) -> Result<protocol::Request, Fault> {
    let header_length = match headers.get(HEADER_LENGTH) {
        None => None,
        Some(text) => {
            Some(text.to_str().ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
                Fault::new(
                    FaultKind::BadRequest,
                    format!("the header {HEADER_LENGTH} is not a number of bytes"),
                )
            })?)
        }
    };
    if body.len() <= LONG_BODY {
        return protocol::read(&body, header_length, &served);
    }
    let reading = spawn_blocking(move || protocol::read(&body, header_length, &served));
    reading.await.unwrap_or_else(|failure| {
        Err(Fault::new(FaultKind::Internal, format!("reading the request failed: {failure}")))
    })
}

fn written(answered: &Answered, id: Option<&str>, form: OutputForm) -> Response {
    let name = &answered.served.output.name;
    let reply = match protocol::reply(id, &answered.reply, name, &answered.output, form) {
        Ok(reply) => reply,
        Err(fault) => return fault_response(&fault),
    };
    let Some(length) = reply.header_length else {
        return ([(header::CONTENT_TYPE, "application/json")], reply.body).into_response();
    };
    let mut response = ([(header::CONTENT_TYPE, "application/octet-stream")], reply.body).into_response();
    let name = HeaderName::from_static("inference-header-content-length");
    response.headers_mut().insert(name, HeaderValue::from(length));
    response
}
