use std::{
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::collect::{CollectError, future::ResponseFuture};

/// The service of a [`CollectLayer`](crate::CollectLayer).
#[derive(Clone, Copy, Debug)]
pub struct Collect<S> {
    inner: S,
    limit: usize,
    idle: Duration,
}

impl<S> Collect<S> {
    pub(crate) const fn new(inner: S, limit: usize, idle: Duration) -> Self {
        Self { inner, limit, idle }
    }
}

impl<S, B, RB> Service<Request<B>> for Collect<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    RB: Body,
{
    type Response = Response<Bytes>;
    type Error = CollectError<S::Error, RB::Error>;
    type Future = ResponseFuture<S::Future, RB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(CollectError::Client)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::new(self.inner.call(request), self.limit, self.idle)
    }
}
