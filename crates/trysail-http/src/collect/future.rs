//! The future of [`Collect`](crate::Collect).

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http::{Response, response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use trysail_core::{Elapsed, Scope};

use crate::{
    Expected,
    collect::{CollectError, gathered::Gathered},
    deadline::later,
};

pin_project! {
    /// Waits for the head, then for the whole body.
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

pin_project! {
    struct Reading<B> {
        #[pin]
        body: B,
        gathered: Gathered,
        #[pin]
        silence: Option<Sleep>,
        // The last poll that brought a frame and then ended pending.
        progress: Option<Instant>,
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
    type Output = Result<Response<Bytes>, CollectError<C, B::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Head { head } => {
                    let (parts, body) = ready!(head.poll(cx)).map_err(CollectError::Client)?.into_parts();
                    if body.size_hint().lower() > *this.limit as u64 {
                        return Poll::Ready(Err(CollectError::TooLarge { limit: *this.limit }));
                    }
                    State::Body { parts: Some(parts), reading: Reading::new(body) }
                }
                StateProjection::Body { parts, reading } => {
                    let whole = ready!(reading.poll(cx, *this.limit, *this.idle))?;
                    let mut parts = parts.take().expect("a future is not polled after it is ready");
                    if let Some(expected) = this.expected.take() {
                        parts.extensions.insert(expected);
                    }
                    return Poll::Ready(Ok(Response::from_parts(parts, whole)));
                }
            };
            this.state.set(next);
        }
    }
}

impl<B: Body> Reading<B> {
    const fn new(body: B) -> Self {
        Self { body, gathered: Gathered::Nothing, silence: None, progress: None }
    }

    fn poll<C>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        limit: usize,
        idle: Option<Duration>,
    ) -> Poll<Result<Bytes, CollectError<C, B::Error>>> {
        let mut this = self.project();
        let mut progressed = false;
        while let Poll::Ready(frame) = this.body.as_mut().poll_frame(cx) {
            let Some(frame) = frame.transpose().map_err(CollectError::Body)? else {
                return Poll::Ready(Ok(this.gathered.take()));
            };
            progressed = true;
            let Ok(data) = frame.into_data() else { continue };
            if data.remaining() > limit - this.gathered.len() {
                return Poll::Ready(Err(CollectError::TooLarge { limit }));
            }
            this.gathered.push(data);
            if this.body.is_end_stream() {
                return Poll::Ready(Ok(this.gathered.take()));
            }
        }
        let Some(idle) = idle else { return Poll::Pending };
        loop {
            let Some(mut silence) = this.silence.as_mut().as_pin_mut() else {
                this.silence.set(Some(sleep_until(later(Instant::now(), idle))));
                progressed = false;
                continue;
            };
            if mem::take(&mut progressed) {
                *this.progress = Some(Instant::now());
            }
            ready!(silence.as_mut().poll(cx));
            match this.progress.take() {
                Some(progress) => silence.reset(later(progress, idle)),
                None => return Poll::Ready(Err(CollectError::Idle(Elapsed::new(Scope::Idle, idle)))),
            }
        }
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("limit", &self.limit).field("idle", &self.idle).finish_non_exhaustive()
    }
}
