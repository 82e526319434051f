use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tower_service::Service;
use trysail_core::{Class, Classifier, Replay, Select};

use crate::{
    Budget, Charge,
    failed::FailedCall,
    next_attempt::{AfterWait, NextAttempt},
    reported,
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
            // For the attempt after this one; without it, there is none.
            copy: Option<RequestCopy<Req>>,
            // Set apart, since most calls do not fail and it would be the largest part of them.
            failed: Option<Box<FailedCall<B, T, E>>>,
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
        Self { stage: Stage::Attempt { call, copy: copy.map(RequestCopy::new), failed: None }, shared, budget }
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
        loop {
            let mut this = self.as_mut().project();
            let policy = &this.shared.policy;
            if let StageProj::Attempt { call, copy, failed } = this.stage.as_mut().project() {
                let Poll::Ready(outcome) = call.poll(cx) else {
                    match failed {
                        None => reported::first_attempt(),
                        Some(failed) => failed.sent(),
                    }
                    if let Some(copy) = copy {
                        copy.deadline(&policy.per_request, &this.shared.clock, Instant::now);
                    }
                    return Poll::Pending;
                };
                let verdict = policy.judge.classify(outcome.as_ref());
                let budget = policy.per_request.selected(this.budget);
                if verdict.class() == Class::Success {
                    match failed {
                        None => {
                            reported::first_attempt();
                            if let Some(budget) = budget {
                                budget.succeed(Charge::default());
                            }
                        }
                        Some(failed) => failed.succeeds(),
                    }
                    return Poll::Ready(outcome);
                }
                match NextAttempt::after(outcome, verdict, copy.take(), failed.take(), this.shared, budget) {
                    Ok((next, until)) => this.stage.set(Stage::Asleep { sleep: sleep_until(until), next }),
                    Err(outcome) => return Poll::Ready(outcome),
                }
            }
            if let Some(outcome) = ready!(self.as_mut().poll_next(cx)) {
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
    /// Waits until the next attempt has begun, or the call has ended.
    ///
    /// Out of line: a call that succeeds must not pay for the size of this.
    #[cold]
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
                        let (request, copy, failed) = next.begin(&this.shared.policy.per_request);
                        Stage::Attempt { call: service.call(request), copy, failed: Some(failed) }
                    }
                },
                Taken::Attempt { .. } | Taken::Moving => panic!("a call is not polled after it has ended"),
            };
            this.stage.set(next);
        }
    }
}

/// What a service says that was asked whether it is ready.
enum Readiness<E> {
    Unasked,
    Ready,
    Failed(E),
    /// Nothing in time, or too late for an attempt.
    Late,
}

fn poll_ready<S, Req>(service: &mut S, late: Pin<&mut Option<Sleep>>, cx: &mut Context<'_>) -> Poll<Readiness<S::Error>>
where
    S: Service<Req>,
{
    let readiness = service.poll_ready(cx);
    let is_late = late.as_pin_mut().is_some_and(|late| late.poll(cx).is_ready());
    match readiness {
        Poll::Ready(Err(error)) => Poll::Ready(Readiness::Failed(error)),
        _ if is_late => Poll::Ready(Readiness::Late),
        Poll::Ready(Ok(())) => Poll::Ready(Readiness::Ready),
        Poll::Pending => Poll::Pending,
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
