use tower_layer::Layer;
use trysail_core::Inherit;

use crate::{Breaker, Circuit};

/// A circuit breaker: calls fail fast while the [`Circuit`] is open.
///
/// All services made by one layer share its circuit, or its [`Circuits`](crate::Circuits) of each key.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C = Inherit, P = Circuit> {
    circuit: P,
    judge: C,
    /// The circuit that is waited for, if an open one is not ready.
    awaited: Option<Circuit>,
}

impl<P> BreakerLayer<Inherit, P> {
    /// A layer that asks `circuit` before each call and tells it of each outcome: a [`Circuit`], or whatever
    /// [selects](crate::Select) one for a request.
    pub const fn new(circuit: P) -> Self {
        Self { circuit, judge: Inherit, awaited: None }
    }
}

/// With a default [`Circuit`] of its own.
impl Default for BreakerLayer {
    fn default() -> Self {
        Self::new(Circuit::default())
    }
}

impl<C, P> BreakerLayer<C, P> {
    /// Who judges an outcome; by default what was judged below stands ([`Inherit`]).
    pub fn classify_with<D>(self, judge: D) -> BreakerLayer<D, P> {
        BreakerLayer { circuit: self.circuit, judge, awaited: self.awaited }
    }
}

impl<C> BreakerLayer<C> {
    /// For services that a balancer chooses from: while the circuit is open, they are not ready, instead of refusing
    /// calls. Who waits is woken when a call may pass: when the open time is over, and by every change that comes sooner
    /// (a probe that succeeds or frees its place, a command, other settings).
    pub fn pending_while_open(self) -> Self {
        Self { awaited: Some(self.circuit.clone()), ..self }
    }
}

impl<S, C: Clone, P: Clone> Layer<S> for BreakerLayer<C, P> {
    type Service = Breaker<S, C, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Breaker::new(inner, self.circuit.clone(), self.judge.clone(), self.awaited.clone())
    }
}
