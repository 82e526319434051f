use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::time::Sleep;
use tower_service::Service;
use trysail_core::{Classifier, FromOpen, Inherit, Open};

use crate::{
    Circuit, ResponseFuture, Select,
    future::{Guard, guarded},
};

/// A service that a circuit protects; made by [`BreakerLayer`](crate::BreakerLayer).
#[derive(Debug)]
pub struct Breaker<S, C = Inherit, P = Circuit> {
    inner: S,
    circuit: P,
    judge: C,
    /// What the call is told that follows a `poll_ready` which did not ask the inner service.
    refusal: Option<Open>,
    /// Whether an open circuit is pending instead of ready to refuse.
    readiness: bool,
    /// Wakes whoever waits for an open circuit.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S, C, P> Breaker<S, C, P> {
    pub(crate) const fn new(inner: S, circuit: P, judge: C, readiness: bool) -> Self {
        Self { inner, circuit, judge, refusal: None, readiness, timer: None }
    }

    /// Waits until the circuit is no longer sure to refuse.
    #[cold]
    fn poll_open<Req>(&mut self, cx: &mut Context<'_>) -> Poll<()>
    where
        P: Select<Req>,
    {
        while let Some(open) = self.refusal.take() {
            let timer = self.timer.insert(Box::pin(tokio::time::sleep(open.retry_after())));
            ready!(timer.as_mut().poll(cx));
            self.refusal = self.circuit.peek();
        }
        Poll::Ready(())
    }
}

impl<S, C, P, Req> Service<Req> for Breaker<S, C, P>
where
    S: Service<Req>,
    S::Error: FromOpen,
    C: Classifier<S::Response, S::Error> + Clone,
    P: Select<Req>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.refusal = self.circuit.peek();
        if self.refusal.is_some() {
            if !self.readiness {
                // An error here would tell the caller to discard the service; `call` reports it.
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_open::<Req>(cx));
        }
        if self.timer.is_some() {
            self.timer = None;
        }
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        if let Some(open) = self.refusal.take() {
            return ResponseFuture::refused(open);
        }
        let circuit = self.circuit.select(&request);
        match circuit.admit() {
            Ok(pass) => {
                let guard = Guard::new(circuit, pass);
                guarded(guard, || self.inner.call(request), self.judge.clone())
            }
            Err(open) => ResponseFuture::refused(open),
        }
    }
}

impl<S: Clone, C: Clone, P: Clone> Clone for Breaker<S, C, P> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.circuit.clone(), self.judge.clone(), self.readiness)
    }
}
