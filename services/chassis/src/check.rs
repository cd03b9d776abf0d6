//! `--check`: whether the service that runs beside this process is ready, for engines that can only run a command.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde::Deserialize;

use crate::settings::{SettingsError, SettingsFile};

/// A ready service answers within milliseconds; one that needs longer stands still.
const PATIENCE: Duration = Duration::from_secs(2);

/// An answer names what each service of a process lacks: some hundred bytes.
const GREATEST_ANSWER: u64 = 16 << 10;

/// What of the table `[telemetry]` says where the service is watched.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Watched {
    metrics_address: Option<SocketAddr>,
}

/// Why a service does not count as ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It is not watched.
    #[error("there is nothing to ask: set telemetry.metrics_address for the service, and for --check")]
    NotWatched,
    /// Nobody answers.
    #[error("nothing answers at {address}")]
    Silent {
        /// Where it should.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It says that it is not ready.
    #[error("not ready: {0}")]
    NotReady(String),
}

/// Asks the service with these settings on this machine for `/readyz`.
pub(crate) fn check(file: &SettingsFile) -> Result<(), CheckError> {
    let Watched { metrics_address } = file.table("telemetry")?;
    let address = reachable(metrics_address.ok_or(CheckError::NotWatched)?);
    let answer = ask(address).map_err(|source| CheckError::Silent { address, source })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(CheckError::NotReady(body.trim().to_owned())),
    }
}

/// Where a service that listens on every address is reached from its own machine.
fn reachable(listens: SocketAddr) -> SocketAddr {
    let local = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(local, listens.port())
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(GREATEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use super::*;

    /// Answers one request as a service would, and gives its first line.
    fn service(answer: &'static str) -> (SocketAddr, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let first = lines.next().unwrap();
            assert!(lines.any(|line| line.is_empty()), "the request's head ends");
            stream.write_all(answer.as_bytes()).unwrap();
            first
        });
        (address, serving)
    }

    fn watched_at(address: impl ToString) -> SettingsFile {
        SettingsFile::defaults().with("telemetry.metrics_address", address.to_string())
    }

    #[test]
    fn a_ready_service_is_ready_and_another_says_what_it_lacks() {
        let (address, serving) = service("HTTP/1.1 200 OK\r\n\r\n{\"ok\":true}");
        check(&watched_at(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()))).unwrap();
        assert_eq!(serving.join().unwrap(), "GET /readyz HTTP/1.1");
        let (address, _serving) =
            service("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"lacks\":[\"the broker\"]}");
        let problem = check(&watched_at(address)).unwrap_err().to_string();
        assert!(problem.starts_with("not ready") && problem.contains("the broker"), "{problem}");
    }

    #[test]
    fn nobody_and_nowhere_are_not_ready() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(check(&watched_at(free)), Err(CheckError::Silent { .. })));
        assert!(matches!(check(&SettingsFile::defaults()), Err(CheckError::NotWatched)));
    }
}
