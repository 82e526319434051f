use std::time::Duration;

use tower_layer::Layer;

use crate::collect::{CollectErrors, layer::IDLE};

/// Reads the body of an answer that is no 2xx, and hands that of a 2xx through as it comes.
///
/// So a judge of bodies, such as `Providers` of trysail-providers, judges streams too: a spent quota and a rate limit share
/// the status 429, and only the body tells them apart. The response becomes `http::Response<MaybeCollected<B>>`, the error
/// a [`CollectError`](crate::CollectError).
///
/// **A success ends at its head.** Verdict, attempt limit and circuit end there: a body that breaks off later, falls silent
/// or says in its midst that it failed is neither repeated nor counted. Put tower-http's `ResponseBodyTimeoutLayer` below
/// for silence.
///
/// # Examples
///
/// ```
/// use trysail_http::CollectLayer;
///
/// let collect = CollectLayer::errors(64 << 10);
/// # let _ = collect;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CollectErrorsLayer<L = Duration> {
    limit: usize,
    idle: L,
}

impl CollectErrorsLayer {
    /// Keeps the first `limit_bytes` of a body.
    pub(crate) const fn new(limit_bytes: usize) -> Self {
        Self { limit: limit_bytes, idle: IDLE }
    }
}

impl<L> CollectErrorsLayer<L> {
    /// How long the body of a failure may be silent once it has begun: a [`Limit`](trysail_core::Limit), 20 s unless set.
    pub fn idle<M>(self, idle: M) -> CollectErrorsLayer<M> {
        CollectErrorsLayer { limit: self.limit, idle }
    }
}

impl<S, L: Clone> Layer<S> for CollectErrorsLayer<L> {
    type Service = CollectErrors<S, L>;

    fn layer(&self, inner: S) -> Self::Service {
        CollectErrors::new(inner, self.limit, self.idle.clone())
    }
}
