use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};
use tower_service::Service;
use trysail_core::{Classifier, Replay, Select, Verdict};

use crate::{
    Budget,
    kept::Kept,
    next_attempt::{AfterWait, NextAttempt},
    readiness::{Readiness, poll_ready},
    request_copy::RequestCopy,
    shared::Shared,
};

pin_project! {
    /// The call: its attempts, and the waits between them.
    pub struct ResponseFuture<S, B, C, R, Req>
    where
        S: Service<Req>,
        R: Select<Req, Budget>,
    {
        #[pin]
        stage: Stage<S, B, Req, S::Future, S::Response, S::Error>,
        shared: Arc<Shared<S, B, C, R>>,
        budget: R::Selection,
    }
}

pin_project! {
    #[project = StageProj]
    #[project_replace = Taken]
    enum Stage<S, B, Req, F, T, E> {
        Attempt {
            #[pin] call: F,
            kept: Kept<B, Req, T, E>,
        },
        Asleep {
            #[pin] sleep: Sleep,
            next: NextAttempt<B, Req, T, E>,
        },
        // The service gets ready for the next attempt. It is set apart too, or every call would be larger.
        Waking {
            service: Box<S>,
            // When it is too late to begin.
            #[pin] late: Option<Sleep>,
            next: NextAttempt<B, Req, T, E>,
        },
        Moving,
    }
}

impl<S, B, C, R, Req> ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req>,
    R: Select<Req, Budget>,
{
    #[inline]
    pub(crate) fn new(
        call: S::Future,
        copy: Option<Req>,
        budget: R::Selection,
        shared: Arc<Shared<S, B, C, R>>,
    ) -> Self {
        Self { stage: Stage::Attempt { call, kept: Kept::First(copy.map(RequestCopy::new)) }, shared, budget }
    }
}

impl<S, B, C, R, Req> Future for ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req> + Clone,
    B: IntoIterator<Item = Duration> + Clone,
    C: Classifier<S::Response, S::Error>,
    R: Replay<Req> + Select<Req, Budget>,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let StageProj::Attempt { call, kept } = this.stage.project() else { return self.poll_again(cx) };
        // It is handed on where it lies: an outcome may be large, and every layer has a place for it.
        let polled = call.poll(cx);
        let policy = &this.shared.policy;
        let Poll::Ready(outcome) = &polled else {
            kept.wait(&policy.per_request);
            return Poll::Pending;
        };
        match kept.settle(outcome, policy, this.budget) {
            None => polled,
            Some(verdict) => {
                let outcome = ready!(polled);
                self.as_mut().fail(outcome, verdict).map_or_else(|| self.poll_again(cx), Poll::Ready)
            }
        }
    }
}

impl<S, B, C, R, Req> ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req> + Clone,
    B: IntoIterator<Item = Duration> + Clone,
    C: Classifier<S::Response, S::Error>,
    R: Replay<Req> + Select<Req, Budget>,
{
    /// The waits, and the attempts after them.
    ///
    /// Out of line, as all that follows: a call that succeeds must not pay for the size of it.
    #[cold]
    fn poll_again(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        loop {
            if let Some(outcome) = ready!(self.as_mut().poll_next(cx)) {
                return Poll::Ready(outcome);
            }
            let this = self.as_mut().project();
            let StageProj::Attempt { call, kept } = this.stage.project() else { continue };
            let policy = &this.shared.policy;
            let Poll::Ready(outcome) = call.poll(cx) else {
                kept.wait(&policy.per_request);
                return Poll::Pending;
            };
            let Some(verdict) = kept.settle(&outcome, policy, this.budget) else { return Poll::Ready(outcome) };
            if let Some(outcome) = self.as_mut().fail(outcome, verdict) {
                return Poll::Ready(outcome);
            }
        }
    }
}

impl<S, B, C, R, Req> ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req> + Clone,
    B: IntoIterator<Item = Duration> + Clone,
    R: Replay<Req> + Select<Req, Budget>,
{
    /// An attempt has failed: how the call ends, unless there is another.
    #[cold]
    fn fail(
        self: Pin<&mut Self>,
        outcome: Result<S::Response, S::Error>,
        verdict: Verdict,
    ) -> Option<Result<S::Response, S::Error>> {
        let mut this = self.project();
        let StageProj::Attempt { kept, .. } = this.stage.as_mut().project() else { return Some(outcome) };
        let kept = mem::replace(kept, Kept::First(None));
        let budget = this.shared.policy.per_request.selected(this.budget);
        match NextAttempt::after(outcome, verdict, kept, this.shared, budget) {
            Ok((next, until)) => this.stage.set(Stage::Asleep { sleep: sleep_until(until), next }),
            Err(outcome) => return Some(outcome),
        }
        None
    }

    /// Waits until the next attempt has begun, or the call has ended.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<S::Response, S::Error>>> {
        let mut this = self.project();
        loop {
            let readiness = match this.stage.as_mut().project() {
                StageProj::Attempt { .. } => return Poll::Ready(None),
                StageProj::Asleep { sleep, .. } => {
                    ready!(sleep.poll(cx));
                    Readiness::Unasked
                }
                StageProj::Waking { service, late, .. } => ready!(poll_ready(service, late, cx)),
                StageProj::Moving => panic!("a call is not polled after it has ended"),
            };
            let next = match this.stage.as_mut().project_replace(Stage::Moving) {
                Taken::Asleep { next, .. } => match next.wake(this.shared) {
                    AfterWait::Attempt(next, late) => {
                        let service = Box::new(this.shared.service());
                        Stage::Waking { service, late: late.map(sleep_until), next }
                    }
                    AfterWait::Sleep(next, until) => Stage::Asleep { sleep: sleep_until(until), next },
                    AfterWait::End(outcome) => return Poll::Ready(Some(outcome)),
                },
                Taken::Waking { mut service, next, .. } => match readiness {
                    Readiness::Late => return Poll::Ready(Some(next.end_late())),
                    Readiness::Failed(error) => return Poll::Ready(Some(next.end_unready(error))),
                    Readiness::Unasked | Readiness::Ready => {
                        let (request, kept) = next.begin(&this.shared.policy.per_request);
                        Stage::Attempt { call: service.call(request), kept }
                    }
                },
                Taken::Attempt { .. } | Taken::Moving => panic!("a call is not polled after it has ended"),
            };
            this.stage.set(next);
        }
    }
}

impl<S, B, C, R, Req> fmt::Debug for ResponseFuture<S, B, C, R, Req>
where
    S: Service<Req>,
    R: Select<Req, Budget>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Attempt { .. } => "attempt",
            Stage::Asleep { .. } => "asleep",
            Stage::Waking { .. } => "waking",
            Stage::Moving => "over",
        };
        f.debug_struct("ResponseFuture").field("stage", &stage).finish_non_exhaustive()
    }
}
