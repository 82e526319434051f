//! The rates that hold, of all that are known.

use crate::{bucket::RateBucket, machine::Machine, rate::Rate, rates::Rates};

impl Machine {
    /// What is known of the limits for all who keep this pace, of requests and of cost.
    pub(crate) fn limits(&self) -> [Option<Rate>; 2] {
        let Self { settings, learnt, .. } = self;
        [Rate::least([settings.requests, learnt.requests]), Rate::least([settings.cost, learnt.cost])]
    }

    /// Sets the rates to the least of what is known.
    pub(crate) fn follow(&mut self, rates: &Rates, now: u64) {
        let set = if self.sharing.is_shared() { RateBucket::share } else { RateBucket::set };
        let in_force = self.in_force(now);
        [&rates.requests, &rates.cost].into_iter().zip(in_force).for_each(|(bucket, rate)| set(bucket, rate, now));
    }

    /// The rates of requests and of cost that hold: for all who share them, or for this process.
    pub(crate) fn in_force(&mut self, now: u64) -> [Option<Rate>; 2] {
        let found = self.found.rates(now).map(|rate| self.sharing.found(rate));
        let limits = self.limits().map(|limit| self.sharing.limit(limit));
        [Rate::least([limits[0], found[0]]), Rate::least([limits[1], found[1]])]
    }
}
