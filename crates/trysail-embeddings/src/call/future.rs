use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;
use trysail_core::Failure;

use crate::{
    EmbedError, Endpoint,
    asked::{Asked, Said},
    validate::{self, Expected, Flaw},
};

pin_project! {
    /// A call of [`Sparse`](crate::Sparse) or [`Rerank`](crate::Rerank), and the check of its answer.
    pub struct AnswerFuture<F, R, A> {
        #[pin]
        call: F,
        request: R,
        endpoint: Arc<Endpoint>,
        read: fn(&R, &Response<Bytes>) -> Result<A, Flaw>,
    }
}

impl<F, R, A> AnswerFuture<F, R, A> {
    pub(crate) const fn new(
        call: F,
        request: R,
        endpoint: Arc<Endpoint>,
        read: fn(&R, &Response<Bytes>) -> Result<A, Flaw>,
    ) -> Self {
        Self { call, request, endpoint, read }
    }
}

impl<F, R, A, E> Future for AnswerFuture<F, R, A>
where
    F: Future<Output = Result<Response<Bytes>, Failure<Response<Bytes>, E>>>,
    E: Error + Send + Sync + 'static,
    R: Said,
{
    type Output = Result<A, EmbedError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.call.poll(cx));
        let asked = Asked { endpoint: this.endpoint, request: Some(&*this.request) };
        Poll::Ready(match outcome {
            Err(failure) => Err(EmbedError::of(failure, asked)),
            Ok(mut response) => (this.read)(this.request, &response).map_err(|flaw| {
                let expected = Expected { count: this.request.count(), dimensions: None, floats: false };
                match validate::error_inside(flaw, &mut response, expected) {
                    Some(verdict) => EmbedError::answered(verdict, &response, asked),
                    None => flaw.into(),
                }
            }),
        })
    }
}

impl<F, R: fmt::Debug, A> fmt::Debug for AnswerFuture<F, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerFuture").field("request", &self.request).finish_non_exhaustive()
    }
}
