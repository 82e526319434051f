use std::{
    task::{Context, Poll},
    time::Duration,
};

use tower_service::Service;
use trysail_core::{Elapsed, FromElapsed, Limit, Scope};

use crate::{ResponseFuture, future::NEVER};

/// A service whose calls are bounded in time; made by [`TimeoutLayer`](crate::TimeoutLayer).
#[derive(Clone, Copy, Debug)]
pub struct Timeout<S, L = Duration> {
    pub(crate) inner: S,
    pub(crate) limit: L,
    pub(crate) scope: Scope,
}

impl<S, L, Req> Service<Req> for Timeout<S, L>
where
    S: Service<Req>,
    S::Error: FromElapsed,
    L: Limit<Req>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let elapsed = match (self.limit.limit(&request), self.limit.left(&request)) {
            (limit, Some(left)) if limit.is_none_or(|limit| left < limit) => Elapsed::new(Scope::Request, left),
            (Some(limit), _) => Elapsed::new(self.scope, limit),
            (None, _) => NEVER,
        };
        if elapsed.limit().is_zero() {
            ResponseFuture::refused(elapsed)
        } else {
            ResponseFuture::new(self.inner.call(request), elapsed)
        }
    }
}
