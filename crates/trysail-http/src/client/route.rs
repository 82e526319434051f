use std::{
    error::Error,
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::{
    legacy::connect::{Connected, Connection, HttpConnector, proxy::Tunnel},
    proxy::matcher::Matcher,
};
use tower_service::Service;

use crate::{
    client::{
        served::{Served, Servers},
        tls::Tls,
        unusable::Unusable,
    },
    has_broken_port,
};

/// Connects directly, to a proxy, or through one.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    direct: HttpConnector,
    to_proxy: Tls<HttpConnector>,
    proxies: Arc<Matcher>,
    servers: Servers,
}

impl Route {
    pub(crate) fn new(direct: HttpConnector, to_proxy: Tls<HttpConnector>, proxies: Arc<Matcher>) -> Self {
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
            return Box::pin(async { Err(Unusable("the address has a port that is none").into()) });
        }
        let served = self.servers.connection(&destination);
        let Some(proxy) = self.proxies.intercept(&destination) else {
            let connecting = self.direct.call(destination);
            return Box::pin(async { Ok(Routed::new(MaybeHttpsStream::Http(connecting.await?), false, served)) });
        };
        if !matches!(proxy.uri().scheme_str(), Some("http" | "https")) {
            return Box::pin(async { Err(Unusable("only http and https proxies are supported").into()) });
        }
        if destination.scheme() == Some(&Scheme::HTTP) {
            let connecting = self.to_proxy.call(proxy.uri().clone());
            return Box::pin(async { Ok(Routed::new(connecting.await?, true, served)) });
        }
        let clone = self.to_proxy.clone();
        let ready = mem::replace(&mut self.to_proxy, clone);
        let tunnel = Tunnel::new(proxy.uri().clone(), ready);
        let mut tunnel = match proxy.basic_auth() {
            Some(credentials) => tunnel.with_auth(credentials.clone()),
            None => tunnel,
        };
        Box::pin(async move { Ok(Routed::new(tunnel.call(destination).await?, false, served)) })
    }
}

/// A connection, and whether the proxy at its end reads requests.
#[derive(Debug)]
pub(crate) struct Routed {
    io: MaybeHttpsStream<Tcp>,
    proxied: bool,
    served: Served,
}

impl Routed {
    fn new(io: MaybeHttpsStream<Tcp>, proxied: bool, served: Served) -> Self {
        Self { io, proxied, served }
    }
}

impl Connection for Routed {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.proxied).extra(self.served.clone())
    }
}

impl Read for Routed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
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
