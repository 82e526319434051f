use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::Sleep;
use trysail_core::{Elapsed, FromElapsed, Scope};

pin_project! {
    /// The call, or the end of its time.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // None if the call was refused.
        #[pin]
        call: Option<F>,
        // Made once the call is pending.
        #[pin]
        sleep: Option<Sleep>,
        span: Span,
    }
}

/// How long a call may take, and who says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) limit: Duration,
    pub(crate) scope: Scope,
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn new(call: F, span: Span) -> Self {
        Self { call: Some(call), sleep: None, span }
    }

    pub(crate) const fn refused(span: Span) -> Self {
        Self { call: None, sleep: None, span }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: FromElapsed,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let elapsed = |span: &Span| Elapsed::new(span.scope, span.limit);
        let Some(call) = this.call.as_pin_mut() else {
            return Poll::Ready(Err(E::from_elapsed(elapsed(this.span).unsent())));
        };
        if let Poll::Ready(outcome) = call.poll(cx) {
            return Poll::Ready(outcome);
        }
        if this.sleep.is_none() {
            if this.span.limit == Span::NONE.limit {
                return Poll::Pending;
            }
            this.sleep.set(Some(tokio::time::sleep(this.span.limit)));
        }
        ready!(this.sleep.as_pin_mut().expect("just made").poll(cx));
        Poll::Ready(Err(E::from_elapsed(elapsed(this.span))))
    }
}

impl Span {
    /// No limit at all, and no need of a timer.
    pub(crate) const NONE: Self = Self { limit: Duration::MAX, scope: Scope::Call };
}
