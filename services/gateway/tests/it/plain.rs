//! A NATS client of some forty lines that knows nothing of Splinter, as `nats req` or `nats-py` would ask.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// An answer: its headers as they stand on the wire, and its payload.
pub struct Answer {
    pub headers: String,
    pub payload: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }

    /// The code of the services framework's error header; `None` of a result.
    pub fn error_code(&self) -> Option<u16> {
        let line = self.headers.lines().find_map(|line| line.strip_prefix("Nats-Service-Error-Code:"))?;
        line.trim().parse().ok()
    }
}

/// Asks once and reads the one reply.
pub async fn ask(port: u16, subject: &str, headers: &[(&str, &str)], body: &[u8]) -> anyhow::Result<Answer> {
    timeout(PATIENCE, exchange(port, subject, headers, body)).await.context("no reply in time")?
}

async fn exchange(port: u16, subject: &str, headers: &[(&str, &str)], body: &[u8]) -> anyhow::Result<Answer> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    // One inbox a connection, or two clients would read each other's replies.
    let inbox = format!("plain.{}", stream.get_ref().local_addr()?.port());
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("NATS/1.0\r\n{lines}\r\n");
    let total = head.len() + body.len();
    let mut sent =
        format!("CONNECT {{\"verbose\":false,\"headers\":true}}\r\nSUB {inbox} 1\r\n").into_bytes();
    sent.extend(format!("HPUB {subject} {inbox} {} {total}\r\n{head}", head.len()).bytes());
    sent.extend_from_slice(body);
    sent.extend_from_slice(b"\r\n");
    stream.write_all(&sent).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            bail!("the broker hung up");
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["PING"] => stream.write_all(b"PONG\r\n").await?,
            ["-ERR", ..] => bail!("the broker refuses: {line}"),
            ["HMSG", _, _, head, total] => {
                let mut message = vec![0; total.parse()?];
                stream.read_exact(&mut message).await?;
                let payload = message.split_off(head.parse()?);
                return Ok(Answer { headers: String::from_utf8(message)?, payload });
            }
            _ => {}
        }
    }
}
