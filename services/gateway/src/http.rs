//! HTTP: `POST /v1/infer/<model>`, the Open Inference Protocol under `/v2`, `GET /metrics`, the page at `/` and its events.

mod access;
mod body;
mod connections;
mod error;
mod events;
mod infer;
mod open_inference;
mod page;
mod renewal;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use broker::{TRACEPARENT, TRACESTATE, TraceContext};
use chassis::metrics::METRICS_CONTENT_TYPE;
use schemas::UnixMillis;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::error::Error;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::settings::Settings;
use crate::tokens::Tokens;
use connections::Treatment;
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
    /// Who may ask now; `None`: anybody.
    tokens: watch::Receiver<Option<Tokens>>,
    /// What those who watch are told; `None`: there is no page.
    events: Option<Arc<Events>>,
}

/// HTTP, listening.
pub(crate) struct HttpServer {
    address: SocketAddr,
    encrypted: bool,
    leaving: Arc<AtomicBool>,
    events: Option<Arc<Events>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl HttpServer {
    pub(crate) async fn start(
        settings: &Settings,
        pipeline: Arc<Pipeline>,
        metrics: Arc<Metrics>,
        events: Option<Arc<Events>>,
    ) -> Result<Self, Error> {
        // Before anything listens: who set something wrong is to hear of it at once.
        let tokens = settings.tokens()?;
        let identity = settings.tls(UnixMillis::now())?;
        let failed = |source| Error::Listen { address: settings.http, source };
        let listener = TcpListener::bind(settings.http).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let encrypted = identity.is_some();
        warn_of_openness(address, tokens.is_some(), encrypted);
        let (tokens, identity) = renewal::follow(settings, tokens, identity);
        let leaving = Arc::new(AtomicBool::new(false));
        let treatment = Treatment {
            greatest: settings.connections as usize,
            greatest_of_one: settings.connections_per_client as usize,
            headers_within: settings.headers_timeout_ms.to_duration(),
            writes_within: settings.write_timeout_ms.to_duration(),
            identity,
            stopping: CancellationToken::new(),
        };
        let site = Site {
            pipeline,
            metrics,
            places: Arc::new(Semaphore::new(settings.capacity as usize)),
            body_timeout: settings.body_timeout(),
            leaving: leaving.clone(),
            tokens,
            events: events.clone(),
        };
        let routes = routes(site, settings.greatest_body_bytes.0);
        let (stop, mut stopped) = watch::channel(false);
        let serving = tokio::spawn(async move {
            let stopping = async move {
                // A dropped sender means that the service was dropped: stop as well.
                while !*stopped.borrow_and_update() && stopped.changed().await.is_ok() {}
            };
            connections::serve(listener, treatment, routes, stopping).await;
        });
        info!(%address, encrypted, "HTTP listens");
        Ok(Self { address, encrypted, leaving, events, stop, serving })
    }

    /// Whether it speaks TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.encrypted
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
        if let Some(events) = &self.events {
            // A stream never ends by itself.
            events.close();
        }
        self.stop.send_replace(true);
        let mut serving = self.serving;
        if timeout(grace, &mut serving).await.is_err() {
            warn!("HTTP connections were cut off at the end of the grace");
            serving.abort();
        }
    }
}

/// Says at the start what whoever reaches this address may do.
fn warn_of_openness(address: SocketAddr, has_tokens: bool, has_tls: bool) {
    if address.ip().is_loopback() {
        return;
    }
    if !has_tokens {
        warn!(%address, "anybody who reaches this address may use the site: set gateway.tokens_file");
    } else if !has_tls {
        warn!(%address, "tokens cross the network in clear: set gateway.tls_certificate_file, or encrypt before it");
    }
}

fn routes(site: Site, greatest_body: u64) -> Router {
    // The page itself says nothing of the site, and whether a process lives is asked by those who hold no token.
    let open = Router::new()
        .route("/v2/health/live", get(open_inference::live))
        .route("/v2/health/ready", get(open_inference::ready));
    let open = if site.events.is_some() {
        open.route("/", get(page::index)).route("/page/{name}", get(page::named))
    } else {
        open
    };
    let guarded = Router::new()
        .route("/v1/infer/{model}", post(infer::infer))
        .route("/v1/events", get(events::follow))
        .route("/v2", get(open_inference::server))
        .route("/v2/models/{model}", get(open_inference::model))
        .route("/v2/models/{model}/ready", get(open_inference::model_ready))
        .route("/v2/models/{model}/infer", post(open_inference::infer))
        .route("/metrics", get(metrics))
        .route_layer(from_fn_with_state(site.clone(), access::check));
    open.merge(guarded)
        .fallback(no_such_place)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(usize::try_from(greatest_body).unwrap_or(usize::MAX)))
        .layer(from_fn(page::secure))
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
        &format!("there is nothing at {path}: use /v1/infer/<model>, /v1/events, /v2 or /metrics"),
    )
}

async fn wrong_method(method: Method) -> Response {
    json_error(StatusCode::METHOD_NOT_ALLOWED, &format!("{method} is not taken here"))
}
