use tower_layer::Layer;
use trysail_core::Inherit;

use crate::{Breaker, Circuit};

/// Refuses calls while a [`Circuit`] is open.
///
/// All services made by one layer share its circuit.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C = Inherit> {
    circuit: Circuit,
    judge: C,
}

impl BreakerLayer {
    /// A layer that asks `circuit` before each call and tells it of each outcome.
    pub const fn new(circuit: Circuit) -> Self {
        Self { circuit, judge: Inherit }
    }
}

impl<C> BreakerLayer<C> {
    /// Who judges an outcome; by default what was judged below stands ([`Inherit`]).
    pub fn classify_with<D>(self, judge: D) -> BreakerLayer<D> {
        BreakerLayer { circuit: self.circuit, judge }
    }
}

impl<S, C: Clone> Layer<S> for BreakerLayer<C> {
    type Service = Breaker<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Breaker::new(inner, self.circuit.clone(), self.judge.clone())
    }
}
