use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};
use tower_layer::Layer;
use tower_service::Service;
use trysail_core::{Elapsed, FromElapsed, Limit, Scope};

use crate::{ResponseFuture, future::NEVER};

/// Bounds how long a service may take to become ready.
///
/// The limit is a [`Limit`] of no request: a `Duration`, an [`Adjustable`](crate::Adjustable), a closure over `&()`.
#[derive(Clone, Copy, Debug)]
pub struct ReadyTimeoutLayer<L = Duration> {
    limit: L,
}

/// A service whose readiness is bounded in time; made by [`ReadyTimeoutLayer`].
///
/// Once the limit strikes it is ready, and refuses the call: an error of `poll_ready` would tell the caller to
/// discard it. The place that the inner service held in a queue is given up then, by taking a clone instead of it:
/// otherwise an idle service is handed what others wait for. Polled for readiness again, it queues again.
///
/// A wait goes on until the service is ready or the limit strikes, whoever polls. Nobody can tell a caller who gave up
/// from one who is woken late. So a wait that is overdue by more than its limit, and a second, is taken for one given up,
/// and begins anew; but only once in a row, so that every limit strikes, however seldom the service is polled.
#[derive(Debug)]
pub struct ReadyTimeout<S, L = Duration> {
    inner: S,
    limit: L,
    wait: ReadyWait,
    /// Made when it is first needed, and kept.
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug)]
enum ReadyWait {
    No,
    /// The timer runs; perhaps for the second time, since nobody came for so long after the first.
    For {
        limit: Duration,
        again: bool,
    },
    /// It was too long.
    Over(Duration),
}

impl<L> ReadyTimeoutLayer<L> {
    /// A layer that waits for readiness no longer than `limit`.
    pub const fn new(limit: L) -> Self {
        Self { limit }
    }
}

impl<S, L: Clone> Layer<S> for ReadyTimeoutLayer<L> {
    type Service = ReadyTimeout<S, L>;

    fn layer(&self, inner: S) -> Self::Service {
        ReadyTimeout::new(inner, self.limit.clone())
    }
}

impl<S, L> ReadyTimeout<S, L> {
    const fn new(inner: S, limit: L) -> Self {
        Self { inner, limit, wait: ReadyWait::No, timer: None }
    }

    /// Whether nobody has polled for so long that the timer tells of an earlier wait.
    fn was_given_up(&self, limit: Duration) -> bool {
        let overdue = self.timer.as_ref().map(|timer| Instant::now().saturating_duration_since(timer.deadline()));
        overdue.is_some_and(|overdue| overdue > limit.max(LATE))
    }

    fn timer(&mut self, deadline: Instant) -> &mut Pin<Box<Sleep>> {
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(deadline),
            none => *none = Some(Box::pin(sleep_until(deadline))),
        }
        self.timer.as_mut().expect("just made")
    }
}

impl<S, L, Req> Service<Req> for ReadyTimeout<S, L>
where
    S: Service<Req> + Clone,
    S::Error: FromElapsed,
    L: Limit<()>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if let Poll::Ready(ready) = self.inner.poll_ready(cx) {
            if let ReadyWait::For { .. } = self.wait {
                // It must not wake anybody while nobody waits.
                self.timer(Instant::now() + FAR);
            }
            self.wait = ReadyWait::No;
            return Poll::Ready(ready);
        }
        let limit = match self.wait {
            ReadyWait::For { limit, again } if again || !self.was_given_up(limit) => limit,
            before => {
                let now = Instant::now();
                let Some((limit, deadline)) = self.limit.limit(&()).and_then(|l| Some((l, now.checked_add(l)?))) else {
                    return Poll::Pending;
                };
                self.wait = ReadyWait::For { limit, again: matches!(before, ReadyWait::For { .. }) };
                self.timer(deadline);
                limit
            }
        };
        let struck = limit.is_zero() || self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if !struck {
            return Poll::Pending;
        }
        self.inner = self.inner.clone();
        self.wait = ReadyWait::Over(limit);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        match std::mem::replace(&mut self.wait, ReadyWait::No) {
            ReadyWait::Over(limit) => ResponseFuture::refused(Elapsed::new(Scope::Ready, limit)),
            ReadyWait::No | ReadyWait::For { .. } => ResponseFuture::new(self.inner.call(request), NEVER),
        }
    }
}

/// Clones wait for themselves.
impl<S: Clone, L: Clone> Clone for ReadyTimeout<S, L> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.limit.clone())
    }
}

/// What a busy runtime may be late without a doubt.
const LATE: Duration = Duration::from_secs(1);
/// Decades: no deadline at all.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
