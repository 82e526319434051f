use std::task::{Context, Poll};

use tower_service::Service;
use trysail_core::{Classifier, FromOpen, Inherit, Open};

use crate::{
    Circuit, ResponseFuture,
    future::{Guard, guarded},
};

/// A service that a circuit protects; made by [`BreakerLayer`](crate::BreakerLayer).
#[derive(Debug)]
pub struct Breaker<S, C = Inherit> {
    inner: S,
    circuit: Circuit,
    judge: C,
    /// What the call is told that follows a `poll_ready` which did not ask the inner service.
    refusal: Option<Open>,
}

impl<S, C> Breaker<S, C> {
    pub(crate) const fn new(inner: S, circuit: Circuit, judge: C) -> Self {
        Self { inner, circuit, judge, refusal: None }
    }
}

impl<S, C, Req> Service<Req> for Breaker<S, C>
where
    S: Service<Req>,
    S::Error: FromOpen,
    C: Classifier<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.refusal = self.circuit.peek();
        match self.refusal {
            // An error here would tell the caller to discard the service; `call` reports it.
            Some(_) => Poll::Ready(Ok(())),
            None => self.inner.poll_ready(cx),
        }
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let admitted = self.refusal.take().map_or_else(|| self.circuit.admit(), Err);
        match admitted {
            Ok(pass) => {
                let guard = Guard::new(self.circuit.clone(), pass);
                guarded(guard, || self.inner.call(request), self.judge.clone())
            }
            Err(open) => ResponseFuture::refused(open),
        }
    }
}

impl<S: Clone, C: Clone> Clone for Breaker<S, C> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.circuit.clone(), self.judge.clone())
    }
}
