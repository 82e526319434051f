use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::oneshot::Oneshot;
use crate::EmbedRequest;

pin_project! {
    /// A call, and the first of the inputs that it is for.
    pub(super) struct Call<S: Service<EmbedRequest>> {
        at: usize,
        #[pin]
        call: Oneshot<S>,
    }
}

impl<S> Call<S>
where
    S: Service<EmbedRequest>,
{
    pub(super) const fn new(at: usize, service: S, request: EmbedRequest) -> Self {
        Self { at, call: Oneshot::new(service, request) }
    }
}

impl<S> Future for Call<S>
where
    S: Service<EmbedRequest>,
{
    type Output = (usize, Result<S::Response, S::Error>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.call.poll(cx));
        Poll::Ready((*this.at, outcome))
    }
}
