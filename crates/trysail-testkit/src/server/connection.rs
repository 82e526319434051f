use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{Extension, Router};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
};

use super::{Shared, journal::DOWN};

pub(super) async fn serve(stream: TcpStream, app: Router, shared: Arc<Shared>) {
    let _open = shared.journal.open();
    let line = Line::default();
    let socket = Socket { stream, line: line.clone() };
    if shared.is_down() {
        shared.journal.fault(DOWN);
        return line.reset();
    }
    // Small pieces are to arrive as they are sent.
    let _ = socket.stream.set_nodelay(true);
    let service = TowerToHyperService::new(app.layer(Extension(line.clone())));
    let server = auto::Builder::new(TokioExecutor::new());
    let connection = server.serve_connection(TokioIo::new(socket), service);
    tokio::select! {
        // What ends a connection early is the client's doing.
        _ = connection => {}
        () = line.0.ended.notified() => {}
    }
}

/// What a request can do to the connection that it came on.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(Arc<End>);

#[derive(Debug, Default)]
struct End {
    reset: AtomicBool,
    ended: Notify,
}

impl Line {
    /// Ends the connection with RST.
    pub(super) fn reset(&self) {
        self.0.reset.store(true, Ordering::Relaxed);
        self.0.ended.notify_one();
    }

    /// Ends the connection with FIN.
    pub(super) fn hang_up(&self) {
        self.0.ended.notify_one();
    }
}

/// A stream that goes down as its line says.
struct Socket {
    stream: TcpStream,
    line: Line,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.line.0.reset.load(Ordering::Relaxed) {
            // With no time to linger, closing a socket resets it.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
