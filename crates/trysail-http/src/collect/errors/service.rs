use std::{
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;
use trysail_core::Limit;

use crate::collect::{
    CollectError,
    errors::{MaybeCollected, future::ResponseFuture},
};

/// The service of a [`CollectErrorsLayer`](crate::CollectErrorsLayer).
#[derive(Clone, Copy, Debug)]
pub struct CollectErrors<S, L = Duration> {
    inner: S,
    limit: usize,
    idle: L,
}

impl<S, L> CollectErrors<S, L> {
    pub(crate) const fn new(inner: S, limit: usize, idle: L) -> Self {
        Self { inner, limit, idle }
    }
}

impl<S, L, B, RB> Service<Request<B>> for CollectErrors<S, L>
where
    S: Service<Request<B>, Response = Response<RB>>,
    L: Limit<Request<B>>,
    RB: Body,
{
    type Response = Response<MaybeCollected<RB>>;
    type Error = CollectError<S::Error, RB::Error>;
    type Future = ResponseFuture<S::Future, RB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(CollectError::Client)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let idle = self.idle.limit(&request);
        let expected = request.extensions().get().copied();
        ResponseFuture::new(self.inner.call(request), self.limit, idle, expected)
    }
}
