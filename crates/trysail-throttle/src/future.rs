use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;
use trysail_core::{Classifier, FromHeld, Held, Learn};

use crate::{
    sent_call::SentCall,
    ticket::Ticket,
    wait::{Turn, Wait},
};

pin_project! {
    /// The call, the wait for its turn before it, or its refusal.
    pub struct ResponseFuture<F, S, Req, C, N> {
        #[pin]
        stage: CallStage<F, S, Req>,
        sent: SentCall,
        judges: Judges<C, N>,
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

/// Who hears how a call has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judges<C, N> {
    pub(crate) judge: C,
    pub(crate) learn: N,
}

impl<C, N> Judges<C, N> {
    #[inline]
    fn tell<Res, Err>(&self, sent: &mut SentCall, outcome: Result<&Res, &Err>)
    where
        C: Classifier<Res, Err>,
        N: Learn<Res, Err>,
    {
        sent.settle(self.judge.classify(outcome), || self.learn.learn(outcome));
    }
}

impl<F, S, Req, C, N> ResponseFuture<F, S, Req, C, N> {
    #[inline]
    pub(crate) const fn calling(call: F, sent: SentCall, judges: Judges<C, N>) -> Self {
        Self { stage: CallStage::Calling { call }, sent, judges }
    }

    #[cold]
    pub(crate) fn waiting(service: S, request: Req, ticket: Ticket, judges: Judges<C, N>) -> Self {
        let wait = Box::pin(Wait::new(service, request, ticket));
        Self { stage: CallStage::Waiting { wait }, sent: SentCall::for_none(), judges }
    }

    pub(crate) fn refused(held: Held, judges: Judges<C, N>) -> Self {
        Self { stage: CallStage::Refused { held }, sent: SentCall::for_none(), judges }
    }
}

impl<F, S, Req, C, N, Res, Err> Future for ResponseFuture<F, S, Req, C, N>
where
    F: Future<Output = Result<Res, Err>>,
    S: Service<Req, Future = F>,
    C: Classifier<Res, Err>,
    N: Learn<Res, Err>,
    Err: FromHeld,
{
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        if let CallStageProj::Calling { call } = this.stage.project() {
            let outcome = ready!(call.poll(cx));
            this.judges.tell(this.sent, outcome.as_ref());
            return Poll::Ready(outcome);
        }
        ready!(self.as_mut().poll_turn(cx)).map_err(Err::from_held)?;
        self.poll(cx)
    }
}

impl<F, S, Req, C, N> ResponseFuture<F, S, Req, C, N> {
    /// Waits for the call's turn, and calls.
    #[cold]
    #[inline(never)]
    fn poll_turn(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Held>>
    where
        S: Service<Req, Future = F>,
    {
        let mut this = self.project();
        let Turn { mut service, request, sent } = match this.stage.as_mut().project() {
            CallStageProj::Calling { .. } => return Poll::Ready(Ok(())),
            CallStageProj::Refused { held } => return Poll::Ready(Err(*held)),
            CallStageProj::Waiting { wait } => ready!(wait.as_mut().poll(cx))?,
        };
        *this.sent = sent;
        this.stage.set(CallStage::Calling { call: service.call(request) });
        Poll::Ready(Ok(()))
    }
}

impl<F, S, Req, C, N> fmt::Debug for ResponseFuture<F, S, Req, C, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            CallStage::Calling { .. } => "calling",
            CallStage::Waiting { .. } => "waiting",
            CallStage::Refused { .. } => "refused",
        };
        f.debug_struct("ResponseFuture").field("stage", &stage).finish_non_exhaustive()
    }
}
