//! The future of [`CollectErrors`](crate::CollectErrors).

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{Response, response};
use http_body::Body;
use pin_project_lite::pin_project;

use crate::{
    Expected,
    collect::{
        CollectError, MaybeCollected,
        reading::{Most, Reading},
    },
};

pin_project! {
    /// Waits for the head, and for the body of a failure.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
        limit: usize,
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
    pub(crate) const fn new(head: F, limit: usize, idle: Option<Duration>, expected: Option<Expected>) -> Self {
        Self { state: State::Head { head }, limit, idle, expected }
    }
}

impl<F, B, C> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, C>>,
    B: Body,
{
    type Output = Result<Response<MaybeCollected<B>>, CollectError<C, B::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Head { head } => {
                    let (mut parts, body) = ready!(head.poll(cx)).map_err(CollectError::Client)?.into_parts();
                    if let Some(expected) = this.expected.take() {
                        parts.extensions.insert(expected);
                    }
                    if parts.status.is_success() {
                        return Poll::Ready(Ok(Response::from_parts(parts, MaybeCollected::stream(body))));
                    }
                    State::Body { parts: Some(parts), reading: Reading::new(body, Most::Start(*this.limit))? }
                }
                StateProjection::Body { parts, reading } => {
                    let read = ready!(reading.poll(cx, *this.idle))?;
                    let parts = parts.take().expect("a future is not polled after it is ready");
                    return Poll::Ready(Ok(read.with(parts).map(MaybeCollected::of)));
                }
            };
            this.state.set(next);
        }
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("limit", &self.limit).field("idle", &self.idle).finish_non_exhaustive()
    }
}
