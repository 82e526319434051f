use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tower_service::Service;
use trysail_core::{Class, Classifier, Elapsed, FromElapsed, Pay, Replay, Scope};

use crate::{
    Fit,
    call_state::{Asked, CallState},
    call_time::Share,
    candidate::{Candidate, poll_first_ready},
    failed::is_misfit,
    shared::Shared,
};

pin_project! {
    /// The call: each member that it asks, and whether that fits.
    pub struct ResponseFuture<S, F, C, P, Req>
    where
        S: Service<Req>,
        F: Fit<S, S::Error>,
        P: Pay,
    {
        #[pin]
        stage: Stage<S, S::Future, F::Future, S::Response, S::Error>,
        #[pin]
        share: Share,
        state: CallState<Req, S::Response, S::Error, P::Charge>,
        shared: Arc<Shared<S, F, C, P>>,
    }

    impl<S, F, C, P, Req> PinnedDrop for ResponseFuture<S, F, C, P, Req>
    where
        S: Service<Req>,
        F: Fit<S, S::Error>,
        P: Pay,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.state.end(&this.shared.policy.per_call);
        }
    }
}

pin_project! {
    #[project = StageProj]
    enum Stage<S, F, G, T, E> {
        Calling { #[pin] call: F },
        // The answer is kept back until its member has been found to fit.
        Fitting { #[pin] check: G, answer: Option<Result<T, E>> },
        Choosing { candidates: Vec<Candidate<S>> },
    }
}

impl<S, F, C, P, Req> ResponseFuture<S, F, C, P, Req>
where
    S: Service<Req>,
    F: Fit<S, S::Error>,
    P: Pay,
{
    #[inline]
    pub(crate) const fn new(call: S::Future, asked: Asked, copy: Option<Req>, shared: Arc<Shared<S, F, C, P>>) -> Self {
        Self { stage: Stage::Calling { call }, share: Share::UNASKED, state: CallState::new(asked, copy), shared }
    }
}

impl<S, F, C, P, Req> Future for ResponseFuture<S, F, C, P, Req>
where
    S: Service<Req> + Clone,
    S::Error: FromElapsed,
    F: Fit<S, S::Error>,
    C: Classifier<S::Response, S::Error>,
    P: Replay<Req> + Pay,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (state, shared) = (this.state, &**this.shared);
        let policy = &shared.policy;
        loop {
            let polled = match this.stage.as_mut().project() {
                StageProj::Calling { call } => call.poll(cx).map(Polled::Call),
                StageProj::Fitting { check, answer } => check.poll(cx).map(|fits| match fits {
                    Ok(()) => Polled::Fits(answer.take().expect("it is taken once")),
                    Err(error) => Polled::Misfits(error),
                }),
                StageProj::Choosing { candidates } => {
                    let at = match poll_first_ready(candidates, cx) {
                        Poll::Ready(Ok(at)) => at,
                        Poll::Ready(Err(broken)) => {
                            let broken = broken.map(|error| {
                                let outcome = Err(error);
                                let verdict = policy.judge.classify(outcome.as_ref());
                                (outcome, verdict)
                            });
                            return Poll::Ready(state.fail_unready(broken));
                        }
                        Poll::Pending => {
                            let whole = |now| state.left(&policy.per_call, now);
                            return this.share.as_mut().poll(cx, whole).map(|_| state.fail_unready(None));
                        }
                    };
                    let Candidate { member, mut service } = candidates.swap_remove(at);
                    let call = service.call(state.begin(shared, member));
                    this.share.set(Share::UNASKED);
                    this.stage.set(Stage::Calling { call });
                    continue;
                }
            };
            let (outcome, fits) = match polled {
                Poll::Ready(Polled::Call(outcome)) => (outcome, None),
                Poll::Ready(Polled::Fits(answer)) => {
                    shared.members[state.asked.member].fits(state.asked.term);
                    state.succeed(&policy.per_call);
                    return Poll::Ready(answer);
                }
                Poll::Ready(Polled::Misfits(error)) => (Err(error), Some(false)),
                Poll::Pending => {
                    state.sent();
                    match this.share.as_mut().poll(cx, |now| state.share(shared, now)) {
                        Poll::Ready(share) => (Err(S::Error::from_elapsed(Elapsed::new(Scope::Attempt, share))), None),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            };
            let verdict = policy.judge.classify(outcome.as_ref());
            let trust = &shared.members[state.asked.member];
            if fits.is_none() && verdict.class() == Class::Success {
                if trust.holds(state.asked.term) {
                    state.succeed(&policy.per_call);
                    return Poll::Ready(outcome);
                }
                state.asked.term = trust.term();
                let check = policy.fit.fit(shared.service(state.asked.member));
                this.stage.set(Stage::Fitting { check, answer: Some(outcome) });
                continue;
            }
            let misfit = fits == Some(false) && is_misfit(verdict);
            match state.fail(shared, outcome, verdict, misfit) {
                // What is left of the failed call goes before others are asked.
                Ok(candidates) => this.stage.set(Stage::Choosing { candidates }),
                Err(outcome) => return Poll::Ready(outcome),
            }
            this.share.set(Share::UNASKED);
        }
    }
}

/// What a member says.
enum Polled<T, E> {
    Call(Result<T, E>),
    Fits(Result<T, E>),
    Misfits(E),
}

impl<S, F, C, P, Req> fmt::Debug for ResponseFuture<S, F, C, P, Req>
where
    S: Service<Req>,
    F: Fit<S, S::Error>,
    P: Pay,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Calling { .. } => "calling",
            Stage::Fitting { .. } => "fitting",
            Stage::Choosing { .. } => "choosing",
        };
        f.debug_struct("ResponseFuture")
            .field("member", &self.state.asked.member)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
