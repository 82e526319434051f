//! What the peers leave to their users, written as their documentation shows it.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use failsafe::{Any, FailurePolicy, StateMachine, futures::CircuitBreaker};
use recloser::{AnyError, AsyncRecloser, RecloserFuture};
use tower::{
    BoxError, Service,
    retry::{
        Policy,
        budget::{Budget, TpsBudget},
    },
};

/// Three retries, without a pause; with tower's default budget if asked for.
#[derive(Clone)]
pub(crate) struct Thrice {
    left: u32,
    budget: Option<Arc<TpsBudget>>,
}

impl Thrice {
    pub(crate) fn budgeted() -> Self {
        Self { budget: Some(Arc::default()), ..Self::default() }
    }
}

impl Default for Thrice {
    fn default() -> Self {
        Self { left: 3, budget: None }
    }
}

impl<E> Policy<u64, u64, E> for Thrice {
    type Future = std::future::Ready<()>;

    fn retry(&mut self, _: &mut u64, outcome: &mut Result<u64, E>) -> Option<Self::Future> {
        if outcome.is_ok() {
            if let Some(budget) = &self.budget {
                budget.deposit();
            }
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let granted = self.budget.as_ref().is_none_or(|budget| budget.withdraw());
        granted.then(|| std::future::ready(()))
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

impl<Req, S> Service<Req> for Reclosed<S>
where
    S: Service<Req, Error: Into<BoxError>>,
{
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
