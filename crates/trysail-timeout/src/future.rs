use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use trysail_core::{Elapsed, FromElapsed, Scope};

use crate::timer::Timer;

pin_project! {
    /// The call, or the end of its time.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // None if the call was refused.
        #[pin]
        call: Option<F>,
        #[pin]
        timer: Timer,
        // What it will have been, if it ends that way.
        elapsed: Elapsed,
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(crate) const fn new(call: F, elapsed: Elapsed) -> Self {
        Self::timed(call, Timer::Idle, elapsed)
    }

    #[inline]
    pub(crate) const fn timed(call: F, timer: Timer, elapsed: Elapsed) -> Self {
        Self { call: Some(call), timer, elapsed }
    }

    pub(crate) const fn refused(elapsed: Elapsed) -> Self {
        Self { call: None, timer: Timer::Idle, elapsed: elapsed.unsent() }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: FromElapsed,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(call) = this.call.as_pin_mut() {
            if let Poll::Ready(outcome) = call.poll(cx) {
                return Poll::Ready(outcome);
            }
            ready!(this.timer.poll(this.elapsed, cx));
        }
        Poll::Ready(Err(E::from_elapsed(*this.elapsed)))
    }
}

/// No limit at all, and no need of a timer.
pub(crate) const NEVER: Elapsed = Elapsed::new(Scope::Call, Duration::MAX);
