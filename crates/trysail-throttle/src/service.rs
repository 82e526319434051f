use std::{
    mem,
    task::{Context, Poll},
};

use tower_service::Service;
use trysail_core::{Classifier, FromHeld, Inherit, Learn, Limit, Select};

use crate::{Cost, Demand, Pace, ResponseFuture, calls::Passage, future::Judges, sent_call::SentCall, ticket::Ticket};

/// A service whose calls keep a pace; made by [`ThrottleLayer`](crate::ThrottleLayer).
///
/// It is cloned only for a call that has to wait: that one takes along the service which was ready for it.
#[derive(Clone, Debug)]
pub struct Throttle<S, P = Pace, C = Inherit, D = Demand> {
    inner: S,
    pace: P,
    judge: C,
    demand: D,
}

impl<S, P, C, D> Throttle<S, P, C, D> {
    pub(crate) const fn new(inner: S, pace: P, judge: C, demand: D) -> Self {
        Self { inner, pace, judge, demand }
    }
}

impl<S, P, C, W, L, N, Req> Service<Req> for Throttle<S, P, C, Demand<W, L, N>>
where
    S: Service<Req> + Clone,
    S::Error: FromHeld,
    P: Select<Req, Pace>,
    C: Classifier<S::Response, S::Error> + Clone,
    W: Cost<Req>,
    L: Limit<Req>,
    N: Learn<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S, Req, C, N>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let selection = self.pace.select(&request);
        let judges = Judges { judge: self.judge.clone(), learn: self.demand.learn.clone() };
        let Some(pace) = self.pace.keep(selection) else {
            return ResponseFuture::calling(self.inner.call(request), SentCall::for_none(), judges);
        };
        if let Some(epoch) = pace.free() {
            return ResponseFuture::calling(self.inner.call(request), SentCall::free(pace, epoch), judges);
        }
        match pace.admit(self.demand.of(&request)) {
            Passage::Passes(fare) => {
                let sent = SentCall::new(pace, fare);
                ResponseFuture::calling(self.inner.call(request), sent, judges)
            }
            Passage::Waits(id) => {
                let ticket = Ticket::new(pace, id);
                let fresh = self.inner.clone();
                ResponseFuture::waiting(mem::replace(&mut self.inner, fresh), request, ticket, judges)
            }
            Passage::Refused(held) => ResponseFuture::refused(held, judges),
        }
    }
}
