use std::{
    fmt,
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use tower_service::Service;
use trysail_core::{Classifier, Replay};

use crate::course::{Course, Wake};

pin_project! {
    /// The call: its attempts, and the waits between them.
    pub struct ResponseFuture<S, B, C, R, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S, S::Future>,
        course: Course<S, B, C, R, Req, S::Error>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F> {
        Attempt { #[pin] call: F },
        Asleep { #[pin] sleep: Sleep },
        Waking { service: S },
    }
}

impl<S, B, C, R, Req> ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req>,
{
    #[inline]
    pub(crate) const fn new(call: S::Future, course: Course<S, B, C, R, Req, S::Error>) -> Self {
        Self { state: State::Attempt { call }, course }
    }
}

impl<S, B, C, R, Req> Future for ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req> + Clone,
    B: IntoIterator<Item = Duration> + Clone,
    C: Classifier<S::Response, S::Error>,
    R: Replay<Req>,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            if let StateProj::Attempt { call } = this.state.as_mut().project() {
                let Poll::Ready(outcome) = call.poll(cx) else {
                    this.course.pending();
                    return Poll::Pending;
                };
                match this.course.conclude(outcome) {
                    ControlFlow::Break(outcome) => return Poll::Ready(outcome),
                    ControlFlow::Continue(until) => this.state.set(State::asleep(until)),
                }
            }
            ready!(self.as_mut().poll_next(cx))?;
        }
    }
}

impl<S, B, C, R, Req> ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req> + Clone,
    B: IntoIterator<Item = Duration> + Clone,
    R: Replay<Req>,
{
    /// Waits until the next attempt has begun.
    ///
    /// Out of line: a call that succeeds must not pay for the size of this.
    #[cold]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Attempt { .. } => return Poll::Ready(Ok(())),
                StateProj::Asleep { sleep } => {
                    ready!(sleep.poll(cx));
                    match this.course.wake() {
                        Wake::Attempt(service) => State::Waking { service },
                        Wake::Sleep(until) => State::asleep(until),
                        Wake::End(error) => return Poll::Ready(Err(error)),
                    }
                }
                StateProj::Waking { service } => match ready!(service.poll_ready(cx)) {
                    Ok(()) => State::Attempt { call: service.call(this.course.next_request()) },
                    Err(error) => return Poll::Ready(Err(this.course.unready(error))),
                },
            };
            this.state.set(next);
        }
    }
}

impl<S, F> State<S, F> {
    fn asleep(until: Instant) -> Self {
        Self::Asleep { sleep: tokio::time::sleep_until(until) }
    }
}

impl<S, B, C, R, Req> fmt::Debug for ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Attempt { .. } => "attempt",
            State::Asleep { .. } => "asleep",
            State::Waking { .. } => "waking",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
