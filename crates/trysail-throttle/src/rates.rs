#[cfg(feature = "redis")]
use crate::lease::Lease;
use crate::{
    bucket::RateBucket,
    fare::{Fare, Taken},
};

/// The two rates of a pace, which a call takes from together.
#[derive(Debug)]
pub(crate) struct Rates {
    pub(crate) requests: RateBucket,
    pub(crate) cost: RateBucket,
}

impl Rates {
    pub(crate) fn new() -> Self {
        Self { requests: RateBucket::new(), cost: RateBucket::new() }
    }

    pub(crate) fn are_set(&self) -> bool {
        self.requests.is_set() || self.cost.is_set()
    }

    /// Takes one request of `cost` out of both, or out of neither, and says from when on there is enough.
    #[inline]
    pub(crate) fn take(&self, cost: u64, now: u64) -> Result<(), u64> {
        self.requests.take(1, now)?;
        self.cost.take(cost, now).inspect_err(|_| self.requests.give_back(1))
    }

    pub(crate) fn charge(&self, cost: u64, now: u64) {
        self.requests.charge(1, now);
        self.cost.charge(cost, now);
    }

    /// Nothing was sent.
    pub(crate) fn give_back(&self, fare: Fare) {
        if let Some(taken) = fare.paid() {
            self.requests.give_back(1);
            self.cost.give_back(taken.cost);
        }
    }

    /// The server has counted `actual` for what was charged.
    pub(crate) fn correct(&self, fare: Fare, actual: u64) {
        if let Some(taken) = fare.paid() {
            match actual.checked_sub(taken.cost) {
                Some(more) => self.cost.pay(more),
                None => self.cost.give_back(taken.cost - actual),
            }
        }
    }

    /// What a call has taken.
    #[inline]
    pub(crate) fn fare(&self, cost: u64, epoch: u32, now: u64) -> Fare {
        let marks = [self.requests.mark(), self.cost.mark()];
        Fare { epoch, taken: Some(Taken { cost, at: now, marks, is_paid: self.are_set() }), ..Fare::default() }
    }

    /// From when on a request of `cost` has its turn behind others of a cost in all.
    pub(crate) fn turn(&self, others: u64, their_cost: u64, cost: u64, now: u64) -> u64 {
        self.requests.turn(others, 1, now).max(self.cost.turn(their_cost, cost, now))
    }

    /// Leaves one in each of them at `then`.
    pub(crate) fn empty(&self, then: u64) {
        self.requests.empty(then);
        self.cost.empty(then);
    }

    pub(crate) fn are_full(&self, now: u64) -> bool {
        self.requests.is_full(now) && self.cost.is_full(now)
    }

    /// What of them is leased.
    #[cfg(feature = "redis")]
    pub(crate) const fn leases(&self) -> [&Lease; 2] {
        [&self.requests.lease, &self.cost.lease]
    }
}
