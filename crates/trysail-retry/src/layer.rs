use std::{sync::Arc, time::Duration};

use tower_layer::Layer;
use trysail_core::{Always, Inherit, Random};

use crate::{
    Backoff, Budget, Retry, Terms,
    backoff::entropy,
    policy::{Policy, Rules},
};

/// Asks again when an attempt failed in a way that may pass.
#[derive(Clone, Debug)]
pub struct RetryLayer<B = Backoff, C = Inherit, R = Terms> {
    policy: Policy<B, C, R>,
}

impl<B> RetryLayer<B> {
    /// Repeats *every* request that fails in a way that may pass, whatever sending it twice does; say
    /// [`replay`](RetryLayer::replay) to choose.
    ///
    /// `backoff` is any `IntoIterator<Item = Duration> + Clone`: one delay a retry.
    pub fn new(backoff: B) -> Self {
        Self {
            policy: Policy {
                backoff,
                judge: Inherit,
                terms: Terms { replay: Always, within: None },
                rules: Rules::default(),
                budget: None,
                random: Arc::new(Random::seeded(entropy())),
            },
        }
    }
}

impl<B, C, R> RetryLayer<B, C, R> {
    /// Who judges an outcome; by default what was judged below stands ([`Inherit`]).
    pub fn classify_with<D>(self, judge: D) -> RetryLayer<B, D, R> {
        let Policy { backoff, terms, rules, budget, random, .. } = self.policy;
        RetryLayer { policy: Policy { backoff, judge, terms, rules, budget, random } }
    }

    /// The longest wait a server may ask for; at a longer one the call fails at once. 120 s by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.policy.rules.patience = patience;
        self
    }

    /// The least time an attempt needs: a retry that would begin with less left is not made. 50 ms by default.
    pub fn least(mut self, least: Duration) -> Self {
        self.policy.rules.least = least;
        self
    }

    /// What the retries of all calls may add up to; without one, each call is limited by itself alone.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.policy.budget = Some(budget);
        self
    }

    /// Waits for an open circuit below and for the budget, instead of failing; only as long as the request has a limit
    /// of time. Waiting costs no retry.
    pub fn patient(mut self) -> Self {
        self.policy.rules.waits = true;
        self
    }

    /// Makes the jitter on a server's hint repeatable; a [`Backoff`] has its own seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.policy.random = Arc::new(Random::seeded(seed));
        self
    }

    fn map_terms<T>(self, change: impl FnOnce(R) -> T) -> RetryLayer<B, C, T> {
        let Policy { backoff, judge, terms, rules, budget, random } = self.policy;
        RetryLayer { policy: Policy { backoff, judge, terms: change(terms), rules, budget, random } }
    }
}

impl<B, C, R, L> RetryLayer<B, C, Terms<R, L>> {
    /// Which requests are repeated, and how a copy is made: a [`Replay`](trysail_core::Replay).
    pub fn replay<T>(self, replay: T) -> RetryLayer<B, C, Terms<T, L>> {
        self.map_terms(|Terms { within, .. }| Terms { replay, within })
    }

    /// How long all attempts and waits may take: a [`Limit`](trysail_core::Limit), counted from the first time the
    /// call is pending.
    ///
    /// A retry that does not fit is not begun, and the error of the last attempt is returned at once. An attempt in
    /// flight is not cut: that is what a timeout around this layer is for.
    pub fn within<T>(self, limit: T) -> RetryLayer<B, C, Terms<R, T>> {
        self.map_terms(|Terms { replay, .. }| Terms { replay, within: Some(limit) })
    }
}

impl<S, B: Clone, C: Clone, R: Clone> Layer<S> for RetryLayer<B, C, R> {
    type Service = Retry<S, B, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry::new(inner, self.policy.clone())
    }
}
