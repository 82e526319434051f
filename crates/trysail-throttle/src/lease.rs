use crate::{
    gcra::worth,
    rate::Rate,
    sync::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::signed,
};

/// What this process has leased of a rate that it shares with others, in units.
///
/// Calls take from the balance. It is filled from time to time by whoever asks the store, and what is not used goes back.
#[derive(Debug)]
pub(crate) struct Lease {
    /// After how many nanoseconds there is one more for all together, as the bits of an `f64`; zero where nothing is shared.
    interval: AtomicU64,
    /// How many nanoseconds the whole bucket takes to refill.
    depth: AtomicU64,
    balance: AtomicI64,
    /// The whole bucket is not full before this time.
    floor: AtomicU64,
    coming: Coming,
}

/// What is known of what comes next; good for nothing but to say when it is somebody's turn.
#[derive(Debug)]
struct Coming {
    units: AtomicI64,
    at: AtomicU64,
    /// How much is there for whoever asks.
    spare: AtomicU64,
    /// After how many nanoseconds one more comes here.
    interval: AtomicU64,
}

impl Lease {
    pub(crate) fn new() -> Self {
        let [units, balance] = [0; 2].map(AtomicI64::new);
        let [interval, depth, floor, at, spare, interval_here] = [0; 6].map(AtomicU64::new);
        let coming = Coming { units, at, spare, interval: interval_here };
        Self { interval, depth, balance, floor, coming }
    }

    /// Another rate, which is shared. What was leased is kept.
    pub(crate) fn set(&self, rate: Option<Rate>) {
        let (interval, depth) = rate.map_or((0.0, 0), |rate| (rate.interval(), rate.depth()));
        if (interval, depth) == (self.interval(), self.depth()) {
            return;
        }
        if !self.is_on() {
            self.balance.store(0, Relaxed);
            self.floor.store(0, Relaxed);
        }
        self.interval.store(interval.to_bits(), Relaxed);
        self.depth.store(depth, Relaxed);
        self.coming.spare.store(depth, Relaxed);
    }

    /// Nothing is shared any more; says what is left of it, if something was.
    pub(crate) fn end(&self) -> Option<u64> {
        let was_on = self.interval.swap(0, Relaxed) != 0;
        self.depth.store(0, Relaxed);
        was_on.then(|| u64::try_from(self.balance.swap(0, Relaxed)).unwrap_or(0))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.interval.load(Relaxed) != 0
    }

    pub(crate) fn take(&self, units: u64, now: u64) -> Result<(), u64> {
        if !self.is_on() {
            return Ok(());
        }
        let takes = |balance: i64| balance.checked_sub(signed(units)).filter(|left| *left >= 0);
        match self.balance.fetch_update(Relaxed, Relaxed, takes) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.turn(0, units, now)),
        }
    }

    /// Takes `units`, whether they are there or not.
    pub(crate) fn pay(&self, units: u64) {
        self.add(-signed(units));
    }

    pub(crate) fn give_back(&self, units: u64) {
        self.add(signed(units));
    }

    /// From when on `units` are likely to be there, once those `ahead` have been taken.
    pub(crate) fn turn(&self, ahead: u64, units: u64, now: u64) -> u64 {
        let lacks = signed(ahead).saturating_add(signed(units)).saturating_sub(self.balance());
        let Coming { units, at, .. } = &self.coming;
        let later = lacks.saturating_sub(units.load(Relaxed));
        if lacks <= 0 {
            return now;
        }
        let at = at.load(Relaxed).max(now);
        if later <= 0 {
            return at;
        }
        let later = later.unsigned_abs().saturating_sub(self.spare());
        at.saturating_add(worth(later, f64::from_bits(self.coming.interval.load(Relaxed)).max(self.interval())))
    }

    /// The whole bucket has one left at `then`.
    pub(crate) fn empty(&self, then: u64) {
        self.not_full_before(then.saturating_add(self.depth().saturating_sub(worth(1, self.interval()))));
    }

    /// There is no more than `level` in the whole bucket.
    pub(crate) fn at_most(&self, level: u64, now: u64) {
        self.not_full_before(now.saturating_add(self.depth().saturating_sub(worth(level, self.interval()))));
    }

    pub(crate) fn level(&self) -> Option<f64> {
        self.is_on().then(|| self.balance() as f64)
    }

    fn spare(&self) -> u64 {
        (self.coming.spare.load(Relaxed) as f64 / self.interval()) as u64
    }

    pub(crate) fn add(&self, units: i64) {
        if self.is_on() {
            let _ = self.balance.fetch_update(Relaxed, Relaxed, |balance| Some(balance.saturating_add(units)));
        }
    }

    fn not_full_before(&self, then: u64) {
        if self.is_on() {
            self.floor.fetch_max(then, Relaxed);
        }
    }

    /// How much there is; less than nothing in debt.
    pub(crate) fn balance(&self) -> i64 {
        self.balance.load(Relaxed)
    }

    fn interval(&self) -> f64 {
        f64::from_bits(self.interval.load(Relaxed))
    }

    fn depth(&self) -> u64 {
        self.depth.load(Relaxed)
    }
}

#[cfg(feature = "redis")]
impl Lease {
    /// After how many nanoseconds there is one more for all, and how many the whole bucket takes; zero where nothing is shared.
    pub(crate) fn rate(&self) -> (f64, u64) {
        (self.interval(), self.depth())
    }

    /// Takes all that is there.
    pub(crate) fn take_back(&self) -> i64 {
        let all = |balance: i64| (balance > 0).then_some(0);
        self.balance.fetch_update(Relaxed, Relaxed, all).unwrap_or(0)
    }

    /// So many are still to come, the last of them then.
    pub(crate) fn expects(&self, units: i64, at: u64) {
        self.coming.units.store(units, Relaxed);
        self.coming.at.store(at, Relaxed);
    }

    /// So many nanoseconds' worth is there for whoever asks, and after that one comes here in each interval.
    pub(crate) fn foretells(&self, spare: u64, interval: f64) {
        self.coming.spare.store(spare, Relaxed);
        self.coming.interval.store(interval.to_bits(), Relaxed);
    }

    /// Until when the whole bucket is not full, said once.
    pub(crate) fn take_floor(&self) -> u64 {
        self.floor.swap(0, Relaxed)
    }
}
