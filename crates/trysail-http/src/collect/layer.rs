use std::time::Duration;

use tower_layer::Layer;

use crate::collect::Collect;

/// Reads each body to its end, so that the answer is whole when the call is over.
///
/// The response becomes `http::Response<Bytes>`, head and extensions as they were, trailers dropped; the error
/// becomes a [`CollectError`](crate::CollectError). What was [`Expected`](crate::Expected) of the answer moves from
/// the request's extensions to the response's. Readiness is the service's own. A body of one frame is handed on
/// without a copy.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use trysail_http::CollectLayer;
///
/// let collect = CollectLayer::new(64 << 20).idle(Duration::from_secs(10));
/// # let _ = collect;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CollectLayer<L = Duration> {
    limit: usize,
    idle: L,
}

impl CollectLayer {
    /// Takes bodies of at most `limit_bytes`.
    pub const fn new(limit_bytes: usize) -> Self {
        Self { limit: limit_bytes, idle: IDLE }
    }
}

impl<L> CollectLayer<L> {
    /// How long a body may be silent once the head is in: a [`Limit`](trysail_core::Limit), 5 s unless set.
    pub fn idle<M>(self, idle: M) -> CollectLayer<M> {
        CollectLayer { limit: self.limit, idle }
    }
}

impl<S, L: Clone> Layer<S> for CollectLayer<L> {
    type Service = Collect<S, L>;

    fn layer(&self, inner: S) -> Self::Service {
        Collect::new(inner, self.limit, self.idle.clone())
    }
}

const IDLE: Duration = Duration::from_secs(5);
