use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures::stream;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncWriteExt, duplex};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Treatment, speak};

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn treatment(writes_within: Duration) -> Treatment {
    Treatment {
        greatest: 1,
        greatest_of_one: 1,
        headers_within: PATIENCE,
        writes_within,
        identity: watch::channel(None).1,
        stopping: CancellationToken::new(),
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_an_endless_answer_is_cut_off() {
    let endless = || async {
        Body::from_stream(stream::repeat(Ok::<_, std::convert::Infallible>(Bytes::from_static(
            &[b'x'; 1024],
        ))))
    };
    let routes = Router::new().route("/", get(endless));
    let (mut client, server) = duplex(1024);
    let graceful = GracefulShutdown::new();
    let speaking = tokio::spawn({
        let watcher = graceful.watcher();
        async move { speak(server, &treatment(Duration::from_millis(50)), routes, watcher).await }
    });
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // The client is there and silent: it neither reads nor leaves.
    timeout(PATIENCE, speaking).await.expect("the connection was never given up").unwrap();
    drop(client);
}
