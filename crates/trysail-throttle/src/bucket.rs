use crate::{gcra::Gcra, lease::Lease, rate::Rate};

/// A rate as calls see it: one that this process keeps by itself, or what it has leased of one that it shares.
#[derive(Debug)]
pub(crate) struct RateBucket {
    own: Gcra,
    pub(crate) lease: Lease,
}

impl RateBucket {
    pub(crate) fn new() -> Self {
        Self { own: Gcra::new(), lease: Lease::new() }
    }

    /// Another rate of this process from now on. What was there stays there.
    pub(crate) fn set(&self, rate: Option<Rate>, now: u64) {
        let left = self.lease.end();
        self.own.set(rate, now);
        if let Some(left) = left {
            self.own.at_most(left, now);
        }
    }

    /// Another rate from now on, which is shared. What was leased stays there.
    pub(crate) fn share(&self, rate: Option<Rate>, now: u64) {
        self.own.set(None, now);
        self.lease.set(rate);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.own.is_set() || self.lease.is_on()
    }

    /// Takes `units`, or says from when on they are likely to be there.
    #[inline]
    pub(crate) fn take(&self, units: u64, now: u64) -> Result<(), u64> {
        self.own.take(units, now, || self.lease.take(units, now))
    }

    /// Takes `units`, whether they are there or not.
    pub(crate) fn charge(&self, units: u64, now: u64) {
        self.own.charge(units, now);
        self.lease.pay(units);
    }

    /// Undoes a `take`.
    pub(crate) fn give_back(&self, units: u64) {
        self.own.give_back(units);
        self.lease.give_back(units);
    }

    /// Takes more than was known when it was sent.
    pub(crate) fn pay(&self, units: u64) {
        self.own.pay(units);
        self.lease.pay(units);
    }

    /// From when on `units` are there, once those `ahead` have been taken.
    pub(crate) fn turn(&self, ahead: u64, units: u64, now: u64) -> u64 {
        if self.lease.is_on() { self.lease.turn(ahead, units, now) } else { self.own.turn(ahead, units, now) }
    }

    /// Leaves one in it at `then`.
    pub(crate) fn empty(&self, then: u64) {
        self.own.empty(then);
        self.lease.empty(then);
    }

    /// There is no more than `level`.
    pub(crate) fn at_most(&self, level: u64, now: u64) {
        self.own.at_most(level, now);
        self.lease.at_most(level, now);
    }

    /// How much there is by our own account, for a [`lag`](Self::lag) later on.
    #[inline]
    pub(crate) fn mark(&self) -> u64 {
        self.own.mark()
    }

    /// By how many nanoseconds our account is ahead of the server's; unknown of one that others write as well.
    pub(crate) fn lag(&self, mark: u64, level: u64, sent: u64) -> Option<i64> {
        self.own.lag(mark, level, sent)
    }

    /// Corrects the account by so many nanoseconds.
    pub(crate) fn shift(&self, nanos: i64) {
        self.own.shift(nanos);
    }

    /// How much may be taken at once; less than nothing in debt.
    pub(crate) fn level(&self, now: u64) -> Option<f64> {
        self.own.level(now).or_else(|| self.lease.level())
    }

    /// Whether there is nothing to remember.
    pub(crate) fn is_full(&self, now: u64) -> bool {
        self.own.is_full(now) && self.lease.level().is_none_or(|level| level >= 0.0)
    }
}
