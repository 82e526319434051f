mod settings;

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;
use trysail_core::{Class, Verdict};

pub use self::settings::BudgetSettings;
use self::settings::{AtomicSettings, WHOLE};
use crate::{
    charge::Charge,
    probe_pacer::ProbePacer,
    token_bucket::{MOST, TokenBucket},
    traffic::Traffic,
};

/// A retry budget: how many retries a process may add to its own traffic, so that they make no retry storm.
///
/// Clones are handles of the same budget.
///
/// It is counted in retries. A retry takes 1 before its sleep, a throttled one 0.5; a call that succeeds earns 0.2 and gets
/// back all it has taken, and one retry in 14 s is free. There is room for 0.2 of the calls of the last 10 s, at
/// least 3 and at most 36. So errors that come by themselves cost nothing, while a server that drowns gets no storm.
///
/// A call that waits for an empty budget is let through as a probe while no other call begins: one a second for the whole
/// budget, more seldom while none succeeds, down to one in 5 s. So callers that wait for their own successes never starve.
/// What a call pays that has waited once is spent: it is part of an outage, and not an error that came by itself.
///
/// First attempts are never limited. Use one budget for each origin ([`Budgets`](crate::Budgets)).
#[derive(Clone)]
pub struct Budget {
    inner: Arc<BudgetInner>,
}

/// On cache lines of its own, apart from the count of the handles.
#[repr(align(128))]
struct BudgetInner {
    tokens: TokenBucket,
    traffic: Traffic,
    settings: AtomicSettings,
    probes: ProbePacer,
    /// When a call last began, as far as is known.
    begun_ms: AtomicU64,
    epoch: OnceLock<Instant>,
}

/// How a budget was at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// How many retries it can pay for.
    pub retries: f64,
    /// How many there is room for.
    pub capacity: f64,
}

impl Budget {
    /// A budget that is full: it has what its floor says.
    pub fn new(settings: BudgetSettings) -> Self {
        let inner = BudgetInner {
            tokens: TokenBucket::holding(settings.floor),
            traffic: Traffic::default(),
            settings: AtomicSettings::new(settings),
            probes: ProbePacer::default(),
            begun_ms: AtomicU64::new(0),
            epoch: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A budget that grants `ratio` retries for each call, 0.2 by default.
    ///
    /// # Panics
    ///
    /// If `ratio` is negative or not finite.
    pub fn ratio(ratio: f64) -> Self {
        Self::new(BudgetSettings::ratio(ratio))
    }

    /// A budget that pays for everything.
    pub fn unlimited() -> Self {
        Self::new(BudgetSettings::default().costs(0.0, 0.0))
    }

    /// Replaces all settings, from now on. What there is no more room for is gone; more room is not filled.
    pub fn set(&self, settings: BudgetSettings) {
        self.inner.settings.set(settings);
        self.inner.tokens.clamp(self.capacity(self.inner.traffic.last_calls()));
    }

    /// Replaces the settings with what `change` makes of them.
    pub fn update(&self, change: impl FnOnce(BudgetSettings) -> BudgetSettings) {
        self.set(change(self.settings()));
    }

    /// The settings now.
    pub fn settings(&self) -> BudgetSettings {
        self.inner.settings.get()
    }

    /// What there is, for people and metrics.
    pub fn snapshot(&self) -> Balance {
        self.at(Instant::now())
    }

    /// A call begins. Of a busy caller, one call in eight asks for the time.
    #[inline]
    pub fn begin(&self, now: impl FnOnce() -> Instant) {
        if !self.inner.traffic.count_undated() {
            self.begin_at(now());
        }
    }

    fn begin_at(&self, now: Instant) {
        let now_ms = self.ms(now);
        self.inner.begun_ms.store(now_ms, Relaxed);
        if let Some(calls) = self.inner.traffic.count(now_ms) {
            // What there was no room for must not turn up when there is.
            self.inner.tokens.settle(now_ms, self.capacity(calls));
        }
    }

    /// Pays for a retry after an attempt with this verdict; `None` if the budget cannot.
    pub fn withdraw(&self, verdict: Verdict, now: Instant) -> Option<Charge> {
        self.withdraw_leaving(verdict, now, |_| 0)
    }

    /// Pays for a retry that has waited for it since some time, or lets it through as a probe.
    ///
    /// In an open loop, it leaves half a retry to the calls that do not wait.
    pub(crate) fn withdraw_late(&self, verdict: Verdict, since: Instant, now: Instant) -> Option<Charge> {
        let closed = self.inner.settings.closed.load(Relaxed);
        let paid = self.withdraw_leaving(verdict, now, |cost| if closed { 0 } else { cost / 2 });
        paid.or_else(|| {
            let now_ms = self.ms(now);
            let begun_ms = now_ms.saturating_sub(self.inner.begun_ms.load(Relaxed));
            let alone = closed || begun_ms >= ALONE_MS;
            let probes = alone && now - since >= PROBE_AFTER && self.inner.probes.take(now_ms);
            probes.then_some(Charge { parts: 0, probe: true })
        })
    }

    fn withdraw_leaving(&self, verdict: Verdict, now: Instant, left: impl FnOnce(u32) -> u32) -> Option<Charge> {
        let settings = &self.inner.settings;
        let cost =
            if verdict.class() == Class::Throttled { &settings.throttled } else { &settings.retry }.load(Relaxed);
        let now_ms = self.ms(now);
        let capacity = self.capacity(self.inner.traffic.calls(now_ms));
        let paid = self.inner.tokens.withdraw(cost, left(cost), now_ms, capacity);
        paid.then_some(Charge { parts: cost, probe: false })
    }

    /// A call has succeeded, and gets back what its retries have taken. In a closed loop, a probe fills the budget.
    #[inline]
    pub fn succeed(&self, taken: Charge) {
        let settings = &self.inner.settings;
        // Where there can be no room for more, and enough for whoever waits, nothing would change.
        if !self.inner.tokens.holds(settings.ceiling.load(Relaxed).max(settings.retry.load(Relaxed))) {
            self.earn(taken);
        }
    }

    fn earn(&self, taken: Charge) {
        let fills = taken.probe && self.inner.settings.closed.load(Relaxed);
        let amount = if fills { MOST } else { self.inner.settings.earning.load(Relaxed).saturating_add(taken.parts) };
        if self.deposit(amount) {
            self.inner.probes.succeeded();
        }
    }

    /// Gives back what was taken for a retry that was not sent after all.
    pub fn give_back(&self, taken: Charge) {
        self.deposit(taken.parts);
        if taken.probe {
            self.inner.probes.give_back();
        }
    }

    /// Whether nobody else holds it, and it is as full as it can be.
    pub(crate) fn is_idle(&self) -> bool {
        let now_ms = self.ms(Instant::now());
        let capacity = self.capacity(self.inner.traffic.calls(now_ms));
        Arc::strong_count(&self.inner) == 1 && self.inner.tokens.balance(now_ms, capacity) >= capacity
    }

    fn at(&self, now: Instant) -> Balance {
        let now_ms = self.ms(now);
        let capacity = self.capacity(self.inner.traffic.calls(now_ms));
        let balance = self.inner.tokens.balance(now_ms, capacity);
        Balance { retries: f64::from(balance) / f64::from(WHOLE), capacity: f64::from(capacity) / f64::from(WHOLE) }
    }

    /// Says whether somebody may be waiting for it.
    fn deposit(&self, amount: u32) -> bool {
        let enough = self.inner.settings.retry.load(Relaxed);
        self.inner.tokens.deposit(amount, self.capacity(self.inner.traffic.last_calls()), enough)
    }

    fn capacity(&self, calls: u32) -> u32 {
        let settings = &self.inner.settings;
        let (floor, ceiling) = (settings.floor.load(Relaxed), settings.ceiling.load(Relaxed));
        calls.saturating_mul(settings.earning.load(Relaxed)).max(floor).min(ceiling)
    }

    fn ms(&self, now: Instant) -> u64 {
        let epoch = *self.inner.epoch.get_or_init(|| now);
        now.saturating_duration_since(epoch).as_millis() as u64
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(BudgetSettings::default())
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Budget").field(&self.snapshot()).finish()
    }
}

/// How long no call has begun, in an open loop, that one goes as a probe: those that begin are as good.
const ALONE_MS: u64 = 5_000;
/// How long a call has waited that goes as a probe, so that an outage does not begin with one.
const PROBE_AFTER: Duration = Duration::from_secs(1);

#[cfg(all(test, not(trysail_loom)))]
mod tests;
