use std::io;

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpStream, tcp::ReadHalf},
};

use super::{
    Trick,
    counts::Open,
    play::{Next, play},
};

pub(super) async fn serve(stream: TcpStream, trick: Trick, open: Open) {
    // What ends a connection early is the client's doing.
    let _ = converse(stream, trick, &open).await;
}

async fn converse(mut stream: TcpStream, trick: Trick, open: &Open) -> io::Result<()> {
    // Small pieces are to arrive as they are sent.
    stream.set_nodelay(true)?;
    let (reads, mut writes) = stream.split();
    let mut client = Client { reads, unread: BytesMut::new() };
    while client.asks().await? {
        open.request();
        let next = tokio::select! {
            next = play(trick, &mut writes) => next?,
            hung_up = client.hangs_up() => return hung_up,
        };
        match next {
            Next::Request => {}
            Next::Fin => break,
            // With no time to linger, closing a socket resets it.
            Next::Reset => return stream.set_zero_linger(),
        }
    }
    Ok(())
}

struct Client<'a> {
    reads: ReadHalf<'a>,
    unread: BytesMut,
}

impl Client<'_> {
    /// Takes the next request; `false` if the client hangs up instead.
    async fn asks(&mut self) -> io::Result<bool> {
        loop {
            if let Some(length) = request_length(&self.unread)
                && length <= self.unread.len()
            {
                self.unread.advance(length);
                return Ok(true);
            }
            if self.reads.read_buf(&mut self.unread).await? == 0 {
                return Ok(false);
            }
        }
    }

    /// Reads on. Besides noticing the end, this leaves nothing behind that would turn a FIN into a reset.
    async fn hangs_up(&mut self) -> io::Result<()> {
        while self.reads.read_buf(&mut self.unread).await? > 0 {}
        Ok(())
    }
}

/// How long the request is that `bytes` start with, if its head is whole.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let body = String::from_utf8_lossy(&bytes[..head]).lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some(head.saturating_add(body.unwrap_or(0)))
}
