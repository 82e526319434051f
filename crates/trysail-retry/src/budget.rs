use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use tokio::time::Instant;
use trysail_core::{Class, Verdict};

use crate::{
    account::{Account, MOST},
    traffic::Traffic,
};

/// How many retries a process may add to its own traffic; clones are handles of the same budget.
///
/// Counted in retries. A retry takes 1 before its sleep, a throttled one 0.5; a call that succeeds earns 0.2 and gets
/// back all it has taken, and one retry in 14 s is free. There is room for 0.2 of the calls of the last 10 s, at
/// least 3 and at most 36. So errors that come by themselves cost nothing, while a server that drowns gets no storm.
///
/// First attempts are never limited. Use one budget for each origin.
#[derive(Clone)]
pub struct Budget {
    shared: Arc<Shared>,
}

/// On cache lines of its own, apart from the count of the handles.
#[repr(align(128))]
struct Shared {
    account: Account,
    traffic: Traffic,
    terms: Terms,
    epoch: OnceLock<Instant>,
}

/// What can be set, in ten-thousandths of a retry.
struct Terms {
    earning: AtomicU32,
    floor: AtomicU32,
    ceiling: AtomicU32,
    retry: AtomicU32,
    throttled: AtomicU32,
}

/// How a budget was at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// How many retries it can pay for.
    pub retries: f64,
    /// How many there is room for.
    pub capacity: f64,
}

/// What a retry has taken out of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    parts: u32,
}

impl Budget {
    /// A budget that grants `ratio` retries for each call, 0.2 by default.
    ///
    /// # Panics
    ///
    /// If `ratio` is negative or not finite.
    pub fn ratio(ratio: f64) -> Self {
        assert!(ratio.is_finite() && ratio >= 0.0, "a ratio of retries is a finite number from 0 on");
        let budget = Self::default();
        let earning = parts(ratio);
        budget.shared.terms.earning.store(earning, Relaxed);
        budget.shared.terms.ceiling.store(earning.saturating_mul(CALLS).clamp(3 * WHOLE, MOST), Relaxed);
        budget
    }

    /// A budget that pays for everything.
    pub fn unlimited() -> Self {
        let budget = Self::default();
        budget.shared.terms.retry.store(0, Relaxed);
        budget.shared.terms.throttled.store(0, Relaxed);
        budget
    }

    /// The least room, in retries: what a process with next to no traffic has. 3 by default.
    ///
    /// Holds from now on, and the budget has just that much then.
    pub fn floor(self, retries: u32) -> Self {
        let floor = retries.saturating_mul(WHOLE).min(MOST);
        self.shared.terms.floor.store(floor, Relaxed);
        self.shared.terms.ceiling.fetch_max(floor, Relaxed);
        self.shared.account.fill(floor);
        self
    }

    /// What a retry takes, and what one takes that was throttled: 1 and 0.5 by default. Holds from now on.
    ///
    /// Negative costs and those that are no number count as nothing.
    pub fn costs(self, retry: f64, throttled: f64) -> Self {
        self.shared.terms.retry.store(parts(retry), Relaxed);
        self.shared.terms.throttled.store(parts(throttled), Relaxed);
        self
    }

    /// What there is, for people and metrics.
    pub fn snapshot(&self) -> Balance {
        self.at(Instant::now())
    }

    /// A call begins. Of a busy caller, one call in eight asks for the time.
    #[inline]
    pub fn begin(&self, now: impl FnOnce() -> Instant) {
        if !self.shared.traffic.count_undated() {
            self.begin_at(now());
        }
    }

    fn begin_at(&self, now: Instant) {
        let now_ms = self.ms(now);
        if let Some(calls) = self.shared.traffic.count(now_ms) {
            // What there was no room for must not turn up when there is.
            self.shared.account.settle(now_ms, self.capacity(calls));
        }
    }

    /// Pays for a retry after an attempt with this verdict; `None` if the budget cannot.
    pub fn withdraw(&self, verdict: Verdict, now: Instant) -> Option<Charge> {
        let terms = &self.shared.terms;
        let cost = if verdict.class() == Class::Throttled { &terms.throttled } else { &terms.retry }.load(Relaxed);
        let now_ms = self.ms(now);
        let capacity = self.capacity(self.shared.traffic.calls(now_ms));
        self.shared.account.withdraw(cost, now_ms, capacity).then_some(Charge { parts: cost })
    }

    /// A call has succeeded, and gets back what its retries have taken.
    #[inline]
    pub fn succeed(&self, taken: Charge) {
        self.deposit(self.shared.terms.earning.load(Relaxed).saturating_add(taken.parts));
    }

    /// Gives back what was taken for a retry that was not sent after all.
    pub fn give_back(&self, taken: Charge) {
        self.deposit(taken.parts);
    }

    fn at(&self, now: Instant) -> Balance {
        let now_ms = self.ms(now);
        let capacity = self.capacity(self.shared.traffic.calls(now_ms));
        let balance = self.shared.account.balance(now_ms, capacity);
        Balance { retries: f64::from(balance) / f64::from(WHOLE), capacity: f64::from(capacity) / f64::from(WHOLE) }
    }

    fn deposit(&self, amount: u32) {
        self.shared.account.deposit(amount, self.capacity(self.shared.traffic.last_calls()));
    }

    fn capacity(&self, calls: u32) -> u32 {
        let terms = &self.shared.terms;
        let (floor, ceiling) = (terms.floor.load(Relaxed), terms.ceiling.load(Relaxed));
        calls.saturating_mul(terms.earning.load(Relaxed)).max(floor).min(ceiling)
    }

    fn ms(&self, now: Instant) -> u64 {
        let epoch = *self.shared.epoch.get_or_init(|| now);
        now.saturating_duration_since(epoch).as_millis() as u64
    }
}

impl Default for Budget {
    fn default() -> Self {
        let terms = Terms {
            earning: AtomicU32::new(WHOLE / 5),
            floor: AtomicU32::new(3 * WHOLE),
            ceiling: AtomicU32::new(36 * WHOLE),
            retry: AtomicU32::new(WHOLE),
            throttled: AtomicU32::new(WHOLE / 2),
        };
        let shared =
            Shared { account: Account::holding(3 * WHOLE), traffic: Traffic::default(), terms, epoch: OnceLock::new() };
        Self { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Budget").field(&self.snapshot()).finish()
    }
}

impl Charge {
    /// Both together.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { parts: self.parts.saturating_add(other.parts) }
    }
}

fn parts(retries: f64) -> u32 {
    (retries.max(0.0) * f64::from(WHOLE)).round().min(f64::from(MOST)) as u32
}

/// Parts in a retry.
const WHOLE: u32 = 10_000;
/// The calls of ten seconds from which on there is no more room.
const CALLS: u32 = 180;

#[cfg(all(test, not(trysail_loom)))]
mod tests;
