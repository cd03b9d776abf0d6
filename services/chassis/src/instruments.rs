//! How a process is watched from outside: `/metrics`, `/livez` and `/readyz` on an address of their own.

mod connections;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tracing::info;

use crate::health::{Health, HealthReport};
use crate::metrics::{METRICS_CONTENT_TYPE, Metrics};
use crate::telemetry::TelemetrySettings;
use crate::traces::{TraceError, TraceSettings};

/// The instruments of one process, which its services share. Dropped, nobody is answered any more.
#[derive(Debug)]
pub struct Instruments {
    pub(crate) metrics: Metrics,
    pub(crate) traces: Option<TraceSettings>,
    watched: Arc<Mutex<Vec<Health>>>,
    address: Option<SocketAddr>,
    serving: Option<AbortHandle>,
}

/// Why there are no instruments.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstrumentsError {
    /// Nothing can listen there.
    #[error(
        "the setting telemetry.metrics_address: cannot listen on {address}: take another address or stop what holds it"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Traces cannot be exported.
    #[error(transparent)]
    Traces(#[from] TraceError),
}

#[derive(Clone)]
struct Watched {
    metrics: Metrics,
    services: Arc<Mutex<Vec<Health>>>,
}

impl Instruments {
    /// Listens where the settings say so; when this returns, `/livez` answers, and `/readyz` says "not ready" until the
    /// services are.
    pub async fn start(settings: &TelemetrySettings) -> Result<Self, InstrumentsError> {
        let (metrics, watched) = (Metrics::default(), Arc::default());
        metrics.watch_process();
        let traces = TraceSettings::read(settings)?;
        let mut new = Self { metrics, traces, watched, address: None, serving: None };
        if let Some(address) = settings.metrics_address {
            new.listen(address).await.map_err(|source| InstrumentsError::Listen { address, source })?;
        }
        Ok(new)
    }

    /// Where `/metrics` is, with the port that was taken when port 0 was asked for.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The metrics of this process.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn watch(&self, health: &Health) {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).push(health.clone());
    }

    async fn listen(&mut self, address: SocketAddr) -> io::Result<()> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let watched = Watched { metrics: self.metrics.clone(), services: self.watched.clone() };
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(live))
            .route("/readyz", get(ready))
            .with_state(watched);
        self.serving = Some(tokio::spawn(connections::serve(listener, routes)).abort_handle());
        self.address = Some(address);
        info!(%address, "metrics and health are served");
        Ok(())
    }
}

impl Drop for Instruments {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

async fn metrics(State(watched): State<Watched>) -> Response {
    ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], watched.metrics.render()).into_response()
}

async fn live(State(watched): State<Watched>) -> Response {
    // That this is answered says that the runtime is not stuck; a process whose services have not begun lives too.
    answer(&watched, Health::liveness, true)
}

async fn ready(State(watched): State<Watched>) -> Response {
    answer(&watched, Health::readiness, false)
}

fn answer(watched: &Watched, ask: impl Fn(&Health) -> HealthReport, when_empty: bool) -> Response {
    let services = watched.services.lock().unwrap_or_else(PoisonError::into_inner);
    let reports: Vec<HealthReport> = services.iter().map(ask).collect();
    let ok = if reports.is_empty() { when_empty } else { reports.iter().all(|report| report.ok) };
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ok": ok, "services": reports }))).into_response()
}
