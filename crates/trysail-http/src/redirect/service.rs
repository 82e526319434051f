use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::redirect::future::ResponseFuture;

/// The service of a [`RedirectLayer`](crate::RedirectLayer).
#[derive(Clone, Copy, Debug)]
pub struct Redirect<S> {
    inner: S,
}

impl<S> Redirect<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self { inner }
    }

    #[cfg(feature = "client")]
    pub(crate) const fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, B, RB> Service<Request<B>> for Redirect<S>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
    B: Clone,
{
    type Response = Response<RB>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let copy = request.clone();
        ResponseFuture::new(self.inner.call(request), self.inner.clone(), copy)
    }
}
