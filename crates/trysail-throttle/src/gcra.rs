use crate::{
    rate::Rate,
    sync::{AtomicU64, Ordering::Relaxed},
};

/// A rate in one word: when the bucket will be full again, in nanoseconds of the pace's clock.
///
/// That is the generic cell rate algorithm. What is taken puts that time off, and there is enough while it is not too far
/// ahead. Nothing is ordered by it but itself, so nothing needs more than relaxed atomics.
#[derive(Debug)]
pub(crate) struct Gcra {
    full_at: AtomicU64,
    /// After how many nanoseconds there is one more, as the bits of an `f64`; zero where there is no rate.
    interval: AtomicU64,
    /// How many nanoseconds a full bucket takes to refill.
    depth: AtomicU64,
    /// The sum of all corrections, by which a mark that was taken before them has to be put right.
    shifted: AtomicU64,
    /// Since when there is this rate.
    set_at: AtomicU64,
}

impl Gcra {
    pub(crate) fn new() -> Self {
        let [full_at, interval, depth, shifted, set_at] = [0; 5].map(AtomicU64::new);
        Self { full_at, interval, depth, shifted, set_at }
    }

    /// Another rate from now on. There is as much as there was before, as far as it has room for that.
    pub(crate) fn set(&self, rate: Option<Rate>, now: u64) {
        let (before, room) = (self.interval(), self.depth.load(Relaxed));
        let (interval, depth) = rate.map_or((0.0, 0), |rate| (rate.interval(), rate.depth()));
        if (interval, depth) == (before, room) {
            return;
        }
        self.interval.store(interval.to_bits(), Relaxed);
        self.depth.store(depth, Relaxed);
        self.set_at.store(now, Relaxed);
        let scale = interval / before;
        self.change(|full_at| {
            // Without a rate before, it is full.
            let level =
                if before > 0.0 { (room as f64 - full_at.saturating_sub(now) as f64) * scale } else { f64::MAX };
            now.saturating_add((depth as f64 - level).max(0.0) as u64)
        });
    }

    pub(crate) fn is_set(&self) -> bool {
        self.interval.load(Relaxed) != 0
    }

    /// Takes `units`, or says from when on they are there. More than there ever is may be taken from a full bucket, which is
    /// in debt then. Where there is no rate, `otherwise` decides.
    #[inline]
    pub(crate) fn take(&self, units: u64, now: u64, otherwise: impl FnOnce() -> Result<(), u64>) -> Result<(), u64> {
        let interval = self.interval();
        if interval == 0.0 {
            return otherwise();
        }
        let worth = worth(units, interval);
        let slack = self.depth.load(Relaxed).max(worth);
        let mut full_at = self.full_at.load(Relaxed);
        loop {
            let next = full_at.max(now).saturating_add(worth);
            if next > now.saturating_add(slack) {
                return Err(next - slack);
            }
            match self.full_at.compare_exchange_weak(full_at, next, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => full_at = other,
            }
        }
    }

    /// Takes `units`, whether they are there or not.
    pub(crate) fn charge(&self, units: u64, now: u64) {
        let worth = worth(units, self.interval());
        self.change(|full_at| full_at.max(now).saturating_add(worth));
    }

    /// Undoes a `take`.
    pub(crate) fn give_back(&self, units: u64) {
        self.shift(-(worth(units, self.interval()) as i64));
    }

    /// Takes more than was known when it was sent.
    pub(crate) fn pay(&self, units: u64) {
        self.shift(worth(units, self.interval()) as i64);
    }

    /// From when on `units` are there, once those `ahead` have been taken.
    pub(crate) fn turn(&self, ahead: u64, units: u64, now: u64) -> u64 {
        let interval = self.interval();
        if interval == 0.0 {
            return now;
        }
        let own = worth(units, interval);
        let slack = self.depth.load(Relaxed).max(own);
        let next = self.full_at.load(Relaxed).max(now).saturating_add(worth(ahead, interval)).saturating_add(own);
        next.saturating_sub(slack).max(now)
    }

    /// Leaves one in it at `then`.
    pub(crate) fn empty(&self, then: u64) {
        let rest = self.depth.load(Relaxed).saturating_sub(worth(1, self.interval()));
        if self.is_set() {
            self.change(|full_at| full_at.max(then.saturating_add(rest)));
        }
    }

    /// There is no more than `level`.
    pub(crate) fn at_most(&self, level: u64, now: u64) {
        let lacks = self.lacks(level);
        if self.is_set() && lacks > 0 {
            self.change(|full_at| full_at.max(now.saturating_add(lacks)));
        }
    }

    /// How much there is by our own account, for a [`lag`](Self::lag) later on.
    #[inline]
    pub(crate) fn mark(&self) -> u64 {
        self.full_at.load(Relaxed).wrapping_sub(self.shifted.load(Relaxed))
    }

    /// By how many nanoseconds our account is ahead of the server's, which had `level` left of a call that was sent then with
    /// this mark; unless there was another rate.
    pub(crate) fn lag(&self, mark: u64, level: u64, sent: u64) -> Option<i64> {
        if !self.is_set() || sent <= self.set_at.load(Relaxed) {
            return None;
        }
        let theirs = sent.saturating_add(self.lacks(level));
        Some(theirs.wrapping_sub(mark.wrapping_add(self.shifted.load(Relaxed))) as i64)
    }

    /// Corrects the account by so many nanoseconds, that of calls in flight as well.
    pub(crate) fn shift(&self, nanos: i64) {
        self.change(|full_at| full_at.saturating_add_signed(nanos));
        self.shifted.fetch_add(nanos as u64, Relaxed);
    }

    /// How long it takes to be full from `level` on.
    fn lacks(&self, level: u64) -> u64 {
        (self.depth.load(Relaxed) as f64 - level as f64 * self.interval()).max(0.0) as u64
    }

    /// How much there is; less than nothing in debt.
    pub(crate) fn level(&self, now: u64) -> Option<f64> {
        let interval = Some(self.interval()).filter(|interval| *interval > 0.0)?;
        let lacks = self.full_at.load(Relaxed).saturating_sub(now);
        Some((self.depth.load(Relaxed) as f64 - lacks as f64) / interval)
    }

    pub(crate) fn is_full(&self, now: u64) -> bool {
        self.full_at.load(Relaxed) <= now
    }

    fn interval(&self) -> f64 {
        f64::from_bits(self.interval.load(Relaxed))
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        let _ = self.full_at.fetch_update(Relaxed, Relaxed, |full_at| Some(change(full_at)));
    }
}

/// How many nanoseconds `units` take to refill; of a part, a whole one.
pub(crate) fn worth(units: u64, interval: f64) -> u64 {
    // A century is beyond every clock, and leaves room to add.
    (units as f64 * interval).ceil().min(3e18) as u64
}
