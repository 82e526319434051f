use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;
use trysail_core::{Class, Classifier, FromElapsed, Pay, Replay};

use crate::{
    Fit,
    call_state::{Asked, CallState},
    call_time::Share,
    candidate::{Candidate, poll_first_ready},
    failed::is_misfit,
    members::Members,
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
        stage: MemberStage<S, S::Future, F::Future, S::Response, S::Error>,
        #[pin]
        share: Share,
        state: CallState<Req, S::Response, S::Error, P::Charge>,
        members: Arc<Members<S, F, C, P>>,
    }

    impl<S, F, C, P, Req> PinnedDrop for ResponseFuture<S, F, C, P, Req>
    where
        S: Service<Req>,
        F: Fit<S, S::Error>,
        P: Pay,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.state.end(&this.members.policy.per_call);
        }
    }
}

pin_project! {
    #[project = MemberStageProj]
    enum MemberStage<S, F, G, T, E> {
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
    pub(crate) const fn new(
        call: S::Future,
        asked: Asked,
        copy: Option<Req>,
        members: Arc<Members<S, F, C, P>>,
    ) -> Self {
        Self {
            stage: MemberStage::Calling { call },
            share: Share::UNASKED,
            state: CallState::new(asked, copy),
            members,
        }
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
        let (state, members) = (this.state, &**this.members);
        let policy = &members.policy;
        loop {
            let elapsed = |now| state.share(members, now);
            let (outcome, is_check) = match this.stage.as_mut().project() {
                MemberStageProj::Calling { call } => match call.poll(cx) {
                    Poll::Ready(outcome) => (outcome, false),
                    Poll::Pending => (Err(ready!(this.share.as_mut().poll_elapsed(cx, elapsed))), false),
                },
                MemberStageProj::Fitting { check, answer } => match check.poll(cx) {
                    Poll::Ready(Ok(())) => {
                        members.trust[state.asked.member].fits(state.asked.term);
                        state.succeed(&policy.per_call);
                        return Poll::Ready(answer.take().expect("the call ends once"));
                    }
                    Poll::Ready(Err(error)) => (Err(error), true),
                    Poll::Pending => (Err(ready!(this.share.as_mut().poll_elapsed(cx, elapsed))), false),
                },
                MemberStageProj::Choosing { candidates } => {
                    let Poll::Ready(first) = poll_first_ready(candidates, &members.trust, cx) else {
                        let whole = |now| state.left(&policy.per_call, now);
                        return this.share.as_mut().poll(cx, whole).map(|_| state.fail_unready());
                    };
                    match first {
                        Ok(at) => {
                            let Candidate { member, mut service } = candidates.swap_remove(at);
                            let call = service.call(state.begin(members, member));
                            this.stage.set(MemberStage::Calling { call });
                            this.share.set(Share::UNASKED);
                            continue;
                        }
                        Err(broken) => {
                            if let Some(error) = broken {
                                let outcome = Err(error);
                                let verdict = policy.judge.classify(outcome.as_ref());
                                state.keep(outcome, verdict);
                            }
                            return Poll::Ready(state.fail_unready());
                        }
                    }
                }
            };
            let verdict = policy.judge.classify(outcome.as_ref());
            if verdict.class() == Class::Success {
                let trust = &members.trust[state.asked.member];
                if trust.holds(state.asked.term) {
                    state.succeed(&policy.per_call);
                    return Poll::Ready(outcome);
                }
                state.asked.term = trust.term();
                let check = policy.fit.fit(members.service(state.asked.member));
                this.stage.set(MemberStage::Fitting { check, answer: Some(outcome) });
                continue;
            }
            match state.fail(members, outcome, verdict, is_check && is_misfit(verdict)) {
                // What is left of the call that has failed goes before another member is asked.
                Ok(candidates) => this.stage.set(MemberStage::Choosing { candidates }),
                Err(outcome) => return Poll::Ready(outcome),
            }
            this.share.set(Share::UNASKED);
        }
    }
}

impl<S, F, C, P, Req> fmt::Debug for ResponseFuture<S, F, C, P, Req>
where
    S: Service<Req>,
    F: Fit<S, S::Error>,
    P: Pay,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            MemberStage::Calling { .. } => "calling",
            MemberStage::Fitting { .. } => "fitting",
            MemberStage::Choosing { .. } => "choosing",
        };
        f.debug_struct("ResponseFuture")
            .field("member", &self.state.asked.member)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
