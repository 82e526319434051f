use std::time::Duration;

use tower_layer::Layer;
use trysail_core::Scope;

use crate::Timeout;

/// Bounds how long one call may take, by a [`Limit`](trysail_core::Limit): a `Duration`, or a closure over the request.
///
/// A limit of zero refuses the call without making it.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutLayer<L = Duration> {
    limit: L,
    scope: Scope,
}

impl<L> TimeoutLayer<L> {
    /// A layer that gives every call `limit`.
    pub const fn new(limit: L) -> Self {
        Self { limit, scope: Scope::Call }
    }

    /// What [`Elapsed`](trysail_core::Elapsed) calls the limit when it strikes.
    pub fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }
}

impl<S, L: Clone> Layer<S> for TimeoutLayer<L> {
    type Service = Timeout<S, L>;

    fn layer(&self, inner: S) -> Self::Service {
        Timeout { inner, limit: self.limit.clone(), scope: self.scope }
    }
}
