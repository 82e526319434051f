use std::{sync::Arc, time::Duration};

use trysail_core::{Class, Random, Retry, Verdict};

use crate::{Stop, backoff::spread};

/// Everything a retry asks, and what it was told.
#[derive(Clone, Debug)]
pub(crate) struct Policy<B, C, R> {
    pub(crate) backoff: B,
    pub(crate) judge: C,
    pub(crate) terms: R,
    pub(crate) rules: Rules,
    pub(crate) random: Arc<Random>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) patience: Duration,
    pub(crate) least: Duration,
    pub(crate) wait_while_open: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { patience: Duration::from_secs(120), least: Duration::from_millis(50), wait_while_open: false }
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
    /// Whether a call that has used up `retries` may be repeated at all.
    pub(crate) fn allows_retry(&self, retries: u32) -> bool {
        self.rules.wait_while_open || self.delay(retries).is_some()
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
    ) -> Result<Duration, Stop> {
        let plan = self.plan(verdict, *spent, left.is_some())?;
        if !replayable {
            return Err(Stop::NotReplayable);
        }
        if plan.hint.is_some_and(|hint| hint > self.rules.patience) {
            return Err(Stop::Patience);
        }
        let delay = plan.hint.map_or(plan.delay, |hint| self.stretch(hint.max(plan.delay)));
        if left.is_some_and(|left| delay.saturating_add(self.rules.least) > left) {
            return Err(Stop::Deadline);
        }
        *spent = plan.spent;
        Ok(delay)
    }

    /// What a repetition would cost. Waits that cost nothing are for calls that end at some time.
    fn plan(&self, verdict: Verdict, spent: Spent, ends: bool) -> Result<Plan, Stop> {
        let hint = verdict.retry_after();
        match (verdict.class(), verdict.retry()) {
            (Class::Refused, Retry::No) if self.rules.wait_while_open && ends && hint.is_some() => {
                Ok(Plan { hint, delay: Duration::ZERO, spent })
            }
            (Class::Refused, Retry::No) => Err(Stop::Refused),
            (_, Retry::No) => Err(Stop::Verdict),
            (_, Retry::Unsent) if spent.unsent == 0 => {
                Ok(Plan { hint: None, delay: Duration::ZERO, spent: Spent { unsent: 1, ..spent } })
            }
            (Class::Warming, _) if ends => {
                let whole = WARM_UP[WARM_UP.len().min(spent.warming as usize + 1) - 1];
                let delay = whole / 2 + spread(&self.random, whole / 2);
                Ok(Plan { hint, delay, spent: Spent { warming: spent.warming.saturating_add(1), ..spent } })
            }
            (class, _) => {
                let delay = self.delay(spent.retries).ok_or(Stop::Attempts)?;
                let hint = hint.or((class == Class::Throttled).then_some(THROTTLED));
                Ok(Plan { hint, delay, spent: Spent { retries: spent.retries + 1, ..spent } })
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

struct Plan {
    hint: Option<Duration>,
    delay: Duration,
    spent: Spent,
}

/// The first wait of a throttled caller whom nobody told how long.
const THROTTLED: Duration = Duration::from_secs(1);
/// How long a server that loads its model is left alone.
const WARM_UP: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(5)];
const MOST_JITTER: Duration = Duration::from_secs(5);
