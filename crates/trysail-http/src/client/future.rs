//! The future of [`Client`](crate::Client).

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Response, Uri};
use http_body::Body;
use pin_project_lite::pin_project;
use trysail_core::Limit;

use crate::{
    client::{AnswerBody, ClientError, exchange::Exchange, wire::Wire},
    redirect,
};

pin_project! {
    /// Waits for the head of the answer.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<B, L> {
        #[pin]
        inner: redirect::future::ResponseFuture<Exchange, Wire<B, L>, B>,
    }
}

impl<B, L> ResponseFuture<B, L> {
    pub(crate) const fn new(inner: redirect::future::ResponseFuture<Exchange, Wire<B, L>, B>) -> Self {
        Self { inner }
    }
}

impl<B, L> Future for ResponseFuture<B, L>
where
    B: Body + Clone + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    L: Limit<Uri> + Clone + Send + Sync + 'static,
{
    type Output = Result<Response<AnswerBody>, ClientError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx)
    }
}

impl<B, L> fmt::Debug for ResponseFuture<B, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
