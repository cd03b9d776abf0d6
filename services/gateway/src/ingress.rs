//! Reads a request as it arrives over NATS or `POST /v1/infer/<model>`. Pure.

use std::borrow::Cow;

use schemas::{Fault, FaultKind, InferRequest, Input};

use crate::admission::{Asked, Wishes};

/// How a request is written; its answer is written alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A picture's bytes, terms in headers; answered in JSON.
    Picture,
    /// An [`InferRequest`] in MessagePack; answered in MessagePack.
    MessagePack,
}

/// Where a request comes from, as far as that decides its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A call of our own request layer.
    Splinter,
    /// Anything else: `nats req`, `nats-py`, `curl`.
    Plain,
}

/// The form of a request: MessagePack where its content type says so, or where our own request layer sent
/// it without a content type; otherwise a picture, whose kind its own first bytes tell.
pub fn form(content_type: Option<&str>, sender: Sender) -> Form {
    let Some(content_type) = content_type else {
        return match sender {
            Sender::Splinter => Form::MessagePack,
            Sender::Plain => Form::Picture,
        };
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let splinter = essence.starts_with("application/vnd.splinter") && essence.ends_with("msgpack");
    if splinter || essence == "application/msgpack" || essence == "application/x-msgpack" {
        Form::MessagePack
    } else {
        Form::Picture
    }
}

/// Reads a request's body. What a MessagePack request says itself goes before what its headers say.
pub fn read(form: Form, body: &[u8], headers: Asked) -> Result<(Input<'_>, Asked), Fault> {
    match form {
        Form::Picture => Ok((Input::Encoded { bytes: Cow::Borrowed(body) }, headers)),
        Form::MessagePack => {
            let request: InferRequest<'_> = schemas::decode(body)
                .map_err(|error| refused(format!("the body is not a MessagePack InferRequest: {error}")))?;
            let asked = Asked {
                qos: request.qos.map_or(headers.qos, Wishes::from),
                policy: request.policy.or(headers.policy),
                deadline: headers.deadline,
            };
            Ok((request.input, asked))
        }
    }
}

fn refused(message: String) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}

#[cfg(test)]
mod tests;
