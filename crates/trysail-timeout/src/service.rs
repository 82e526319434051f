use std::{
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;
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

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let limit = self.limit.limit(&request).map_or(NEVER, |limit| Elapsed::new(self.scope, limit));
        let own = self.limit.left(&request);
        if limit.limit().is_zero() {
            return ResponseFuture::refused(limit);
        }
        if own == Some(Duration::ZERO) {
            return ResponseFuture::refused(Elapsed::new(Scope::Request, Duration::ZERO));
        }
        // A time beyond the clock is none.
        let until = own.and_then(|left| Some((left, Instant::now().checked_add(left)?)));
        let call = self.inner.call(request);
        match until {
            Some((left, until)) => ResponseFuture::own(call, limit, left, until),
            None => ResponseFuture::new(call, limit),
        }
    }
}
