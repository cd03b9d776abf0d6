//! HTTP: `POST /v1/infer/<model>`, the Open Inference Protocol under `/v2`, and `GET /metrics`.

mod body;
mod connections;
mod error;
mod infer;
mod open_inference;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use broker::{TRACEPARENT, TRACESTATE, TraceContext};
use chassis::metrics::METRICS_CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::error::Error;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::settings::Settings;
use error::json_error;

/// What every handler needs.
#[derive(Clone)]
struct Site {
    pipeline: Arc<Pipeline>,
    metrics: Arc<Metrics>,
    /// Requests with a body that may be held at once; each is up to the greatest body of memory.
    places: Arc<Semaphore>,
    body_timeout: Duration,
    leaving: Arc<AtomicBool>,
}

/// HTTP, listening.
pub(crate) struct HttpServer {
    address: SocketAddr,
    leaving: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl HttpServer {
    pub(crate) async fn start(
        settings: &Settings,
        pipeline: Arc<Pipeline>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address: settings.http, source };
        let listener = TcpListener::bind(settings.http).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let leaving = Arc::new(AtomicBool::new(false));
        let site = Site {
            pipeline,
            metrics,
            places: Arc::new(Semaphore::new(settings.capacity as usize)),
            body_timeout: settings.body_timeout(),
            leaving: leaving.clone(),
        };
        let routes = routes(site, settings.greatest_body_bytes.0);
        let (stop, mut stopped) = watch::channel(false);
        let serving = tokio::spawn(async move {
            let stopping = async move {
                // A dropped sender means that the service was dropped: stop as well.
                while !*stopped.borrow_and_update() && stopped.changed().await.is_ok() {}
            };
            connections::serve(listener, routes, stopping).await;
        });
        info!(%address, "HTTP listens");
        Ok(Self { address, leaving, stop, serving })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says "not ready" from now on; requests are still taken.
    pub(crate) fn withdraw(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Takes no new connection, finishes what is open within `grace`, then cuts off what is left.
    pub(crate) async fn leave(self, grace: Duration) {
        self.withdraw();
        self.stop.send_replace(true);
        let mut serving = self.serving;
        if timeout(grace, &mut serving).await.is_err() {
            warn!("HTTP connections were cut off at the end of the grace");
            serving.abort();
        }
    }
}

fn routes(site: Site, greatest_body: u64) -> Router {
    Router::new()
        .route("/v1/infer/{model}", post(infer::infer))
        .route("/v2", get(open_inference::server))
        .route("/v2/health/live", get(open_inference::live))
        .route("/v2/health/ready", get(open_inference::ready))
        .route("/v2/models/{model}", get(open_inference::model))
        .route("/v2/models/{model}/ready", get(open_inference::model_ready))
        .route("/v2/models/{model}/infer", post(open_inference::infer))
        .route("/metrics", get(metrics))
        .fallback(no_such_place)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(usize::try_from(greatest_body).unwrap_or(usize::MAX)))
        .with_state(site)
}

async fn metrics(State(site): State<Site>) -> Response {
    ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], site.metrics.render()).into_response()
}

/// The trace that a client has begun.
fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    TraceContext::from_headers(header(TRACEPARENT), header(TRACESTATE))
}

async fn no_such_place(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(128).collect();
    json_error(
        StatusCode::NOT_FOUND,
        &format!("there is nothing at {path}: use /v1/infer/<model>, /v2 or /metrics"),
    )
}

async fn wrong_method(method: Method) -> Response {
    json_error(StatusCode::METHOD_NOT_ALLOWED, &format!("{method} is not taken here"))
}
