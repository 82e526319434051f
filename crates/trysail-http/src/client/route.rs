use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use tower_service::Service;

use crate::{
    client::{
        names::Names,
        obstacle::Obstacle,
        proxies::Proxies,
        served::{Served, Servers},
        tls::Tls,
        tunnel,
    },
    has_broken_port,
};

/// Connects directly, to a proxy, or through one.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    direct: HttpConnector<Names>,
    to_proxy: Tls<HttpConnector<Names>>,
    proxies: Arc<Proxies>,
    servers: Servers,
}

impl Route {
    pub(crate) fn new(
        direct: HttpConnector<Names>,
        to_proxy: Tls<HttpConnector<Names>>,
        proxies: Arc<Proxies>,
    ) -> Self {
        Self { direct, to_proxy, proxies, servers: Servers::default() }
    }
}

impl Service<Uri> for Route {
    type Response = Routed;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Routed, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        ready!(self.direct.poll_ready(cx))?;
        self.to_proxy.poll_ready(cx)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        if has_broken_port(&destination) {
            return Box::pin(async { Err(Obstacle::new("the address has a port that is none").into()) });
        }
        let served = self.servers.connection(&destination);
        let is_plain = destination.scheme() == Some(&Scheme::HTTP);
        let Some(proxy) = self.proxies.before(&destination) else {
            let connecting = self.direct.call(destination);
            return Box::pin(async move {
                let hears = if is_plain { Hears::FirstWord } else { Hears::Nothing };
                Ok(Routed { io: MaybeHttpsStream::Http(connecting.await?), proxied: false, served, hears })
            });
        };
        if !matches!(proxy.intercept.uri().scheme_str(), Some("http" | "https")) {
            return Box::pin(async move { Err(proxy.is_foreign().into()) });
        }
        let connecting = self.to_proxy.call(proxy.intercept.uri().clone());
        Box::pin(async move {
            let io = connecting.await.map_err(|error| proxy.unreachable(&*error))?;
            let io = if is_plain { io } else { tunnel::open(io, &proxy, &destination).await? };
            Ok(Routed { io, proxied: is_plain, served, hears: Hears::Nothing })
        })
    }
}

/// A connection, and whether the proxy at its end reads requests.
#[derive(Debug)]
pub(crate) struct Routed {
    io: MaybeHttpsStream<Tcp>,
    proxied: bool,
    served: Served,
    hears: Hears,
}

/// What is looked at before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hears {
    /// Whether a server that is asked in plain HTTP answers in TLS.
    FirstWord,
    Nothing,
}

impl Connection for Routed {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.proxied).extra(self.served.clone())
    }
}

impl Read for Routed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.hears == Hears::Nothing {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let mut word = [0; ALERT.len()];
        let most = word.len().min(buf.remaining());
        let mut word = ReadBuf::new(&mut word[..most]);
        ready!(Pin::new(&mut self.io).poll_read(cx, word.unfilled()))?;
        if word.filled() == ALERT {
            return Poll::Ready(Err(io::Error::other(Obstacle::new(SPEAKS_TLS))));
        }
        self.hears = Hears::Nothing;
        buf.put_slice(word.filled());
        Poll::Ready(Ok(()))
    }
}

impl Write for Routed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}

type BoxError = Box<dyn Error + Send + Sync>;
type Tcp = <HttpConnector as Service<Uri>>::Response;

/// How the answer of a TLS server begins that was not spoken to in TLS: an alert of some version.
const ALERT: &[u8] = &[0x15, 0x03];
const SPEAKS_TLS: &str = "that port speaks https: write https:// instead of http://";
