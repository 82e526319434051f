use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use trysail_core::{Elapsed, FromElapsed, Scope};

use crate::timer::{self, Place, Timer};

pin_project! {
    /// The call, or the end of its time.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // None if the call was refused.
        #[pin]
        call: Option<F>,
        // Made once the call is pending, or with it for a request that has a time of its own.
        #[pin]
        timer: Option<Timer>,
        // What it will have been, if it ends that way.
        elapsed: Elapsed,
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(crate) const fn new(call: F, elapsed: Elapsed) -> Self {
        Self { call: Some(call), timer: None, elapsed }
    }

    /// The request has `left` by itself, until `until`.
    ///
    /// Its timer is made at once, for the future may be polled late; a limit that is smaller counts from then.
    pub(crate) fn own(call: F, limit: Elapsed, left: Duration, until: Instant) -> Self {
        let own = Elapsed::new(Scope::Request, left);
        let elapsed = if left < limit.limit() { own } else { limit.unsent() };
        Self { call: Some(call), timer: Some(Timer::new(until)), elapsed }
    }

    pub(crate) const fn refused(elapsed: Elapsed) -> Self {
        Self { call: None, timer: None, elapsed: elapsed.unsent() }
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
        let place = Place::of(&*self);
        let this = self.project();
        if let Some(call) = this.call.as_pin_mut() {
            timer::forget();
            if let Poll::Ready(outcome) = call.poll(cx) {
                return Poll::Ready(outcome);
            }
            ready!(poll_timer(this.timer, this.elapsed, place, cx));
        }
        Poll::Ready(Err(E::from_elapsed(*this.elapsed)))
    }
}

/// Waits until the limit strikes, counted from the first time.
fn poll_timer(
    mut timer: Pin<&mut Option<Timer>>,
    elapsed: &mut Elapsed,
    call: Place,
    cx: &mut Context<'_>,
) -> Poll<()> {
    match timer.as_mut().as_pin_mut() {
        None => {
            let limit = elapsed.limit();
            if limit.as_secs() == NEVER.limit().as_secs() {
                return Poll::Pending;
            }
            timer.set(Some(Timer::new(Instant::now() + limit)));
        }
        Some(timer) if *elapsed == elapsed.unsent() => begin(timer, elapsed),
        Some(_) => {}
    }
    timer.as_pin_mut().expect("just made").poll(call, cx)
}

/// A limit begins to count beside the request's own time: the smaller holds.
#[cold]
fn begin(timer: Pin<&mut Timer>, elapsed: &mut Elapsed) {
    let (now, until) = (Instant::now(), timer.until());
    let limit = now + elapsed.limit();
    if limit <= until {
        *elapsed = Elapsed::new(elapsed.scope(), elapsed.limit());
        timer.reset(limit);
    } else {
        *elapsed = Elapsed::new(Scope::Request, until.saturating_duration_since(now));
    }
}

/// No limit at all, and no need of a timer.
pub(crate) const NEVER: Elapsed = Elapsed::new(Scope::Call, Duration::MAX);
