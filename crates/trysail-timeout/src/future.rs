use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use trysail_core::{Elapsed, FromElapsed, Scope};

pin_project! {
    /// The call, or the end of its time.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        call: Call<F>,
        #[pin]
        timer: Timer,
    }
}

pin_project! {
    #[project = CallProj]
    #[derive(Debug)]
    enum Call<F> {
        Made { #[pin] future: F },
        Refused { elapsed: Elapsed },
    }
}

pin_project! {
    #[project = TimerProj]
    #[derive(Debug)]
    enum Timer {
        None,
        Waiting { span: Span },
        Armed { #[pin] sleep: Sleep, span: Span },
    }
}

/// How long a call may take, and who says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) limit: Duration,
    pub(crate) scope: Scope,
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn bounded(future: F, span: Span) -> Self {
        Self { call: Call::Made { future }, timer: Timer::Waiting { span } }
    }

    pub(crate) const fn unbounded(future: F) -> Self {
        Self { call: Call::Made { future }, timer: Timer::None }
    }

    pub(crate) const fn refused(elapsed: Elapsed) -> Self {
        Self { call: Call::Refused { elapsed }, timer: Timer::None }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: FromElapsed,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.call.project() {
            CallProj::Refused { elapsed } => return Poll::Ready(Err(E::from_elapsed(*elapsed))),
            CallProj::Made { future } => {
                if let Poll::Ready(outcome) = future.poll(cx) {
                    return Poll::Ready(outcome);
                }
            }
        }
        let elapsed = ready!(this.timer.poll(cx));
        Poll::Ready(Err(E::from_elapsed(elapsed)))
    }
}

impl Timer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Elapsed> {
        if let Self::Waiting { span } = *self {
            self.as_mut().arm(span);
        }
        match self.project() {
            TimerProj::Armed { sleep, span } => sleep.poll(cx).map(|()| Elapsed::new(span.scope, span.limit)),
            TimerProj::None | TimerProj::Waiting { .. } => Poll::Pending,
        }
    }

    /// Out of line: a call that is ready at once must not pay for the size of this.
    #[cold]
    #[inline(never)]
    fn arm(mut self: Pin<&mut Self>, span: Span) {
        self.set(match Instant::now().checked_add(span.limit) {
            Some(deadline) => Self::Armed { sleep: tokio::time::sleep_until(deadline), span },
            None => Self::None,
        });
    }
}
