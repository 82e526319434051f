use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Class, Random, Retryable, Verdict};

use crate::{
    RetrySettings, Stop, WaitFor,
    backoff::spread,
    schedule::{stretch, throttled, warm_up},
};

/// What a failed call decides by.
pub(crate) struct Decider<'a, B> {
    pub(crate) settings: &'a RetrySettings<B>,
    pub(crate) context: RetryContext<'a>,
}

/// How often a call has asked again, by what it cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RetryCounts {
    /// Retries that used up one of the backoff's delays.
    pub(crate) retries: u32,
    /// Requests repeated because they were never sent.
    unsent: u32,
    /// Waits for a limit of the server's to refill.
    throttled: u32,
    /// Waits for a server that loads its model.
    warming: u32,
    /// A wait was cut short to fit into the time left.
    cut: bool,
}

/// What comes before the next attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlannedWait {
    pub(crate) delay: Duration,
    pub(crate) what: WaitFor,
    /// Whether the budget has to pay for the attempt.
    pub(crate) costs: bool,
}

/// What a decision depends on, besides what has become of the call.
#[derive(Clone, Copy)]
pub(crate) struct RetryContext<'a> {
    pub(crate) now: Instant,
    /// The time the call has left.
    pub(crate) left: Option<Duration>,
    /// The time that a patient call has in all: it has as much patience.
    pub(crate) patient: Option<Duration>,
    pub(crate) random: &'a Random,
}

impl<B> Decider<'_, B>
where
    B: IntoIterator<Item = Duration> + Clone,
{
    /// After how long a failed attempt is repeated, or why it is not; cheapest reasons first.
    pub(crate) fn decide<R>(
        &self,
        verdict: Verdict,
        used: &mut RetryCounts,
        copy: Option<R>,
    ) -> Result<(PlannedWait, R), Stop> {
        let mut plan = self.plan(verdict, *used)?;
        let copy = copy.ok_or(Stop::NotReplayable)?;
        if plan.asked > self.patience() {
            return Err(Stop::Patience);
        }
        let least = plan.asked.max(plan.own);
        let delay = match plan.jitter {
            WaitJitter::No => least,
            WaitJitter::UpTo(most) => least.saturating_add(spread(self.context.random, most)),
            WaitJitter::Half => stretch(least, self.context.random),
        };
        let delay = match self.context.left.map(|left| left.saturating_sub(self.settings.least)) {
            None => delay,
            Some(most) if delay <= most && self.fits(least) => delay,
            Some(most) => self.cut(&mut plan, least, most)?,
        };
        let costs = plan.used.retries > used.retries || plan.used.throttled > used.throttled;
        *used = plan.used;
        Ok((PlannedWait { delay, what: plan.what, costs }, copy))
    }

    /// How long to wait, at least for `delay`, until the budget is asked again; or why it is not.
    ///
    /// A throttled call waits even if it is not patient: the limit it went over refills by itself.
    pub(crate) fn wait_for_budget(&self, due: Verdict, delay: Duration) -> Result<PlannedWait, Stop> {
        let delay = stretch(BUDGET_WAIT, self.context.random).max(delay);
        let waits = self.context.patient.is_some() || due.class() == Class::Throttled;
        if !waits || self.context.left.is_none() || !self.fits(delay) {
            return Err(Stop::Budget);
        }
        Ok(PlannedWait { delay, what: WaitFor::Budget, costs: true })
    }

    fn patience(&self) -> Duration {
        self.context.patient.unwrap_or_default().max(self.settings.patience)
    }

    /// Whether an attempt after `delay` fits into the time left.
    fn fits(&self, delay: Duration) -> bool {
        self.context.left.is_none_or(|left| delay.saturating_add(self.settings.least) <= left)
    }

    /// A wait that is too long in part: jitter gives way to the deadline, and so does, once, a wait that is only our own
    /// idea; what a server has asked for does not.
    fn cut(&self, plan: &mut Plan, least: Duration, most: Duration) -> Result<Duration, Stop> {
        let left = self.context.left.unwrap_or(Duration::MAX);
        let cut = left.saturating_sub(LAST_CHANCE).max(plan.asked);
        if plan.until_deadline && !plan.used.cut && cut <= most && cut >= plan.first {
            plan.used.cut = true;
            return Ok(cut);
        }
        match plan.jitter {
            WaitJitter::No => Err(Stop::Deadline),
            _ if self.fits(least) => Ok(most),
            _ => Err(Stop::Deadline),
        }
    }

    /// What a repetition would cost. Waits that cost nothing are for calls that end at some time.
    fn plan(&self, verdict: Verdict, used: RetryCounts) -> Result<Plan, Stop> {
        let ends = self.context.left.is_some();
        let hint = verdict.retry_after();
        let asked = hint.unwrap_or_default();
        let hinted = if hint.is_some() { WaitJitter::Half } else { WaitJitter::No };
        let what = if hint.is_some() { WaitFor::Hint } else { WaitFor::Backoff };
        let plan = Plan {
            what,
            asked,
            own: Duration::ZERO,
            first: Duration::ZERO,
            jitter: hinted,
            until_deadline: false,
            used,
        };
        match (verdict.class(), verdict.retry()) {
            (Class::Refused, Retryable::No) if self.context.patient.is_some() && hint.is_some() => {
                Ok(Plan { what: WaitFor::Circuit, jitter: WaitJitter::UpTo(PROBE_SPREAD), ..plan })
            }
            (Class::Refused, Retryable::No) => Err(Stop::Refused),
            (_, Retryable::No) => Err(Stop::Verdict),
            (_, Retryable::Unsent) if used.unsent == 0 => Ok(Plan {
                what: WaitFor::Backoff,
                asked: Duration::ZERO,
                jitter: WaitJitter::No,
                used: RetryCounts { unsent: 1, ..used },
                ..plan
            }),
            (Class::Warming, _) if ends => Ok(Plan {
                what: WaitFor::WarmUp,
                own: warm_up(used.warming, self.context.random),
                first: WARM_UP_FIRST,
                until_deadline: true,
                used: RetryCounts { warming: used.warming.saturating_add(1), ..used },
                ..plan
            }),
            (Class::Throttled, _) => {
                let own = throttled(verdict.window(), used.throttled);
                // Who must wait for the better part of a day is not kept waiting.
                if own > self.patience() {
                    return Err(Stop::Patience);
                }
                let mut after = RetryCounts { throttled: used.throttled.saturating_add(1), ..used };
                if !ends {
                    self.settings.delay(used.retries).ok_or(Stop::Attempts)?;
                    after.retries += 1;
                }
                let first = throttled(verdict.window(), 0);
                Ok(Plan { own, first, jitter: WaitJitter::Half, until_deadline: ends, used: after, ..plan })
            }
            _ => {
                let own = self.settings.delay(used.retries).ok_or(Stop::Attempts)?;
                Ok(Plan { own, used: RetryCounts { retries: used.retries + 1, ..used }, ..plan })
            }
        }
    }
}

struct Plan {
    what: WaitFor,
    /// By the server, or by an open circuit.
    asked: Duration,
    /// What this side thinks right.
    own: Duration,
    /// The shortest that a wait of our own is worth.
    first: Duration,
    jitter: WaitJitter,
    /// Such waits go on for as long as there is time.
    until_deadline: bool,
    used: RetryCounts,
}

/// How much longer than its least a wait may be.
enum WaitJitter {
    No,
    UpTo(Duration),
    /// As [`stretch`] does.
    Half,
}

/// How soon a budget that could not pay is asked again.
const BUDGET_WAIT: Duration = Duration::from_millis(250);
/// Over how long callers spread that wait for the same circuit: it lets one of them probe anyway.
const PROBE_SPREAD: Duration = Duration::from_secs(1);
/// How long before its deadline a call asks for the last time whose next wait would be longer than that.
const LAST_CHANCE: Duration = Duration::from_secs(2);
const WARM_UP_FIRST: Duration = Duration::from_secs(1);
