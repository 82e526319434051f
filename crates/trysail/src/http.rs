use std::time::Duration;

use tower_layer::Layer;

use crate::{Classify, ClassifyLayer, Collect, CollectLayer, Providers};
#[cfg(feature = "client")]
use crate::{
    Client, Failure,
    transport::{BodyError, ClientError, CollectError},
};

/// A request whose body is at hand, so that it can be sent again.
#[cfg(feature = "client")]
pub type HttpRequest = http::Request<http_body_util::Full<bytes::Bytes>>;

/// The type of [`client`], or of what an [`HttpLayer`] makes of another client `C` with another judge `J`.
#[cfg(feature = "client")]
pub type HttpClient<C = Client<http_body_util::Full<bytes::Bytes>>, J = Providers> = Classify<Collect<C>, J>;

/// Why an [`HttpClient`] has no success, and so why a stack of layers over it has none.
#[cfg(feature = "client")]
pub type HttpError<C = ClientError, B = BodyError> = Failure<http::Response<bytes::Bytes>, CollectError<C, B>>;

/// A client whose `Ok` is a success: what stands at the foot of a stack.
///
/// It is a [`Client`] with every default in an [`HttpLayer`] with every default. To override something, put these
/// together: `HttpLayer::new().layer(Client::builder().connect_timeout(SECOND).build())`.
#[cfg(feature = "client")]
pub fn client() -> HttpClient {
    HttpLayer::new().layer(Client::new())
}

/// Makes of any HTTP client a service whose `Ok` is a success: a [`ClassifyLayer`] over a [`CollectLayer`].
///
/// The answer has its whole body, of at most 64 MiB, and was judged by [`Providers`]; whatever is no success is a
/// [`Failure`](crate::Failure).
///
/// ```
/// # use std::convert::Infallible;
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// use tower::{ServiceBuilder, service_fn};
/// use trysail::{CheckExt, CollectLayer, HttpLayer};
///
/// # async fn call(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
/// #     Ok(Response::new(Full::default()))
/// # }
/// let http = ServiceBuilder::new()
///     .layer(HttpLayer::new().collect(CollectLayer::new(1 << 20)))
///     .service(service_fn(call))
///     .checked::<Request<Full<Bytes>>>();
/// # let _ = http;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HttpLayer<J = Providers, L = Duration> {
    judge: J,
    collect: CollectLayer<L>,
}

impl HttpLayer {
    /// With every default.
    pub const fn new() -> Self {
        Self { judge: Providers, collect: CollectLayer::new(LARGEST_ANSWER) }
    }
}

impl Default for HttpLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<J, L> HttpLayer<J, L> {
    /// Another judge of answers: a provider, rules, or one of your own in a `WithStatus`.
    pub fn judge<K>(self, judge: K) -> HttpLayer<K, L> {
        HttpLayer { judge, collect: self.collect }
    }

    /// How long a body may be silent once it has begun: a [`Limit`](crate::Limit), 20 s unless set.
    pub fn idle<M>(self, idle: M) -> HttpLayer<J, M> {
        HttpLayer { judge: self.judge, collect: self.collect.idle(idle) }
    }

    /// How bodies are collected: up to which size, and how long one may be silent.
    pub fn collect<M>(self, collect: CollectLayer<M>) -> HttpLayer<J, M> {
        HttpLayer { judge: self.judge, collect }
    }
}

impl<S, J: Clone, L: Clone> Layer<S> for HttpLayer<J, L> {
    type Service = Classify<Collect<S, L>, J>;

    fn layer(&self, inner: S) -> Self::Service {
        ClassifyLayer::new(self.judge.clone()).layer(self.collect.layer(inner))
    }
}

/// Vectors of a full batch, written as numbers, are some 50 MB.
const LARGEST_ANSWER: usize = 64 << 20;
