use std::{
    task::{Context, Poll},
    time::Duration,
};

use tower_service::Service;
use trysail_core::{Elapsed, FromElapsed, Limit, Scope};

use crate::{ResponseFuture, future::NEVER, timer::Timer};

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
        let limit = self.limit.limit(&request);
        let left = self.limit.left(&request);
        let elapsed = match (limit, left) {
            (limit, Some(Duration::ZERO)) if limit != Some(Duration::ZERO) => {
                Elapsed::new(Scope::Request, Duration::ZERO)
            }
            (Some(limit), _) => Elapsed::new(self.scope, limit),
            (None, _) => NEVER,
        };
        if elapsed.limit().is_zero() {
            return ResponseFuture::refused(elapsed);
        }
        let timer = left.map_or(Timer::Idle, Timer::own);
        ResponseFuture::timed(self.inner.call(request), timer, elapsed)
    }
}
