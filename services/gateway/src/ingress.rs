//! Reads a request as it arrives over NATS or `POST /v1/infer/<model>`. Pure.

use std::borrow::Cow;
use std::str::FromStr;

use schemas::{Fault, FaultKind, InferRequest, Input, Millis, PolicyName, UnixMillis};

use crate::admission::{Asked, limit_only};

/// The header with the latency limit in milliseconds.
pub const LATENCY_HEADER: &str = "Splinter-Latency-Ms";
/// The header with the deadline, in milliseconds since the Unix epoch.
pub const DEADLINE_HEADER: &str = "Splinter-Deadline";
/// The header with the policy's name.
pub const POLICY_HEADER: &str = "Splinter-Policy";

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

/// The terms as text: from headers, or from a query.
#[derive(Debug, Clone, Copy, Default)]
pub struct TermTexts<'a> {
    /// The latency limit in milliseconds.
    pub latency_ms: Option<&'a str>,
    /// The deadline in milliseconds since the Unix epoch.
    pub deadline: Option<&'a str>,
    /// The policy's name.
    pub policy: Option<&'a str>,
}

impl TermTexts<'_> {
    /// Reads the texts; refuses what is not a number or not a policy, naming where it stood.
    pub fn read(&self) -> Result<Asked, Fault> {
        Ok(Asked {
            qos: self.latency_ms.map(latency).transpose()?.map(limit_only),
            policy: self.policy.map(policy).transpose()?,
            deadline: self.deadline.map(deadline).transpose()?,
        })
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
                qos: request.qos.or(headers.qos),
                policy: request.policy.or(headers.policy),
                deadline: headers.deadline,
            };
            Ok((request.input, asked))
        }
    }
}

pub(crate) fn policy(text: &str) -> Result<PolicyName, Fault> {
    PolicyName::from_str(text.trim()).map_err(|error| refused(error.to_string()))
}

fn latency(text: &str) -> Result<Millis, Fault> {
    let value = text.trim().parse::<f64>().ok().and_then(|ms| Millis::new(ms).ok());
    value.ok_or_else(|| {
        refused(format!("the latency limit {:?} is not a number of milliseconds above 0", excerpt(text)))
    })
}

fn deadline(text: &str) -> Result<UnixMillis, Fault> {
    text.trim().parse::<u64>().map(UnixMillis).map_err(|_not_a_number| {
        refused(format!("the deadline {:?} is not a whole number of unix milliseconds", excerpt(text)))
    })
}

/// The start of a foreign text, so that an error stays short.
fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}

fn refused(message: String) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}

#[cfg(test)]
mod tests;
