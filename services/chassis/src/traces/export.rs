//! The exporter: OTLP as protobuf over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanLimits,
};
use schemas::{InstanceId, NodeId, ServiceKind, Share};
use tokio::runtime::Handle;
use tracing::{info, warn};

use super::{Recorder, Traces};
use crate::settings::SettingsError;
use crate::telemetry::TelemetrySettings;

/// Spans that wait to be exported; further ones are lost. At ten a request these are 400 requests.
const GREATEST_QUEUE: usize = 4_096;
/// Spans sent at once.
const GREATEST_BATCH: usize = 512;
/// How long a span waits for others to go with.
const BATCHING: Duration = Duration::from_secs(1);
/// How long a collector may take.
const EXPORTING: Duration = Duration::from_secs(3);

/// Where spans go.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    endpoint: String,
    share: Share,
    client: reqwest::Client,
}

/// Why there are no traces.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// A setting cannot be used.
    #[error("traces cannot be set up")]
    Settings(#[from] SettingsError),
    /// The exporter cannot be made.
    #[error("spans cannot be exported: {0}")]
    Exporter(String),
}

impl TraceSettings {
    /// As the settings say; `None` where they name no collector.
    pub(crate) fn read(settings: &TelemetrySettings) -> Result<Option<Self>, TraceError> {
        let Some(endpoint) = &settings.otlp_endpoint else { return Ok(None) };
        let wrong = || SettingsError::Unusable {
            setting: "telemetry.otlp_endpoint",
            problem: format!("{endpoint:?} is no collector's address: use one such as http://127.0.0.1:4318"),
        };
        let address = reqwest::Url::parse(endpoint).map_err(|_| wrong())?;
        if !matches!(address.scheme(), "http" | "https") || address.host_str().is_none() {
            return Err(wrong().into());
        }
        let client = reqwest::Client::builder().timeout(EXPORTING).build();
        let client = client.map_err(|error| TraceError::Exporter(error.to_string()))?;
        let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        Ok(Some(Self { endpoint, share: settings.trace_share, client }))
    }

    /// An exporter of one service's spans. Must be called on the runtime that sends them.
    pub(crate) fn record(
        &self,
        service: ServiceKind,
        instance: &InstanceId,
        node: &NodeId,
    ) -> Result<Traces, TraceError> {
        let client = Client {
            client: self.client.clone(),
            runtime: Handle::current(),
            failing: AtomicBool::new(false),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(&self.endpoint)
            .with_timeout(EXPORTING)
            .build()
            .map_err(|error| TraceError::Exporter(error.to_string()))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(GREATEST_QUEUE)
            .with_max_export_batch_size(GREATEST_BATCH)
            .with_scheduled_delay(BATCHING)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
        let resource = Resource::builder_empty()
            .with_service_name(format!("splinter-{service}"))
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", instance.to_string()),
                KeyValue::new("host.name", node.to_string()),
            ])
            .build();
        let sampled = Sampler::TraceIdRatioBased(self.share.get());
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(Sampler::ParentBased(Box::new(sampled)))
            .with_span_limits(SpanLimits::default())
            .with_resource(resource)
            .build();
        let tracer = provider.tracer("splinter");
        Ok(Traces(Some(Arc::new(Recorder { provider, tracer }))))
    }
}

/// Sends on our own runtime: the exporter's thread has none.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the last export failed: said once, and once when it is well again.
    failing: AtomicBool,
}

impl Client {
    fn note(&self, problem: Option<&str>) {
        let was_failing = self.failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !was_failing => {
                warn!(problem, "spans are not exported and lost until this passes")
            }
            None if was_failing => info!("spans are exported again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move {
            let response = client.execute(request.try_into()?).await?;
            let status = response.status();
            let body = response.bytes().await?;
            Ok::<_, HttpError>((status, body))
        });
        let sent = sending.await.map_err(HttpError::from).and_then(|sent| sent);
        let problem = match &sent {
            Ok((status, _)) if status.is_success() => None,
            Ok((status, _)) => Some(format!("the collector answers {status}")),
            Err(error) => Some(error.to_string()),
        };
        self.note(problem.as_deref());
        let (status, body) = sent?;
        Ok(Response::builder().status(status).body(body)?)
    }
}
