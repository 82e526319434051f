use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use crate::token_bucket::MOST;

/// What a [`Budget`](crate::Budget) grants and takes.
///
/// The default grants 0.2 retries for each call and has room for 0.2 of the calls of the last 10 s, at least 3 and at
/// most 36; a retry takes 1, and one that was throttled 0.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetSettings {
    pub(crate) earning: u32,
    pub(crate) floor: u32,
    pub(crate) ceiling: u32,
    pub(crate) retry: u32,
    pub(crate) throttled: u32,
    pub(crate) closed: bool,
}

impl BudgetSettings {
    /// Grants `ratio` retries for each call.
    ///
    /// # Panics
    ///
    /// If `ratio` is negative or not finite.
    pub fn ratio(ratio: f64) -> Self {
        assert!(ratio.is_finite() && ratio >= 0.0, "a ratio of retries is a finite number from 0 on");
        let earning = parts(ratio);
        let ceiling = earning.saturating_mul(CALLS).clamp(3 * WHOLE, MOST);
        Self { earning, floor: 3 * WHOLE, ceiling, retry: WHOLE, throttled: WHOLE / 2, closed: false }
    }

    /// The least room, in retries: what a process with next to no traffic has.
    pub fn floor(self, retries: u32) -> Self {
        let floor = retries.saturating_mul(WHOLE).min(MOST);
        Self { floor, ceiling: self.ceiling.max(floor), ..self }
    }

    /// The most room, in retries, however much traffic there is: 180 times the ratio, unless set.
    pub fn ceiling(self, retries: u32) -> Self {
        let ceiling = retries.saturating_mul(WHOLE).min(MOST);
        Self { ceiling, floor: self.floor.min(ceiling), ..self }
    }

    /// For a closed loop: so many callers at most, each of which ends one call before it begins the next.
    ///
    /// There is room for a retry for each of up to four callers, and for three quarters of more, whatever their traffic, so that no second sees twice as many
    /// requests as there were; and since callers that all wait begin no calls, they probe at once, and the first probe
    /// that succeeds fills the budget. For [`patient`](crate::RetryLayer::patient) callers, who wait for it.
    pub fn closed_loop(self, callers: u32) -> Self {
        let room = callers.saturating_mul(3).div_ceil(4).max(callers.min(4));
        Self { closed: true, ..self.floor(room).ceiling(room) }
    }

    /// What a retry takes, and what one takes that was throttled. Negative costs and those that are no number count as
    /// nothing, and a retry never takes more than there can be room for.
    pub fn costs(self, retry: f64, throttled: f64) -> Self {
        Self { retry: parts(retry), throttled: parts(throttled), ..self }
    }

    /// A cost that there can be room for; where there is no room at all, nothing is ever paid for.
    fn affordable(self, cost: u32) -> u32 {
        if self.ceiling == 0 { cost } else { cost.min(self.ceiling) }
    }
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self::ratio(0.2)
    }
}

/// The settings as calls read them, in ten-thousandths of a retry.
pub(super) struct AtomicSettings {
    pub(super) earning: AtomicU32,
    pub(super) floor: AtomicU32,
    pub(super) ceiling: AtomicU32,
    pub(super) retry: AtomicU32,
    pub(super) throttled: AtomicU32,
    pub(super) closed: AtomicBool,
}

impl AtomicSettings {
    pub(super) fn new(settings: BudgetSettings) -> Self {
        Self {
            earning: settings.earning.into(),
            floor: settings.floor.into(),
            ceiling: settings.ceiling.into(),
            retry: settings.affordable(settings.retry).into(),
            throttled: settings.affordable(settings.throttled).into(),
            closed: settings.closed.into(),
        }
    }

    /// A call that comes meanwhile may see some of the old ones: any mixture is a sound budget.
    pub(super) fn set(&self, settings: BudgetSettings) {
        self.earning.store(settings.earning, Relaxed);
        self.floor.store(settings.floor, Relaxed);
        self.ceiling.store(settings.ceiling, Relaxed);
        self.retry.store(settings.affordable(settings.retry), Relaxed);
        self.throttled.store(settings.affordable(settings.throttled), Relaxed);
        self.closed.store(settings.closed, Relaxed);
    }

    pub(super) fn get(&self) -> BudgetSettings {
        BudgetSettings {
            earning: self.earning.load(Relaxed),
            floor: self.floor.load(Relaxed),
            ceiling: self.ceiling.load(Relaxed),
            retry: self.retry.load(Relaxed),
            throttled: self.throttled.load(Relaxed),
            closed: self.closed.load(Relaxed),
        }
    }
}

fn parts(retries: f64) -> u32 {
    (retries.max(0.0) * f64::from(WHOLE)).round().min(f64::from(MOST)) as u32
}

/// Parts in a retry.
pub(super) const WHOLE: u32 = 10_000;
/// The calls of ten seconds from which on there is no more room.
const CALLS: u32 = 180;
