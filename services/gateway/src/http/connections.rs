//! Accepts connections, so many at once, and gives each a time to say what it wants.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{debug, warn};

/// Connections at once; further ones wait to be accepted. Half of the 1024 files that a process may usually open.
const GREATEST_CONNECTIONS: usize = 512;
/// How long a connection may take to send a request's headers, or stay idle before its next request.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// The pause after a failed accept: usually the process has too many files open, which takes time to pass.
const ACCEPTING_AGAIN: Duration = Duration::from_millis(100);

/// Serves until `stop`, then finishes what is open. Dropped, it cuts every connection off.
pub(super) async fn serve(listener: TcpListener, routes: Router, stop: impl Future<Output = ()>) {
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    let places = Arc::new(Semaphore::new(GREATEST_CONNECTIONS));
    let open = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, place) = tokio::select! {
            () = &mut stop => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let service = TowerToHyperService::new(routes.clone());
        let connection = open.watch(protocol.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    open.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a place in the end.
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _client)) => {
                // Answers are small: waiting to fill a packet would cost up to 40 ms.
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%error, "a connection without TCP_NODELAY");
                }
                return (stream, place);
            }
            Err(error) => {
                warn!(%error, "no connection was accepted");
                sleep(ACCEPTING_AGAIN).await;
            }
        }
    }
}
