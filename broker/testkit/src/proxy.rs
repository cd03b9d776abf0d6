use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use broker::Bus;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tracing::debug;

/// How the network behaves now.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Conditions {
    /// Connections are refused and open ones closed.
    cut: bool,
    /// Bytes vanish; connections stay open.
    black_hole: bool,
    /// Added to every piece, one way.
    delay: Duration,
    /// Bytes a second, one way; `None` is unlimited.
    throttle: Option<u64>,
}

const HEALTHY: Conditions =
    Conditions { cut: false, black_hole: false, delay: Duration::ZERO, throttle: None };

/// Bytes passed on at once: small enough that a throttled link does not stand still for long.
const PIECE: usize = 16 << 10;

/// A TCP proxy on loopback that can be made slow, thin, deaf or dead while connections go through it.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    conditions: watch::Sender<Conditions>,
    accepting: AbortHandle,
}

impl FaultProxy {
    /// Listens on a free port and passes on to `upstream`, a port on loopback.
    pub async fn start(upstream: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free port")?;
        let address = listener.local_addr()?;
        let (conditions, seen) = watch::channel(HEALTHY);
        let accepting = tokio::spawn(accept(listener, upstream, seen)).abort_handle();
        Ok(Self { address, conditions, accepting })
    }

    /// The address that goes through the proxy.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Connects through the proxy.
    pub async fn connect(&self, name: &str) -> anyhow::Result<Bus> {
        crate::server::connect(&self.url(), name).await
    }

    /// Delays everything by this, each way.
    pub fn delay(&self, delay: Duration) {
        self.conditions.send_modify(|conditions| conditions.delay = delay);
    }

    /// Closes every connection and refuses new ones.
    pub fn cut(&self) {
        self.conditions.send_modify(|conditions| conditions.cut = true);
    }

    /// Lets every byte vanish while connections stay open.
    pub fn black_hole(&self) {
        self.conditions.send_modify(|conditions| conditions.black_hole = true);
    }

    /// Lets this many bytes a second through, each way.
    pub fn throttle(&self, bytes_a_second: u64) {
        self.conditions.send_modify(|conditions| conditions.throttle = Some(bytes_a_second.max(1)));
    }

    /// Makes everything well again. Connections that lost bytes in a black hole are closed: a real network's would
    /// retransmit or reset, ours cannot do the former.
    pub fn heal(&self) {
        self.conditions.send_replace(HEALTHY);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, upstream: u16, mut conditions: watch::Receiver<Conditions>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        if conditions.borrow_and_update().cut {
            continue;
        }
        let conditions = conditions.clone();
        tokio::spawn(async move {
            if let Err(error) = join(client, upstream, conditions).await {
                debug!(%error, "a proxied connection ended");
            }
        });
    }
}

async fn join(
    client: TcpStream,
    upstream: u16,
    mut conditions: watch::Receiver<Conditions>,
) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = pass(from_client, to_server, conditions.clone());
    let back = pass(from_server, to_client, conditions.clone());
    tokio::select! {
        ended = there => ended,
        ended = back => ended,
        // A dropped proxy closes its connections too.
        _ = conditions.wait_for(|conditions| conditions.cut) => Ok(()),
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    conditions: watch::Receiver<Conditions>,
) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut lost = false;
    loop {
        let length = from.read(&mut piece).await?;
        let now = *conditions.borrow();
        if length == 0 || (lost && !now.black_hole) {
            return Ok(());
        }
        if now.black_hole {
            lost = true;
            continue;
        }
        let sending =
            now.throttle.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(length as f64 / rate as f64));
        sleep(now.delay + sending).await;
        to.write_all(&piece[..length]).await?;
    }
}
