//! Answers a scraper and a health check, and lets nobody hold the place for long.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

/// Connections at once: two Prometheus servers, health checks and a curious person. Further ones wait to be accepted.
const GREATEST_CONNECTIONS: usize = 32;
/// How long a connection may take to send a request's headers, or stay idle before its next request: longer than the
/// usual 15 s between two scrapes.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// The longest life of a connection, so that one that reads slowly is not kept for ever.
const LONGEST: Duration = Duration::from_secs(600);
/// The pause after a failed accept: usually the process has too many files open, which takes time to pass.
const ACCEPTING_AGAIN: Duration = Duration::from_millis(100);

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, routes: Router) {
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    let places = Arc::new(Semaphore::new(GREATEST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _client)) => stream,
            Err(error) => {
                warn!(%error, "no connection for metrics was accepted");
                sleep(ACCEPTING_AGAIN).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(routes.clone());
        let connection = protocol.serve_connection(TokioIo::new(stream), service);
        connections.spawn(async move {
            let _place = place;
            match timeout(LONGEST, connection).await {
                Ok(Err(error)) => debug!(%error, "a connection for metrics broke"),
                Ok(Ok(())) => {}
                Err(_elapsed) => debug!("a connection for metrics was closed at the end of its time"),
            }
        });
    }
}
