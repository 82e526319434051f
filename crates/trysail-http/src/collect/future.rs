//! The future of [`Collect`](crate::Collect).

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, response};
use http_body::Body;
use pin_project_lite::pin_project;

use crate::{
    Expected,
    collect::{
        CollectError,
        reading::{Limits, Reading},
    },
};

pin_project! {
    /// Waits for the head, then for the whole body.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
        limits: Limits,
        idle: Option<Duration>,
        expected: Option<Expected>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, B> {
        Head { #[pin] head: F },
        Body { parts: Option<response::Parts>, #[pin] reading: Reading<B> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) const fn new(head: F, limits: Limits, idle: Option<Duration>, expected: Option<Expected>) -> Self {
        Self { state: State::Head { head }, limits, idle, expected }
    }
}

impl<F, B, C> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, C>>,
    B: Body,
{
    type Output = Result<Response<Bytes>, CollectError<C, B::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Head { head } => {
                    let (parts, body) = ready!(head.poll(cx)).map_err(CollectError::Client)?.into_parts();
                    let most = this.limits.of(parts.status);
                    State::Body { parts: Some(parts), reading: Reading::new(body, most)? }
                }
                StateProjection::Body { parts, reading } => {
                    let read = ready!(reading.poll(cx, *this.idle))?;
                    let mut parts = parts.take().expect("a future is not polled after it is ready");
                    if let Some(expected) = this.expected.take() {
                        parts.extensions.insert(expected);
                    }
                    return Poll::Ready(Ok(read.with(parts)));
                }
            };
            this.state.set(next);
        }
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("limits", &self.limits).field("idle", &self.idle).finish_non_exhaustive()
    }
}
