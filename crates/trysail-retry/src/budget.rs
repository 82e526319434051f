use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use tokio::time::Instant;
use trysail_core::{Class, Verdict};

use crate::traffic::Traffic;

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
    /// The balance in ten-thousandths of a retry, and until when the free retries are counted, in milliseconds.
    account: AtomicU64,
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
        let fill = |account| Some(pack(floor, unpack(account).1));
        let _ = self.shared.account.fetch_update(Relaxed, Relaxed, fill);
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
        let now = Instant::now();
        let capacity = self.capacity(self.shared.traffic.calls(self.ms(now)));
        let (balance, _) = self.balance(self.shared.account.load(Relaxed), self.ms(now), capacity);
        Balance { retries: f64::from(balance) / f64::from(WHOLE), capacity: f64::from(capacity) / f64::from(WHOLE) }
    }

    /// A call begins.
    pub fn begin(&self, now: Instant) {
        self.shared.traffic.count(self.ms(now));
    }

    /// Pays for a retry after an attempt with this verdict; `None` if the budget cannot.
    pub fn withdraw(&self, verdict: Verdict, now: Instant) -> Option<Charge> {
        let terms = &self.shared.terms;
        let cost = if verdict.class() == Class::Throttled { &terms.throttled } else { &terms.retry }.load(Relaxed);
        let now_ms = self.ms(now);
        let capacity = self.capacity(self.shared.traffic.calls(now_ms));
        let pay = |account| {
            let (balance, until_ms) = self.balance(account, now_ms, capacity);
            Some(pack(balance.checked_sub(cost)?, until_ms))
        };
        self.shared.account.fetch_update(Relaxed, Relaxed, pay).ok().map(|_| Charge { parts: cost })
    }

    /// A call has succeeded, and gets back what its retries have taken.
    pub fn succeed(&self, taken: Charge) {
        self.deposit(self.shared.terms.earning.load(Relaxed).saturating_add(taken.parts));
    }

    /// Gives back what was taken for a retry that was not sent after all.
    pub fn give_back(&self, taken: Charge) {
        self.deposit(taken.parts);
    }

    /// Adds to the balance, as far as there is room; writes nothing if there is none.
    fn deposit(&self, amount: u32) {
        let capacity = self.capacity(self.shared.traffic.last_calls());
        let add = |account| {
            let (balance, until_ms) = unpack(account);
            let more = balance.saturating_add(amount).min(capacity.max(balance));
            (more > balance).then(|| pack(more, until_ms))
        };
        // Full is as good as added.
        let _ = self.shared.account.fetch_update(Relaxed, Relaxed, add);
    }

    /// The balance with the free retries since `until_ms`, and until when these are counted then.
    fn balance(&self, account: u64, now_ms: u64, capacity: u32) -> (u32, u64) {
        let (balance, until_ms) = unpack(account);
        let free = now_ms.saturating_sub(until_ms) / FREE_EVERY_MS;
        let balance = u64::from(balance).saturating_add(free * FREE).min(capacity.into()) as u32;
        (balance, until_ms + free * FREE_EVERY_MS)
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
        let account = AtomicU64::new(pack(3 * WHOLE, 0));
        let shared = Shared { account, traffic: Traffic::default(), terms, epoch: OnceLock::new() };
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

const fn pack(balance: u32, until_ms: u64) -> u64 {
    (balance as u64) << TIME_BITS | (until_ms & TIME_MASK)
}

const fn unpack(account: u64) -> (u32, u64) {
    ((account >> TIME_BITS) as u32, account & TIME_MASK)
}

fn parts(retries: f64) -> u32 {
    (retries.max(0.0) * f64::from(WHOLE)).round().min(f64::from(MOST)) as u32
}

/// Parts in a retry.
const WHOLE: u32 = 10_000;
const MOST: u32 = (1 << (64 - TIME_BITS)) - 1;
/// So many parts are free in so many milliseconds: a whole retry in 14 s.
const FREE: u64 = 10;
const FREE_EVERY_MS: u64 = 14;
/// The calls of ten seconds from which on there is no more room.
const CALLS: u32 = 180;
const TIME_BITS: u32 = 38;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;
