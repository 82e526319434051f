//! The ready-made client.

mod builder;
mod error;
pub mod future;
mod route;
pub(crate) mod served;
mod tls;
mod unusable;

use std::{
    error::Error,
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, header::PROXY_AUTHORIZATION, uri::Scheme};
use http_body::Body;
use hyper_util::client::{legacy, proxy::matcher::Matcher};
use tower_service::Service;
use trysail_core::Limit;

pub use hyper::{Error as BodyError, body::Incoming};

pub use self::{builder::ClientBuilder, error::ClientError};
use self::{future::ResponseFuture, route::Route, tls::Tls};
use crate::ConnectTimeout;

/// hyper with what a long-lived service needs: a pool, TLS, proxies and a connect limit.
///
/// HTTP/1.1 and HTTP/2 by ALPN; TLS by rustls, which reads the system's certificates at the first `https` connect and
/// not before; the proxy variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` count. Redirects are not
/// followed, and nothing is sent twice: a request that meets a connection just closed fails as unsent, for a retry
/// around it to repeat at no charge.
///
/// Clones share the pool. Always ready.
///
/// ```no_run
/// # use bytes::Bytes;
/// # use http_body_util::Full;
/// # use tower_service::Service;
/// # async fn embed() -> Result<(), Box<dyn std::error::Error>> {
/// let mut client = trysail_http::Client::new();
/// let request = http::Request::post("https://example.com/v1/embeddings").body(Full::new(Bytes::from("{}")))?;
/// let response = client.call(request).await?;
/// # let _ = response.status();
/// # Ok(())
/// # }
/// ```
pub struct Client<B, L = Duration> {
    inner: legacy::Client<Connector<L>, B>,
    proxies: Arc<Matcher>,
}

type Connector<L> = ConnectTimeout<Tls<Route>, L>;

impl<B> Client<B>
where
    B: Body + Send,
    B::Data: Send,
{
    /// A client with every default.
    pub fn new() -> Self {
        ClientBuilder::new().build()
    }
}

impl Client<()> {
    /// Starts from the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }
}

impl<B, L> Service<Request<B>> for Client<B, L>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    L: Limit<http::Uri> + Clone + Send + Sync + 'static,
{
    type Response = Response<Incoming>;
    type Error = ClientError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(ClientError::new)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Through a tunnel the proxy must not see it again, and the server never.
        if request.uri().scheme() == Some(&Scheme::HTTP)
            && let Some(proxy) = self.proxies.intercept(request.uri())
            && let Some(credentials) = proxy.basic_auth()
        {
            request.headers_mut().entry(PROXY_AUTHORIZATION).or_insert_with(|| credentials.clone());
        }
        ResponseFuture::new(self.inner.call(request))
    }
}

impl<B, L: Clone> Clone for Client<B, L> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), proxies: self.proxies.clone() }
    }
}

impl<B> Default for Client<B>
where
    B: Body + Send,
    B::Data: Send,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<B, L> fmt::Debug for Client<B, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("proxies", &self.proxies).finish_non_exhaustive()
    }
}
