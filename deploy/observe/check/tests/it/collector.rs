//! An OTLP collector that keeps what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A span as it was exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub service: String,
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub start: u64,
    pub end: u64,
    pub attributes: Vec<(String, String)>,
    pub failed: bool,
}

type Spans = Arc<Mutex<Vec<Seen>>>;

pub struct Collector {
    pub address: SocketAddr,
    spans: Spans,
    serving: AbortHandle,
}

impl Collector {
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let spans = Spans::default();
        let routes = Router::new().route("/v1/traces", post(take)).with_state(spans.clone());
        let serving = async move { axum::serve(listener, routes).await.unwrap() };
        Ok(Self { address, spans, serving: tokio::spawn(serving).abort_handle() })
    }

    pub fn spans(&self) -> Vec<Seen> {
        self.spans.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(spans): State<Spans>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for of_resource in request.resource_spans {
        let resource = of_resource.resource.unwrap();
        let attributes =
            resource.attributes.into_iter().map(|one| (one.key, text(one.value.and_then(|v| v.value))));
        let (_, service) = attributes.into_iter().find(|(key, _)| key == "service.name").unwrap();
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.lock().unwrap().push(Seen {
                service: service.clone(),
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                start: span.start_time_unix_nano,
                end: span.end_time_unix_nano,
                attributes: span
                    .attributes
                    .into_iter()
                    .map(|one| (one.key, text(one.value.and_then(|value| value.value))))
                    .collect(),
                failed: span.status.is_some_and(|status| status.code == 2),
            });
        }
    }
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
