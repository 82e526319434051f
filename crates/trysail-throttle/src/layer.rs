use std::time::Duration;

use tower_layer::Layer;
use trysail_core::Inherit;

use crate::{Demand, Nothing, One, Pace, Throttle};

/// Asks no faster than the server allows: calls keep the [`Pace`], each in its turn.
///
/// It goes between retry and breaker, so that every attempt has its turn and none holds a place below while it waits. All
/// services made by one layer share its pace, or its [`Paces`](crate::Paces) of each key.
#[derive(Clone, Debug)]
pub struct ThrottleLayer<P = Pace, C = Inherit, D = Demand> {
    pace: P,
    judge: C,
    demand: D,
}

impl<P> ThrottleLayer<P> {
    /// A layer whose calls keep `pace`: a [`Pace`], or whatever [selects](crate::Select) one for a request.
    pub const fn new(pace: P) -> Self {
        Self { pace, judge: Inherit, demand: Demand { cost: One, most: MOST, learn: Nothing } }
    }
}

/// With a pace of its own, without rates: calls are slowed down by what the server says alone.
impl Default for ThrottleLayer {
    fn default() -> Self {
        Self::new(Pace::default())
    }
}

impl<P, C, D> ThrottleLayer<P, C, D> {
    /// Who judges an outcome; by default what was judged below stands ([`Inherit`]).
    pub fn classify_with<J>(self, judge: J) -> ThrottleLayer<P, J, D> {
        ThrottleLayer { pace: self.pace, judge, demand: self.demand }
    }
}

impl<P, C, W, L, N> ThrottleLayer<P, C, Demand<W, L, N>> {
    /// What a request costs: a closure `|request: &Request| -> u64`, or any [`Cost`](crate::Cost). One, unless set.
    pub fn cost<X>(self, cost: X) -> ThrottleLayer<P, C, Demand<X, L, N>> {
        let Self { pace, judge, demand: Demand { most, learn, .. } } = self;
        ThrottleLayer { pace, judge, demand: Demand { cost, most, learn } }
    }

    /// How long a call may wait for its turn, by a [`Limit`](trysail_core::Limit); a minute, unless set. One that would have
    /// to wait for longer, or for longer than it has left, is refused at once.
    pub fn most<M>(self, most: M) -> ThrottleLayer<P, C, Demand<W, M, N>> {
        let Self { pace, judge, demand: Demand { cost, learn, .. } } = self;
        ThrottleLayer { pace, judge, demand: Demand { cost, most, learn } }
    }

    /// Who learns from outcomes what the server allows, and what a call has cost: a [`Learn`](crate::Learn). Rates that are
    /// set still hold; the smaller counts.
    pub fn learn_with<X>(self, learn: X) -> ThrottleLayer<P, C, Demand<W, L, X>> {
        let Self { pace, judge, demand: Demand { cost, most, .. } } = self;
        ThrottleLayer { pace, judge, demand: Demand { cost, most, learn } }
    }
}

impl<S, P: Clone, C: Clone, D: Clone> Layer<S> for ThrottleLayer<P, C, D> {
    type Service = Throttle<S, P, C, D>;

    fn layer(&self, inner: S) -> Self::Service {
        Throttle::new(inner, self.pace.clone(), self.judge.clone(), self.demand.clone())
    }
}

const MOST: Duration = Duration::from_secs(60);
