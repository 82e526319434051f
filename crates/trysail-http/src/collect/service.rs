use std::{
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;
use trysail_core::Limit;

use crate::collect::{CollectError, future::ResponseFuture, reading::Limits};

/// The service of a [`CollectLayer`](crate::CollectLayer).
#[derive(Clone, Copy, Debug)]
pub struct Collect<S, L = Duration> {
    inner: S,
    limits: Limits,
    idle: L,
}

impl<S, L> Collect<S, L> {
    pub(crate) const fn new(inner: S, limits: Limits, idle: L) -> Self {
        Self { inner, limits, idle }
    }
}

impl<S, L, B, RB> Service<Request<B>> for Collect<S, L>
where
    S: Service<Request<B>, Response = Response<RB>>,
    L: Limit<Request<B>>,
    RB: Body,
{
    type Response = Response<Bytes>;
    type Error = CollectError<S::Error, RB::Error>;
    type Future = ResponseFuture<S::Future, RB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(CollectError::Client)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let idle = self.idle.limit(&request);
        let expected = request.extensions().get().copied();
        ResponseFuture::new(self.inner.call(request), self.limits, idle, expected)
    }
}
