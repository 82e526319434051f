//! One request over a raw socket, and what came back, byte by byte.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The body has its declared length.
    Whole,
    Fin,
    Reset,
    /// Nothing for 400 ms.
    Silence,
}

impl Exchange {
    pub(crate) async fn on(stream: &mut TcpStream, request: &str) -> Self {
        let mut exchange = Self { head: String::new(), body: Vec::new(), end: End::Whole };
        // After a reset a write fails, too.
        let sent = stream.write_all(request.as_bytes()).await;
        let mut received = Vec::new();
        while sent.is_ok() && !exchange.take(&received) {
            let mut buffer = [0; 4096];
            exchange.end = match timeout(Duration::from_millis(400), stream.read(&mut buffer)).await {
                Err(_) => End::Silence,
                Ok(Ok(0)) => End::Fin,
                Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
                Ok(Err(error)) => panic!("neither bytes nor an end: {error}"),
                Ok(Ok(count)) => {
                    received.extend(&buffer[..count]);
                    continue;
                }
            };
            return exchange;
        }
        exchange.end = if sent.is_ok() { End::Whole } else { End::Reset };
        exchange
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("the server sends text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the server sends JSON")
    }

    pub(crate) fn declared(&self) -> usize {
        self.header("content-length").and_then(|length| length.parse().ok()).expect("the server declares a length")
    }

    /// Takes head and body apart, and says whether the body is whole.
    fn take(&mut self, received: &[u8]) -> bool {
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
        self.head = String::from_utf8_lossy(&received[..end]).into();
        self.body = received[end + 4..].into();
        self.body.len() == self.declared()
    }
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("the server accepts")
}

pub(crate) async fn send(address: SocketAddr, request: &str) -> Exchange {
    Exchange::on(&mut connect(address).await, request).await
}

pub(crate) async fn embed(address: SocketAddr, body: &Value) -> Exchange {
    send(address, &post(&body.to_string(), "")).await
}

/// A `POST /v1/embeddings`; `headers` end in line feeds.
pub(crate) fn post(body: &str, headers: &str) -> String {
    let length = body.len();
    format!("POST /v1/embeddings HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}
