use std::time::Duration;

use tower_layer::Layer;

use crate::collect::Collect;

/// Reads each body to its end, so that the answer is whole when the call is over.
///
/// The response becomes `http::Response<Bytes>`, head and extensions as they were, trailers dropped; the error
/// becomes a [`CollectError`](crate::CollectError). Readiness is the service's own. A body of one frame is handed on
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
pub struct CollectLayer {
    limit: usize,
    idle: Duration,
}

impl CollectLayer {
    /// Takes bodies of at most `limit_bytes`.
    pub const fn new(limit_bytes: usize) -> Self {
        Self { limit: limit_bytes, idle: IDLE }
    }

    /// How long a body may be silent once the head is in; 5 s unless set.
    pub const fn idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }
}

impl<S> Layer<S> for CollectLayer {
    type Service = Collect<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Collect::new(inner, self.limit, self.idle)
    }
}

const IDLE: Duration = Duration::from_secs(5);
