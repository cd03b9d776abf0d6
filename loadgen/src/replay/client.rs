//! The way into a running system.

use std::borrow::Cow;
use std::time::Duration;

use broker::{Bus, subjects};
use reqwest::header::CONTENT_TYPE;
use schemas::{Fault, FaultKind, InferReply, InferRequest, Input, Millis, ModelName, PolicyName, Qos};
use serde::Deserialize;

use crate::error::LoadgenError;

/// A request is given up this much later than four times its limit: the gateway's own default.
const LEAST_PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection to the gateway may take to open.
const CONNECTING: Duration = Duration::from_secs(5);

/// The content type of a whole request, as the gateway takes it.
const MESSAGEPACK: &str = "application/vnd.splinter.v1+msgpack";

/// A connection to a gateway. Clones share it.
#[derive(Debug, Clone)]
pub enum Client {
    /// Over NATS, with our own request layer: other gateways are tried within the deadline.
    Nats(Bus),
    /// Over HTTP, as any client would.
    Http(HttpClient),
}

/// Connections to one gateway over HTTP.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    base: String,
}

/// An error as the gateway writes it.
#[derive(Deserialize)]
struct HttpFault {
    error: String,
    kind: Option<FaultKind>,
    retry_after_ms: Option<Millis>,
}

impl HttpClient {
    /// Takes a gateway's address, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// A text that is no address of HTTP.
    pub fn new(base: &str) -> Result<Self, LoadgenError> {
        let refused = |problem: String| LoadgenError::InvalidAddress { address: base.to_owned(), problem };
        let parsed = reqwest::Url::parse(base).map_err(|error| refused(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(refused("it is not of the form http://HOST:PORT".into()));
        }
        let client = reqwest::Client::builder().connect_timeout(CONNECTING).no_proxy().build();
        let client = client.map_err(|error| refused(error.to_string()))?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned() })
    }

    async fn ask(
        &self,
        model: &ModelName,
        picture: &[u8],
        qos: &Qos,
        policy: PolicyName,
    ) -> Result<InferReply, Fault> {
        let url = format!("{}/v1/infer/{model}", self.base);
        let request = self.client.post(url).timeout(patience(qos));
        // A picture with its limit is what people send; floors travel in a whole request only.
        let plain = *qos == Qos::within(qos.latency_ms);
        let request = if plain {
            let terms = [("latency_ms", qos.latency_ms.get().to_string()), ("policy", policy.to_string())];
            request.query(&terms).header(CONTENT_TYPE, picture_type(picture)).body(picture.to_vec())
        } else {
            request.header(CONTENT_TYPE, MESSAGEPACK).body(encoded(picture, qos, policy)?)
        };
        let response = request.send().await.map_err(|error| unanswered(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| unanswered(&error))?;
        if !status.is_success() {
            return Err(refused(status, &body));
        }
        let unreadable =
            |error: String| Fault::new(FaultKind::Internal, format!("unreadable answer: {error}"));
        match plain {
            true => serde_json::from_slice(&body).map_err(|error| unreadable(error.to_string())),
            false => schemas::decode(&body).map_err(|error| unreadable(error.to_string())),
        }
    }
}

impl Client {
    /// Sends one picture and waits for its one outcome: at most four times the limit, at least 5 s.
    ///
    /// # Errors
    /// The typed error of the system, or what came between.
    pub async fn ask(
        &self,
        model: &ModelName,
        picture: &[u8],
        qos: &Qos,
        policy: PolicyName,
    ) -> Result<InferReply, Fault> {
        match self {
            Self::Http(http) => http.ask(model, picture, qos, policy).await,
            Self::Nats(bus) => {
                let asked =
                    bus.ask(subjects::infer(model), patience(qos), &request(picture, qos, policy)).await;
                let answer = asked.map_err(|error| error.to_fault())?;
                schemas::decode(&answer.body)
                    .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))
            }
        }
    }
}

fn request<'a>(picture: &'a [u8], qos: &Qos, policy: PolicyName) -> InferRequest<'a> {
    let input = Input::Encoded { bytes: Cow::Borrowed(picture) };
    InferRequest { input, qos: Some(*qos), policy: Some(policy) }
}

fn encoded(picture: &[u8], qos: &Qos, policy: PolicyName) -> Result<Vec<u8>, Fault> {
    schemas::encode(&request(picture, qos, policy))
        .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))
}

fn patience(qos: &Qos) -> Duration {
    (qos.latency_ms * 4.0).to_duration().max(LEAST_PATIENCE)
}

fn picture_type(picture: &[u8]) -> &'static str {
    if picture.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" }
}

fn unanswered(error: &reqwest::Error) -> Fault {
    let kind = if error.is_timeout() { FaultKind::DeadlineExceeded } else { FaultKind::Unavailable };
    // The error's own text repeats the address; what happened is at the end of its chain.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Fault::new(kind, cause.to_string())
}

fn refused(status: reqwest::StatusCode, body: &[u8]) -> Fault {
    match serde_json::from_slice::<HttpFault>(body) {
        Ok(HttpFault { error, kind, retry_after_ms }) => {
            Fault { retry_after_ms, ..Fault::new(kind.unwrap_or(FaultKind::Internal), error) }
        }
        // Something between us and the gateway.
        Err(_) => Fault::new(FaultKind::Unavailable, format!("HTTP status {status}")),
    }
}
