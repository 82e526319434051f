use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::provider::Limits;

/// governor's limits of requests and of tokens, with buckets of a minute's worth.
#[derive(Clone, Debug)]
pub(super) struct Limiters([Arc<DefaultDirectRateLimiter>; 2]);

impl Limiters {
    pub(super) fn new(limits: Limits, minute: Duration) -> Self {
        Self([limits.requests, limits.tokens].map(|most| {
            let burst = NonZeroU32::new(most as u32).expect("a limit is above zero");
            let quota = Quota::with_period(minute.div_f64(most)).expect("a minute is longer than nothing");
            Arc::new(RateLimiter::direct(quota.allow_burst(burst)))
        }))
    }

    /// Waits until a request of so many tokens may go.
    pub(super) async fn until(self, tokens: u64) {
        for (limiter, units) in self.0.iter().zip([1, tokens]) {
            let units = NonZeroU32::new(units as u32).expect("a request has tokens");
            limiter.until_n_ready(units).await.expect("a request is smaller than a bucket");
        }
    }
}
