use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tower_service::Service;
use trysail_core::{Classifier, FromOpen, Inherit, Open, Select};

use crate::{
    Circuit, ResponseFuture,
    guard::Guard,
    permit::Permit,
    refusal::LastRefusal,
    wait::{OpenWait, poll_unrefused},
};

/// A service that a circuit protects; made by [`BreakerLayer`](crate::BreakerLayer).
#[derive(Debug)]
pub struct Breaker<S, C = Inherit, P = Circuit> {
    inner: S,
    circuit: P,
    judge: C,
    /// What the call is told that follows a `poll_ready` which did not ask the inner service.
    refusal: Option<Open>,
    last_refusal: LastRefusal,
    /// The circuit that is waited for, if an open one is pending instead of ready to refuse.
    awaited: Option<Circuit>,
    /// Wakes whoever waits for it.
    wait: Option<Pin<Box<OpenWait>>>,
}

impl<S, C, P> Breaker<S, C, P> {
    pub(crate) const fn new(inner: S, circuit: P, judge: C, awaited: Option<Circuit>) -> Self {
        Self { inner, circuit, judge, refusal: None, last_refusal: LastRefusal::NONE, awaited, wait: None }
    }
}

impl<S, C, P, Req> Service<Req> for Breaker<S, C, P>
where
    S: Service<Req>,
    S::Error: FromOpen,
    C: Classifier<S::Response, S::Error> + Clone,
    P: Select<Req, Circuit>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.refusal = self.circuit.only().and_then(|circuit| circuit.inner.peek(&mut self.last_refusal));
        if self.refusal.is_some() {
            let Some(circuit) = &self.awaited else {
                // An error here would tell the caller to discard the service; `call` reports it.
                return Poll::Ready(Ok(()));
            };
            ready!(poll_unrefused(circuit, &mut self.last_refusal, &mut self.wait, cx));
            self.refusal = None;
        }
        if self.wait.is_some() {
            self.wait = None;
        }
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        if let Some(open) = self.refusal.take() {
            return ResponseFuture::refused(open);
        }
        let selection = self.circuit.select(&request);
        let permit = match self.circuit.selected(&selection).map(|circuit| circuit.inner.admit()) {
            Some(Ok(permit)) => permit,
            Some(Err(open)) => return ResponseFuture::refused(open),
            None => Permit::NONE,
        };
        let mut guard = Guard::new(self.circuit.keep(selection), permit);
        let future = guard.watch(|| self.inner.call(request));
        ResponseFuture::admitted(future, self.judge.clone(), guard)
    }
}

impl<S: Clone, C: Clone, P: Clone> Clone for Breaker<S, C, P> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.circuit.clone(), self.judge.clone(), self.awaited.clone())
    }
}
