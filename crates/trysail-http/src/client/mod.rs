//! The ready-made client.

mod body;
mod builder;
mod encoding;
mod error;
mod exchange;
pub mod future;
mod names;
mod obstacle;
mod proxies;
mod route;
pub(crate) mod served;
mod tls;
mod tunnel;
mod wire;
mod words;

use std::{
    error::Error,
    fmt,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;
use trysail_core::Limit;

pub use self::{
    body::{AnswerBody, BodyError},
    builder::ClientBuilder,
    error::ClientError,
};
use self::{future::ResponseFuture, wire::Wire};
use crate::Redirect;

/// hyper with what a long-lived service needs: a pool, TLS, proxies and a connect limit.
///
/// HTTP/1.1 and HTTP/2 by ALPN; TLS by rustls, which reads the system's certificates at the first `https` connect and
/// not before; the proxy variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` count. Nothing is sent
/// twice: a request that meets a connection just closed fails as unsent, for a retry around it to repeat at no charge.
///
/// Redirects are followed as [`RedirectLayer`](crate::RedirectLayer) does, inside the origin only. Bodies in `gzip`,
/// `deflate`, `br` and `zstd` are decompressed as they are read, asked for or not, so that a limit on size counts what
/// comes out.
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
    inner: Redirect<Wire<B, L>>,
}

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

/// The body is cloned with each request, should that have to be sent elsewhere: `Full<Bytes>` is made for it.
impl<B, L> Service<Request<B>> for Client<B, L>
where
    B: Body + Clone + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    L: Limit<http::Uri> + Clone + Send + Sync + 'static,
{
    type Response = Response<AnswerBody>;
    type Error = ClientError;
    type Future = ResponseFuture<B, L>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::new(self.inner.call(request))
    }
}

impl<B, L: Clone> Clone for Client<B, L> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
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
        f.debug_struct("Client").field("proxies", &self.inner.get_ref().proxies).finish_non_exhaustive()
    }
}
