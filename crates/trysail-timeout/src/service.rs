use std::{
    task::{Context, Poll},
    time::Duration,
};

use tower_service::Service;
use trysail_core::{FromElapsed, Limit, Scope};

use crate::{ResponseFuture, future::Span};

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
        let span = match (self.limit.limit(&request), self.limit.left(&request)) {
            (Some(limit), Some(left)) if left < limit => Span { limit: left, scope: Scope::Request },
            (None, Some(left)) => Span { limit: left, scope: Scope::Request },
            (Some(limit), _) => Span { limit, scope: self.scope },
            (None, None) => Span::NONE,
        };
        if span.limit.is_zero() {
            ResponseFuture::refused(span)
        } else {
            ResponseFuture::new(self.inner.call(request), span)
        }
    }
}
