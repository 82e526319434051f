use std::{sync::Arc, time::Duration};

use tower_layer::Layer;
use trysail_core::{Always, Inherit, Random};

use crate::{
    Backoff, PerRequest, Retry, RetryHandle, RetrySettings, backoff::entropy, policy::Policy, settings::SettingsSource,
};

/// Retries what failed in a way that may pass: with backoff and jitter, within a retry budget and a deadline.
#[derive(Clone, Debug)]
pub struct RetryLayer<B = Backoff, C = Inherit, R = PerRequest> {
    policy: Policy<B, C, R>,
}

impl<B> RetryLayer<B> {
    /// Repeats *every* request that fails in a way that may pass, whatever sending it twice does; say
    /// [`replay`](RetryLayer::replay) to choose.
    ///
    /// `backoff` is any `IntoIterator<Item = Duration> + Clone`: one delay a retry.
    pub fn new(backoff: B) -> Self {
        Self::from(SettingsSource::Own(RetrySettings::new(backoff)))
    }

    /// As [`new`](Self::new), with settings that can be changed while calls run.
    pub fn adjustable(settings: &RetryHandle<B>) -> Self {
        Self::from(SettingsSource::Shared(settings.clone()))
    }

    fn from(settings: SettingsSource<B>) -> Self {
        Self {
            policy: Policy {
                settings,
                judge: Inherit,
                per_request: PerRequest { replay: Always, within: None, budget: None },
                patient: false,
                random: Arc::new(Random::seeded(entropy())),
            },
        }
    }
}

/// With the default [`Backoff`], and without a budget.
impl Default for RetryLayer {
    fn default() -> Self {
        Self::new(Backoff::default())
    }
}

impl<B, C, R> RetryLayer<B, C, R> {
    /// Who judges an outcome; by default what was judged below stands ([`Inherit`]).
    pub fn classify_with<D>(self, judge: D) -> RetryLayer<B, D, R> {
        let Policy { settings, per_request, patient, random, .. } = self.policy;
        RetryLayer { policy: Policy { settings, judge, per_request, patient, random } }
    }

    /// Waits for an open circuit below and for the budget, instead of failing; only as long as the request has a limit
    /// of time. Waiting costs no retry. It has as much patience with a server as the request has time.
    pub fn patient(mut self) -> Self {
        self.policy.patient = true;
        self
    }

    /// Makes the jitter on a server's hint repeatable; a [`Backoff`] has its own seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.policy.random = Arc::new(Random::seeded(seed));
        self
    }

    fn map_per_request<T>(self, change: impl FnOnce(R) -> T) -> RetryLayer<B, C, T> {
        let Policy { settings, judge, per_request, patient, random } = self.policy;
        RetryLayer { policy: Policy { settings, judge, per_request: change(per_request), patient, random } }
    }
}

impl<B: Clone, C, R> RetryLayer<B, C, R> {
    /// The longest wait a server may ask for; at a longer one the call fails at once. 120 s by default.
    ///
    /// This and [`least`](Self::least) are for this layer alone, which no longer follows a [`RetryHandle`] then.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.policy.settings.change(|settings| settings.patience(patience));
        self
    }

    /// The least time an attempt needs: a retry that would begin with less left is not made. 50 ms by default.
    pub fn least(mut self, least: Duration) -> Self {
        self.policy.settings.change(|settings| settings.least(least));
        self
    }
}

impl<B, C, R, L, G> RetryLayer<B, C, PerRequest<R, L, G>> {
    /// Which requests are repeated, and how a copy is made: a [`Replay`](trysail_core::Replay).
    pub fn replay<T>(self, replay: T) -> RetryLayer<B, C, PerRequest<T, L, G>> {
        self.map_per_request(|PerRequest { within, budget, .. }| PerRequest { replay, within, budget })
    }

    /// What the retries of all calls may add up to: a [`Budget`](crate::Budget). Without one, each call is limited
    /// by itself alone.
    pub fn budget<T>(self, budget: T) -> RetryLayer<B, C, PerRequest<R, L, T>> {
        self.map_per_request(|PerRequest { replay, within, .. }| PerRequest { replay, within, budget: Some(budget) })
    }

    /// How long all attempts and waits may take: a [`Limit`](trysail_core::Limit), counted from the first time the
    /// call is pending.
    ///
    /// A retry that does not fit is not begun, and the error of the last attempt is returned at once; the readiness of
    /// the service for a later attempt is waited for inside this time. A throttled call, and one whose server loads its
    /// model, is repeated as long as there is time, however few retries there are. An attempt in
    /// flight is not cut: that is what a timeout around this layer is for.
    pub fn within<T>(self, limit: T) -> RetryLayer<B, C, PerRequest<R, T, G>> {
        self.map_per_request(|PerRequest { replay, budget, .. }| PerRequest { replay, within: Some(limit), budget })
    }
}

impl<S, B: Clone, C: Clone, R: Clone> Layer<S> for RetryLayer<B, C, R> {
    type Service = Retry<S, B, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry::new(inner, self.policy.clone())
    }
}
