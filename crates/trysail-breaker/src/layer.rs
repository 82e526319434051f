use tower_layer::Layer;
use trysail_core::Inherit;

use crate::{Breaker, Circuit};

/// Refuses calls while a [`Circuit`] is open.
///
/// All services made by one layer share its circuit, or its [`Keyed`](crate::Keyed) circuits.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C = Inherit, P = Circuit> {
    circuit: P,
    judge: C,
    readiness: bool,
}

impl<P> BreakerLayer<Inherit, P> {
    /// A layer that asks `circuit` before each call and tells it of each outcome.
    pub const fn new(circuit: P) -> Self {
        Self { circuit, judge: Inherit, readiness: false }
    }
}

impl<C, P> BreakerLayer<C, P> {
    /// Who judges an outcome; by default what was judged below stands ([`Inherit`]).
    pub fn classify_with<D>(self, judge: D) -> BreakerLayer<D, P> {
        BreakerLayer { circuit: self.circuit, judge, readiness: self.readiness }
    }
}

impl<C> BreakerLayer<C> {
    /// For services that a balancer chooses from: while the circuit is open, they are not ready, instead of refusing
    /// calls.
    pub fn pending_while_open(self) -> Self {
        Self { readiness: true, ..self }
    }
}

impl<S, C: Clone, P: Clone> Layer<S> for BreakerLayer<C, P> {
    type Service = Breaker<S, C, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Breaker::new(inner, self.circuit.clone(), self.judge.clone(), self.readiness)
    }
}
