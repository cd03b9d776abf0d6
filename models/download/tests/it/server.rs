//! An HTTP server that answers as each test wants, byte by byte.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    headers: BTreeMap<String, String>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Where the range begins that was asked for.
    pub fn from(&self) -> usize {
        let range = self.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        range.map_or(0, |from| from.parse().unwrap())
    }
}

/// What is sent, and whether the connection is then closed or kept in silence.
pub struct Answer {
    pub head: String,
    pub body: Vec<u8>,
    pub hangs: bool,
}

impl Answer {
    /// Breaks off after so many bytes of the body.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }

    /// Says nothing more after what it sends, and keeps the connection.
    pub fn hanging(self) -> Self {
        Self { hangs: true, ..self }
    }
}

/// An answer with these header lines.
pub fn answer(head: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
    Answer { head, body: body.to_vec(), hangs: false }
}

pub fn status(code: u16) -> Answer {
    answer(&format!("{code} On purpose\r\nContent-Length: 0"), b"")
}

pub fn whole(body: &[u8]) -> Answer {
    answer(&format!("200 OK\r\nContent-Length: {}", body.len()), body)
}

/// As a good server does: the range where one is asked for, the whole file otherwise.
pub fn file(request: &Request, body: &[u8]) -> Answer {
    match request.from() {
        0 => whole(body),
        from if from >= body.len() => {
            answer(&format!("416 No\r\nContent-Length: 0\r\nContent-Range: bytes */{}", body.len()), b"")
        }
        from => range(from, body),
    }
}

pub fn range(from: usize, body: &[u8]) -> Answer {
    let (last, length) = (body.len() - 1, body.len());
    let head = format!(
        "206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{last}/{length}",
        length - from
    );
    answer(&head, &body[from..])
}

/// A server on a free port, for as long as it lives.
pub struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    #[allow(dead_code, reason = "dropped, it stops serving")]
    serving: JoinSet<()>,
}

impl Server {
    /// Answers each request by its number, from 0, and what it asks.
    pub async fn start(answers: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answers) = (requests.clone(), Arc::new(answers));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                let (seen, answers) = (seen.clone(), answers.clone());
                connections.spawn(async move {
                    // A client that closes first is one of the things under test.
                    drop(serve(connection, &seen, &*answers).await);
                });
            }
        });
        Self { port, requests, serving }
    }

    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    connection: TcpStream,
    seen: &Mutex<Vec<Request>>,
    answers: &(dyn Fn(usize, &Request) -> Answer + Send + Sync),
) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    let request = read(&mut connection).await?;
    let answer = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        answers(seen.len() - 1, &request)
    };
    let connection = connection.get_mut();
    connection.write_all(answer.head.as_bytes()).await?;
    connection.write_all(&answer.body).await?;
    connection.flush().await?;
    if answer.hangs {
        std::future::pending::<()>().await;
    }
    connection.shutdown().await
}

async fn read(connection: &mut BufReader<TcpStream>) -> std::io::Result<Request> {
    let mut line = String::new();
    connection.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        connection.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    Ok(Request { path, headers })
}
