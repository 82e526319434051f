use std::{sync::Arc, time::Duration};

use trysail_core::{Class, Random, Retry, Verdict};

use crate::{Budget, Stop, WaitFor, backoff::spread};

/// Everything a retry asks, and what it was told.
#[derive(Clone, Debug)]
pub(crate) struct Policy<B, C, R> {
    pub(crate) backoff: B,
    pub(crate) judge: C,
    pub(crate) terms: R,
    pub(crate) rules: Rules,
    pub(crate) budget: Option<Budget>,
    pub(crate) random: Arc<Random>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) patience: Duration,
    pub(crate) least: Duration,
    /// Whether to wait for a circuit or a budget, instead of failing.
    pub(crate) waits: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { patience: Duration::from_secs(120), least: Duration::from_millis(50), waits: false }
    }
}

/// How often a call has asked again, by what it cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Retries that used up one of the backoff's delays.
    pub(crate) retries: u32,
    /// Requests repeated because they were never sent.
    unsent: u32,
    /// Waits for a server that loads its model.
    warming: u32,
}

impl<B, C, R> Policy<B, C, R>
where
    B: IntoIterator<Item = Duration> + Clone,
{
    /// Whether a call may be repeated at all.
    pub(crate) fn allows_retry(&self) -> bool {
        self.rules.waits || self.delay(0).is_some()
    }

    /// After how long a failed attempt is repeated, or why it is not. `left` is the time the call has left.
    ///
    /// Cheapest reasons first.
    pub(crate) fn decide(
        &self,
        verdict: Verdict,
        spent: &mut Spent,
        replayable: bool,
        left: Option<Duration>,
    ) -> Result<Step, Stop> {
        let plan = self.plan(verdict, *spent, left.is_some())?;
        if !replayable {
            return Err(Stop::NotReplayable);
        }
        if plan.hint.is_some_and(|hint| hint > self.rules.patience) {
            return Err(Stop::Patience);
        }
        let least = plan.hint.map_or(plan.delay, |hint| hint.max(plan.delay));
        if self.misses(least, left) {
            return Err(Stop::Deadline);
        }
        let delay = match plan.hint {
            // Spread no further than there is time, or a hint that fits would be lost to its own jitter.
            Some(_) => self.stretch(least).min(left.map_or(Duration::MAX, |left| left - self.rules.least)),
            None => least,
        };
        let costs = plan.spent.retries > spent.retries;
        *spent = plan.spent;
        Ok(Step { delay, what: plan.what, costs })
    }

    /// How long to wait, at least for `delay`, until the budget is asked again; or why it is not.
    pub(crate) fn wait_for_budget(&self, delay: Duration, left: Option<Duration>) -> Result<Step, Stop> {
        let delay = self.stretch(BUDGET_WAIT).max(delay);
        if !self.rules.waits || left.is_none() || self.misses(delay, left) {
            return Err(Stop::Budget);
        }
        Ok(Step { delay, what: WaitFor::Budget, costs: true })
    }

    /// Whether an attempt after `delay` does not fit into the time left.
    fn misses(&self, delay: Duration, left: Option<Duration>) -> bool {
        left.is_some_and(|left| delay.saturating_add(self.rules.least) > left)
    }

    /// What a repetition would cost. Waits that cost nothing are for calls that end at some time.
    fn plan(&self, verdict: Verdict, spent: Spent, ends: bool) -> Result<Plan, Stop> {
        let hint = verdict.retry_after();
        match (verdict.class(), verdict.retry()) {
            (Class::Refused, Retry::No) if self.rules.waits && ends && hint.is_some() => {
                Ok(Plan { what: WaitFor::Circuit, hint, delay: Duration::ZERO, spent })
            }
            (Class::Refused, Retry::No) => Err(Stop::Refused),
            (_, Retry::No) => Err(Stop::Verdict),
            (_, Retry::Unsent) if spent.unsent == 0 => Ok(Plan {
                what: WaitFor::Backoff,
                hint: None,
                delay: Duration::ZERO,
                spent: Spent { unsent: 1, ..spent },
            }),
            (Class::Warming, _) if ends => {
                let whole = WARM_UP[WARM_UP.len().min(spent.warming as usize + 1) - 1];
                let delay = whole / 2 + spread(&self.random, whole / 2);
                let spent = Spent { warming: spent.warming.saturating_add(1), ..spent };
                Ok(Plan { what: WaitFor::WarmUp, hint, delay, spent })
            }
            (class, _) => {
                let delay = self.delay(spent.retries).ok_or(Stop::Attempts)?;
                let what = if hint.is_some() { WaitFor::Hint } else { WaitFor::Backoff };
                let hint = hint.or((class == Class::Throttled).then_some(THROTTLED));
                Ok(Plan { what, hint, delay, spent: Spent { retries: spent.retries + 1, ..spent } })
            }
        }
    }

    fn delay(&self, retry: u32) -> Option<Duration> {
        self.backoff.clone().into_iter().nth(retry as usize)
    }

    /// Never below what was asked for, and up to half more.
    fn stretch(&self, asked: Duration) -> Duration {
        asked.saturating_add(spread(&self.random, (asked / 2).min(MOST_JITTER)))
    }
}

/// What comes before the next attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) delay: Duration,
    pub(crate) what: WaitFor,
    /// Whether the budget has to pay for the attempt.
    pub(crate) costs: bool,
}

struct Plan {
    what: WaitFor,
    hint: Option<Duration>,
    delay: Duration,
    spent: Spent,
}

/// The first wait of a throttled caller whom nobody told how long.
const THROTTLED: Duration = Duration::from_secs(1);
/// How long a server that loads its model is left alone.
const WARM_UP: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(5)];
/// How soon a budget that could not pay is asked again.
const BUDGET_WAIT: Duration = Duration::from_millis(500);
const MOST_JITTER: Duration = Duration::from_secs(5);
