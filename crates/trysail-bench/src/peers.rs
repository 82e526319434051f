//! What the peers leave to their users, written as their documentation shows it.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use failsafe::{Any, FailurePolicy, StateMachine, futures::CircuitBreaker};
use recloser::{AnyError, AsyncRecloser, RecloserFuture};
use tower::{
    Service,
    retry::{
        Policy,
        budget::{Budget, TpsBudget},
    },
};

/// Three retries, without a pause.
#[derive(Clone)]
pub(crate) struct Thrice {
    left: u32,
}

impl Default for Thrice {
    fn default() -> Self {
        Self { left: 3 }
    }
}

impl<E> Policy<u64, u64, E> for Thrice {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, outcome: &mut Result<u64, E>) -> Option<Self::Future> {
        if outcome.is_ok() {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

/// The same, within tower's default budget.
#[derive(Clone, Default)]
pub(crate) struct ThriceBudgeted {
    thrice: Thrice,
    budget: Arc<TpsBudget>,
}

impl<E> Policy<u64, u64, E> for ThriceBudgeted {
    type Future = Ready<()>;

    fn retry(&mut self, request: &mut u64, outcome: &mut Result<u64, E>) -> Option<Self::Future> {
        if outcome.is_ok() {
            self.budget.deposit();
            return None;
        }
        self.thrice.retry(request, outcome).filter(|_| self.budget.withdraw())
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

/// A service behind a recloser.
#[derive(Clone)]
pub(crate) struct Reclosed<S> {
    inner: S,
    recloser: AsyncRecloser,
}

impl<S> Reclosed<S> {
    pub(crate) const fn new(inner: S, recloser: AsyncRecloser) -> Self {
        Self { inner, recloser }
    }
}

impl<Req, S: Service<Req>> Service<Req> for Reclosed<S> {
    type Response = S::Response;
    type Error = recloser::Error<S::Error>;
    type Future = RecloserFuture<S::Future, AnyError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(recloser::Error::Inner)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        self.recloser.call(self.inner.call(request))
    }
}

/// A service behind a circuit breaker of failsafe.
pub(crate) struct Failsafe<S, P> {
    inner: S,
    breaker: StateMachine<P, ()>,
}

impl<S, P> Failsafe<S, P> {
    pub(crate) const fn new(inner: S, breaker: StateMachine<P, ()>) -> Self {
        Self { inner, breaker }
    }
}

// Derived, this would ask for a policy that can be cloned.
impl<S: Clone, P> Clone for Failsafe<S, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), breaker: self.breaker.clone() }
    }
}

impl<S, P> Service<u64> for Failsafe<S, P>
where
    S: Service<u64, Response = u64>,
    P: FailurePolicy + Send + Sync,
{
    type Response = u64;
    type Error = failsafe::Error<S::Error>;
    type Future = failsafe::futures::ResponseFuture<S::Future, P, (), Any>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(failsafe::Error::Inner)
    }

    fn call(&mut self, request: u64) -> Self::Future {
        CircuitBreaker::call(&self.breaker, self.inner.call(request))
    }
}
