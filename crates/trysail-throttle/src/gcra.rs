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
}

impl Gcra {
    pub(crate) fn new() -> Self {
        Self { full_at: AtomicU64::new(0), interval: AtomicU64::new(0), depth: AtomicU64::new(0) }
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
    /// in debt then.
    #[inline]
    pub(crate) fn take(&self, units: u64, now: u64) -> Result<(), u64> {
        let interval = self.interval();
        if interval == 0.0 {
            return Ok(());
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
        let worth = worth(units, self.interval());
        self.change(|full_at| full_at.saturating_sub(worth));
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

    /// Leaves nothing in it at `then`.
    pub(crate) fn empty(&self, then: u64) {
        let depth = self.depth.load(Relaxed);
        if self.is_set() {
            self.change(|full_at| full_at.max(then.saturating_add(depth)));
        }
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
fn worth(units: u64, interval: f64) -> u64 {
    // A century is beyond every clock, and leaves room to add.
    (units as f64 * interval).ceil().min(3e18) as u64
}
