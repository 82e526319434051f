use std::io;

use http::{StatusCode, Uri};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{obstacle::Obstacle, proxies::Proxy};

/// Asks `proxy`, at the other end of `io`, to connect it to `destination`.
///
/// hyper-util's own tunnel keeps the status to itself, and whether to ask again depends on it.
pub(crate) async fn open<T>(io: T, proxy: &Proxy, destination: &Uri) -> Result<T, Obstacle>
where
    T: Read + Write + Unpin,
{
    let mut io = TokioIo::new(io);
    let head = ask(&mut io, proxy, destination).await.map_err(|error| proxy.breaks_off(&error))?;
    match status(&head) {
        Some(status) if status.is_success() => Ok(io.into_inner()),
        Some(status) => Err(proxy.refuses(destination, status)),
        None => Err(proxy.garbles()),
    }
}

async fn ask<T>(io: &mut TokioIo<T>, proxy: &Proxy, destination: &Uri) -> io::Result<Vec<u8>>
where
    T: Read + Write + Unpin,
{
    let host = destination.host().unwrap_or_default();
    let port = destination.port_u16().unwrap_or(443);
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(credentials) = proxy.intercept.basic_auth() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(credentials.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    io.write_all(&request).await?;
    io.flush().await?;

    let mut head = Vec::new();
    // What comes after the head is the server's, and that does not speak first.
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST {
        head.push(io.read_u8().await?);
        if head.len() == HTTP.len() && head != HTTP {
            break;
        }
    }
    Ok(head)
}

/// The status in the first line of `head`, if it is one.
fn status(head: &[u8]) -> Option<StatusCode> {
    let [_, b' ', hundreds, tens, ones, b' ' | b'\r', .., b'\r', b'\n'] = head.strip_prefix(HTTP)? else { return None };
    StatusCode::from_bytes(&[*hundreds, *tens, *ones]).ok()
}

const HTTP: &[u8] = b"HTTP/1.";
const LONGEST: usize = 8 << 10;
