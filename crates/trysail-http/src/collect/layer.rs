use std::time::Duration;

use tower_layer::Layer;

use crate::collect::{Collect, CollectErrorsLayer, reading::Limits};

/// Reads each body to its end, so that the answer is whole when the call is over.
///
/// The response becomes `http::Response<Bytes>`, head and extensions as they were, trailers dropped; the error
/// becomes a [`CollectError`](crate::CollectError). What was [`Expected`](crate::Expected) of the answer moves from
/// the request's extensions to the response's. Readiness is the service's own. A body of one frame is handed on
/// without a copy.
///
/// Of an answer that is no 2xx only the first 64 KiB are kept: the rest is not read, and such an answer loses its
/// `content-length`. A call that waits for its next attempt holds no more than that.
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
    limits: Limits,
    idle: L,
}

impl CollectLayer {
    /// Takes bodies of at most `limit_bytes`.
    pub const fn new(limit_bytes: usize) -> Self {
        Self { limits: Limits { success: limit_bytes, error: ERROR_LIMIT }, idle: IDLE }
    }

    /// Lets the body of a 2xx through as it is, and collects at most `limit_bytes` of any other; 64 KiB is what judges
    /// look at.
    ///
    /// See [`CollectErrorsLayer`] for what that means for a stream.
    pub const fn errors(limit_bytes: usize) -> CollectErrorsLayer {
        CollectErrorsLayer::new(limit_bytes)
    }
}

impl<L> CollectLayer<L> {
    /// How long a body may be silent once it has begun: a [`Limit`](trysail_core::Limit), 20 s unless set.
    ///
    /// Before its first byte only the limit of the attempt counts, so put a `TimeoutLayer` of trysail-timeout above.
    pub fn idle<M>(self, idle: M) -> CollectLayer<M> {
        CollectLayer { limits: self.limits, idle }
    }

    /// How much is kept of the body of an answer that is no 2xx, 64 KiB unless set.
    pub fn error_limit(self, limit_bytes: usize) -> Self {
        Self { limits: Limits { error: limit_bytes, ..self.limits }, ..self }
    }
}

impl<S, L: Clone> Layer<S> for CollectLayer<L> {
    type Service = Collect<S, L>;

    fn layer(&self, inner: S) -> Self::Service {
        Collect::new(inner, self.limits, self.idle.clone())
    }
}

pub(crate) const IDLE: Duration = Duration::from_secs(20);
const ERROR_LIMIT: usize = 64 << 10;
