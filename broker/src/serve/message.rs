//! What handlers get and give.

use bytes::Bytes;
use schemas::{Fault, FaultKind, RequestId, UnixMillis};
use serde::Serialize;

use crate::headers::Headers;
use crate::subjects::Subject;
use crate::trace::TraceContext;

/// A request as its handler sees it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The request; the same for every attempt.
    pub id: RequestId,
    /// When its caller must have an outcome; the handler is cut off then.
    pub deadline: UnixMillis,
    /// The caller's attempt, from 1.
    pub attempt: u32,
    /// Where it came in.
    pub subject: Subject,
    /// The message.
    pub body: Bytes,
    /// The message's headers.
    pub headers: Headers,
    /// Whether it came from a plain NATS client that waits for just one reply.
    pub plain: bool,
}

impl Request {
    /// The trace it belongs to; its span is the parent of what is done for this request.
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::received(&self.headers)
    }
}

/// What a response's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// One of our messages.
    MessagePack,
    /// For people and plain clients.
    Json,
}

impl ContentType {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::MessagePack => "application/vnd.splinter.v1+msgpack",
            Self::Json => "application/json",
        }
    }
}

/// A handler's result.
#[derive(Debug, Clone)]
pub struct Response {
    /// The encoded message.
    pub body: Vec<u8>,
    /// What the bytes are.
    pub content_type: ContentType,
}

impl Response {
    /// One of our messages.
    pub fn messagepack<T: Serialize>(message: &T) -> Result<Self, Fault> {
        let body =
            schemas::encode(message).map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
        Ok(Self { body, content_type: ContentType::MessagePack })
    }

    /// The message as JSON.
    pub fn json<T: Serialize>(message: &T) -> Result<Self, Fault> {
        let body = serde_json::to_vec(message)
            .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
        Ok(Self { body, content_type: ContentType::Json })
    }
}
