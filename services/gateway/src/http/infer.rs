//! `POST /v1/infer/<model>`.

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use schemas::{Fault, FaultKind, InferReply, ModelName, RequestId};
use serde::Deserialize;

use super::body::{self, BodyRefusal};
use super::error::{fault_response, fault_with_status};
use super::{Site, json_error};
use crate::ingress::{self, DEADLINE_HEADER, Form, LATENCY_HEADER, POLICY_HEADER, Sender, TermTexts};
use crate::pipeline::Offer;
use crate::receipts::Arrival;

/// The content type of our MessagePack answers.
const MESSAGEPACK: &str = "application/vnd.splinter.v1+msgpack";

/// The terms of a request in its query; they go before those in its headers.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Terms {
    latency_ms: Option<String>,
    deadline: Option<String>,
    policy: Option<String>,
}

/// Takes a picture (or a MessagePack request) and answers in kind.
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
    let asked = terms(request.uri()).and_then(|query| {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let texts = TermTexts {
            latency_ms: query.latency_ms.as_deref().or_else(|| header(LATENCY_HEADER)),
            deadline: query.deadline.as_deref().or_else(|| header(DEADLINE_HEADER)),
            policy: query.policy.as_deref().or_else(|| header(POLICY_HEADER)),
        };
        texts.read()
    });
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = ingress::form(content_type, Sender::Plain);
    let (held, refusal) = match body::read(&site, request).await {
        Ok(held) => (Some(held), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let fault = refusal.as_ref().map(|refusal| refusal.fault.clone());
    let body = held.as_ref().map_or_else(Bytes::new, |held| held.bytes.clone());
    let offer = Offer { arrival, model, body, latest: None };
    let answered = site.pipeline.request(offer, move |body, _served| match fault {
        Some(fault) => Err(fault),
        None => ingress::read(form, body, asked?),
    });
    match answered.await {
        Ok(answered) => written(form, &answered.reply),
        Err(fault) => refused(&fault, refusal.as_ref()),
    }
}

/// The model of the path; a text that can name none is refused here, and has no receipt.
pub(super) fn model_name(site: &Site, text: &str) -> Result<ModelName, Fault> {
    ModelName::new(text).map_err(|error| {
        site.metrics.refused_without_model(FaultKind::BadRequest);
        Fault::new(FaultKind::BadRequest, error.to_string())
    })
}

/// An error's answer: where it is the body's refusal that came back, with the status of that.
pub(super) fn refused(fault: &Fault, refusal: Option<&BodyRefusal>) -> Response {
    match refusal {
        Some(refusal) if refusal.fault == *fault => fault_with_status(refusal.status, fault),
        _ => fault_response(fault),
    }
}

fn terms(uri: &axum::http::Uri) -> Result<Terms, Fault> {
    let query = Query::<Terms>::try_from_uri(uri);
    query.map(|Query(terms)| terms).map_err(|rejection| {
        let message = format!(
            "the query is not understood ({}): use latency_ms, deadline, policy",
            rejection.body_text()
        );
        Fault::new(FaultKind::BadRequest, message)
    })
}

fn written(form: Form, reply: &InferReply) -> Response {
    match form {
        Form::Picture => Json(reply).into_response(),
        Form::MessagePack => match schemas::encode(reply) {
            Ok(body) => ([(header::CONTENT_TYPE, MESSAGEPACK)], body).into_response(),
            Err(error) => json_error(axum::http::StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        },
    }
}
