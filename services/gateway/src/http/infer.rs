//! `POST /v1/infer/<model>`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use schemas::{Fault, FaultKind, InferReply, ModelName, RequestId};

use super::body::{self, BodyRefusal};
use super::error::{fault_response, fault_with_status};
use super::{Site, json_error};
use crate::ingress::{self, Form, Sender};
use crate::pipeline::Offer;
use crate::receipts::Arrival;
use crate::terms::{self, Term};

/// The content type of our MessagePack answers.
const MESSAGEPACK: &str = "application/vnd.splinter.v1+msgpack";

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
    let asked = query(request.uri()).and_then(|query| {
        let header = |term: Term| headers.get(term.header()).and_then(|value| value.to_str().ok());
        // What the query says goes before the headers.
        terms::read(|term| {
            query.get(term.name()).map(String::as_str).or_else(|| header(term)).map(Cow::Borrowed)
        })
    });
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = ingress::form(content_type, Sender::Plain);
    let (held, refusal) = match body::read(&site, request).await {
        Ok(held) => (Some(held), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let fault = refusal.as_ref().map(|refusal| refusal.fault.clone());
    let body = held.as_ref().map_or_else(Bytes::new, |held| held.bytes.clone());
    let offer = Offer { arrival, model, body, latest: None, trace: super::trace(&headers) };
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

/// The query's texts by name; names that are no term's are refused, so that a misspelt one is not passed over.
fn query(uri: &Uri) -> Result<BTreeMap<String, String>, Fault> {
    let refused = |problem: String| {
        let message = format!("the query is not understood ({problem}): use {}", Term::names());
        Fault::new(FaultKind::BadRequest, message)
    };
    let query = Query::<BTreeMap<String, String>>::try_from_uri(uri);
    let Query(query) = query.map_err(|rejection| refused(rejection.body_text()))?;
    match query.keys().find(|name| Term::ALL.iter().all(|term| term.name() != name.as_str())) {
        Some(unknown) => {
            Err(refused(format!("there is no {:?}", unknown.chars().take(32).collect::<String>())))
        }
        None => Ok(query),
    }
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
