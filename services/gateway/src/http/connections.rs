//! Accepts connections: so many at once, of one client not all of them, and each has a time to say what it wants and to take
//! what it is told.

mod clients;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::tls::Identity;
use clients::{Clients, Place};

/// The pause after a failed accept: usually the process has too many files open, which takes time to pass.
const ACCEPTING_AGAIN: Duration = Duration::from_millis(100);
/// What is held of a connection's headers and of an answer that it does not take, at most.
const GREATEST_BUFFER: usize = 64 * 1024;
/// Connections that are told at once that there is no room for them; further ones are closed without a word.
const GREATEST_REFUSALS: usize = 64;
/// How long one that is told so may take to hear it.
const REFUSING: Duration = Duration::from_secs(1);

/// What a connection that finds no place is told.
const FULL: &str =
    r#"{"error":"this gateway has as many connections as it takes, or as one client may have","#;
const FULL_KIND: &str = r#""kind":"overloaded","retry_after_ms":1000.0}"#;

/// How connections are treated.
#[derive(Clone)]
pub(super) struct Treatment {
    /// Connections at once.
    pub(super) greatest: usize,
    /// Connections of one client's address at once.
    pub(super) greatest_of_one: usize,
    /// How long one may take for TLS, to send a request's headers, or stay idle before its next request.
    pub(super) headers_within: Duration,
    /// How long one may take nothing of what is written to it.
    pub(super) writes_within: Duration,
    /// What a new connection is shown and encrypted with now; `None`: nothing, it is plain.
    pub(super) identity: watch::Receiver<Option<Identity>>,
    /// Cancelled when no new connection is taken any more: one that is still at its handshake is given up.
    pub(super) stopping: CancellationToken,
}

/// Serves until `stop`, then finishes what is open. Dropped, it cuts every connection off.
pub(super) async fn serve(
    listener: TcpListener,
    treatment: Treatment,
    routes: Router,
    stop: impl Future<Output = ()>,
) {
    let clients = Clients::new(treatment.greatest, treatment.greatest_of_one);
    let refusals = Arc::new(Semaphore::new(GREATEST_REFUSALS));
    let open = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, client) = tokio::select! {
            () = &mut stop => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = accept(&listener) => accepted,
        };
        if let Some(place) = clients.enter(client.ip()) {
            let (treatment, routes) = (treatment.clone(), routes.clone());
            connections.spawn(connection(stream, place, treatment, routes, open.watcher()));
        } else if let Ok(permit) = refusals.clone().try_acquire_owned() {
            let plain = treatment.identity.borrow().is_none();
            connections.spawn(async move {
                let _permit = permit;
                refuse(stream, plain).await;
            });
        }
    }
    drop(listener);
    treatment.stopping.cancel();
    open.shutdown().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                // Answers are small: waiting to fill a packet would cost up to 40 ms.
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%error, "a connection without TCP_NODELAY");
                }
                return (stream, client);
            }
            Err(error) => {
                warn!(%error, "no connection was accepted");
                sleep(ACCEPTING_AGAIN).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    _place: Place,
    treatment: Treatment,
    routes: Router,
    watcher: Watcher,
) {
    let identity = treatment.identity.borrow().clone();
    let Some(identity) = identity else {
        return speak(stream, &treatment, routes, watcher).await;
    };
    let accepting = timeout(treatment.headers_within, identity.acceptor().accept(stream));
    let Some(accepted) = treatment.stopping.run_until_cancelled(accepting).await else { return };
    match accepted {
        Ok(Ok(stream)) => speak(stream, &treatment, routes, watcher).await,
        Ok(Err(error)) => debug!(%error, "no TLS connection came about"),
        Err(_elapsed) => debug!("a TLS connection took too long to come about"),
    }
}

async fn speak<S>(stream: S, treatment: &Treatment, routes: Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = Box::pin(TimeoutStream::new(stream));
    stream.as_mut().set_write_timeout_pinned(Some(treatment.writes_within));
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(treatment.headers_within)
        .max_buf_size(GREATEST_BUFFER);
    let service = TowerToHyperService::new(routes);
    let connection = protocol.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        debug!(%error, "a connection broke");
    }
}

/// Says that there is no room; over TLS that would take a handshake, so there is only the end.
async fn refuse(mut stream: TcpStream, plain: bool) {
    if !plain {
        return;
    }
    let refusing = async {
        let length = FULL.len() + FULL_KIND.len();
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\
            Connection: close\r\nContent-Length: {length}\r\n\r\n{FULL}{FULL_KIND}"
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // What the client had sent is read: closing on it would take the answer back.
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    match timeout(REFUSING, refusing).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => debug!(%error, "a connection did not hear that there is no room"),
    }
}

#[cfg(test)]
mod tests;
