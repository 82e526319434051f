use std::{
    fmt,
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;
use trysail_core::{Classifier, Replay};

use crate::{
    course::{Course, Wake},
    service::Shared,
};

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
    pub(crate) const fn new(call: S::Future, spare: Option<Req>, shared: Arc<Shared<S, B, C, R>>) -> Self {
        Self { state: State::Attempt { call }, course: Course::new(spare, shared) }
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

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Attempt { call } => match call.poll(cx) {
                    Poll::Pending => {
                        this.course.pending();
                        return Poll::Pending;
                    }
                    Poll::Ready(outcome) => match this.course.conclude(outcome) {
                        ControlFlow::Break(outcome) => return Poll::Ready(outcome),
                        ControlFlow::Continue(until) => State::Asleep { sleep: tokio::time::sleep_until(until) },
                    },
                },
                StateProj::Asleep { sleep } => {
                    ready!(sleep.poll(cx));
                    match this.course.wake() {
                        Wake::Attempt(service) => State::Waking { service },
                        Wake::Sleep(until) => State::Asleep { sleep: tokio::time::sleep_until(until) },
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
