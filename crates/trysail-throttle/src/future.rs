use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;
use trysail_core::{Classifier, FromHeld, Held};

use crate::{
    sent_call::SentCall,
    ticket::Ticket,
    wait::{Turn, Wait},
};

pin_project! {
    /// The call, the wait for its turn before it, or its refusal.
    pub struct ResponseFuture<F, S, Req, C> {
        #[pin]
        stage: CallStage<F, S, Req>,
        guard: SentCall,
        judge: C,
    }
}

pin_project! {
    #[project = CallStageProj]
    enum CallStage<F, S, Req> {
        Calling { #[pin] call: F },
        // Set apart, or every call would be larger.
        Waiting { wait: Pin<Box<Wait<S, Req>>> },
        Refused { held: Held },
    }
}

impl<F, S, Req, C> ResponseFuture<F, S, Req, C> {
    #[inline]
    pub(crate) const fn calling(call: F, guard: SentCall, judge: C) -> Self {
        Self { stage: CallStage::Calling { call }, guard, judge }
    }

    #[cold]
    pub(crate) fn waiting(service: S, request: Req, ticket: Ticket, judge: C) -> Self {
        let wait = Box::pin(Wait::new(service, request, ticket));
        Self { stage: CallStage::Waiting { wait }, guard: SentCall::for_none(), judge }
    }

    pub(crate) fn refused(held: Held, judge: C) -> Self {
        Self { stage: CallStage::Refused { held }, guard: SentCall::for_none(), judge }
    }
}

impl<F, S, Req, C, Res, Err> Future for ResponseFuture<F, S, Req, C>
where
    F: Future<Output = Result<Res, Err>>,
    S: Service<Req, Future = F>,
    C: Classifier<Res, Err>,
    Err: FromHeld,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let call = match this.stage.as_mut().project() {
                CallStageProj::Calling { call } => {
                    let outcome = ready!(call.poll(cx));
                    this.guard.settle(this.judge.classify(outcome.as_ref()));
                    return Poll::Ready(outcome);
                }
                CallStageProj::Refused { held } => return Poll::Ready(Err(Err::from_held(*held))),
                CallStageProj::Waiting { wait } => match ready!(wait.as_mut().poll(cx)) {
                    Err(held) => return Poll::Ready(Err(Err::from_held(held))),
                    Ok(Turn { mut service, request, guard }) => {
                        *this.guard = guard;
                        service.call(request)
                    }
                },
            };
            this.stage.set(CallStage::Calling { call });
        }
    }
}

impl<F, S, Req, C> fmt::Debug for ResponseFuture<F, S, Req, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            CallStage::Calling { .. } => "calling",
            CallStage::Waiting { .. } => "waiting",
            CallStage::Refused { .. } => "refused",
        };
        f.debug_struct("ResponseFuture").field("stage", &stage).finish_non_exhaustive()
    }
}
