//! The yardstick: the messages of one request, hop by hop, over a plain TCP store-and-forward relay.
//!
//! A relay stands between every caller and every service, as the broker does, and passes whole messages on:
//! four calls, sixteen TCP messages, with the sizes of the real ones and no work at the far end.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// The bytes of one call: there and back.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// Bytes of the request.
    pub request: usize,
    /// Bytes of the reply.
    pub reply: usize,
}

/// Runs the exchanges of one request after each other, `rounds` times; returns each round's time.
pub fn time_exchanges(exchanges: &[Exchange], rounds: usize) -> io::Result<Vec<Duration>> {
    let service = serve(exchanges.iter().map(|exchange| exchange.reply).collect())?;
    let relay = relay(service)?;
    let mut caller = connect(relay)?;
    let requests: Vec<Vec<u8>> = exchanges.iter().map(|exchange| vec![7; exchange.request]).collect();
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        for request in &requests {
            write_message(&mut caller, request)?;
            read_message(&mut caller)?;
        }
        times.push(start.elapsed());
    }
    Ok(times)
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Listens and hands the first connection to `work` on a thread of its own, which ends with the connection.
fn listen(work: impl FnOnce(TcpStream) -> io::Result<()> + Send + 'static) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        work(stream)
    });
    Ok(address)
}

/// Answers each message with the next size of the cycle.
fn serve(replies: Vec<usize>) -> io::Result<SocketAddr> {
    listen(move |mut stream| {
        for reply in replies.iter().cycle() {
            read_message(&mut stream)?;
            write_message(&mut stream, &vec![7; *reply])?;
        }
        Ok(())
    })
}

/// Passes whole messages on to the service and its replies back.
fn relay(service: SocketAddr) -> io::Result<SocketAddr> {
    listen(move |mut caller| {
        let mut service = connect(service)?;
        loop {
            let request = read_message(&mut caller)?;
            write_message(&mut service, &request)?;
            let reply = read_message(&mut service)?;
            write_message(&mut caller, &reply)?;
        }
    })
}

fn write_message(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    stream.write_all(&(message.len() as u64).to_le_bytes())?;
    stream.write_all(message)
}

fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; u64::from_le_bytes(length) as usize];
    stream.read_exact(&mut message)?;
    Ok(message)
}
