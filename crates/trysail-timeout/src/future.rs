use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use trysail_core::{Elapsed, FromElapsed, Scope};

pin_project! {
    /// The call, or the end of its time.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // None if the call was refused.
        #[pin]
        call: Option<F>,
        #[pin]
        timer: Timer,
    }
}

pin_project! {
    #[project = TimerProj]
    #[derive(Debug)]
    enum Timer {
        Unlimited,
        Refused { span: Span },
        Unarmed { span: Span },
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
    pub(crate) const fn bounded(call: F, span: Span) -> Self {
        Self { call: Some(call), timer: Timer::Unarmed { span } }
    }

    pub(crate) const fn unbounded(call: F) -> Self {
        Self { call: Some(call), timer: Timer::Unlimited }
    }

    pub(crate) const fn refused(span: Span) -> Self {
        Self { call: None, timer: Timer::Refused { span } }
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
        if let Some(call) = this.call.as_pin_mut()
            && let Poll::Ready(outcome) = call.poll(cx)
        {
            return Poll::Ready(outcome);
        }
        this.timer.poll(cx).map(|elapsed| Err(E::from_elapsed(elapsed)))
    }
}

impl Timer {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Elapsed> {
        if let Self::Unarmed { span } = *self {
            self.as_mut().arm(span);
        }
        match self.project() {
            TimerProj::Armed { sleep, span } => sleep.poll(cx).map(|()| Elapsed::new(span.scope, span.limit)),
            TimerProj::Refused { span } => Poll::Ready(Elapsed::new(span.scope, span.limit).unsent()),
            TimerProj::Unlimited | TimerProj::Unarmed { .. } => Poll::Pending,
        }
    }

    /// Out of line: a call that is ready at once must not pay for the size of this.
    #[cold]
    #[inline(never)]
    fn arm(mut self: Pin<&mut Self>, span: Span) {
        self.set(match Instant::now().checked_add(span.limit) {
            Some(deadline) => Self::Armed { sleep: tokio::time::sleep_until(deadline), span },
            None => Self::Unlimited,
        });
    }
}
