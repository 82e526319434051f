use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Class, Verdict};

use crate::{
    Budget, RetryReport, RetrySettings, Stop, WaitFor,
    call_charges::CallCharges,
    decider::{Decider, PlannedWait, RetryContext, RetryCounts},
    reported,
    request_copy::RequestCopy,
    trace,
};

/// A call that has failed at least once: what came before the attempt in flight, or before the wait.
pub(crate) struct FailedCall<B, Req, T, E> {
    /// For the attempt after the one in flight; without it, there is none.
    pub(crate) copy: Option<RequestCopy<Req>>,
    /// What the server said last; a refusal takes its place only while it has said nothing. What was before is gone.
    last: Result<T, E>,
    heard: bool,
    /// The verdict on the last outcome, the refusals included.
    verdict: Verdict,
    /// The verdict that the retry at hand is for, and that says what it costs: a refusal of it changes neither.
    due: Verdict,
    /// As they were when the call first failed.
    settings: RetrySettings<B>,
    used: RetryCounts,
    charges: CallCharges,
    report: RetryReport,
}

impl<B, Req, T, E> FailedCall<B, Req, T, E> {
    /// The first attempt has failed.
    pub(crate) fn new(
        copy: Option<RequestCopy<Req>>,
        outcome: Result<T, E>,
        verdict: Verdict,
        settings: RetrySettings<B>,
        budget: Option<Budget>,
    ) -> Self {
        let mut report = RetryReport::FIRST;
        report.failed(verdict);
        Self {
            copy,
            last: outcome,
            heard: verdict.class() != Class::Refused,
            verdict,
            due: verdict,
            settings,
            used: RetryCounts::default(),
            charges: CallCharges::new(budget),
            report,
        }
    }

    /// Another attempt has failed.
    pub(crate) fn fails_again(&mut self, outcome: Result<T, E>, verdict: Verdict) {
        let refused = verdict.class() == Class::Refused;
        if !(refused && self.heard) {
            self.last = outcome;
        }
        self.heard |= !refused;
        self.charges.settle(refused);
        if !self.charges.is_owed() {
            self.due = verdict;
        }
        self.verdict = verdict;
        self.report.failed(verdict);
    }

    /// The attempt in flight has to be waited for.
    pub(crate) fn sent(&mut self) {
        self.charges.sent();
    }

    /// A retry has succeeded.
    #[cold]
    pub(crate) fn succeed(&mut self) {
        // Retries below have told of themselves since.
        reported::publish(&self.report);
        self.charges.succeed();
    }

    /// An attempt begins; gives its number among those that were sent.
    pub(crate) fn begins(&mut self) -> u32 {
        let number = self.report.began();
        reported::publish(&self.report);
        number
    }

    /// Begins a wait; says until when it lasts.
    pub(crate) fn waits(&mut self, step: PlannedWait, now: Instant) -> Instant {
        // A wait for the budget that goes on is told of once.
        if !matches!(self.report.waiting(), Some(before) if before.what() == WaitFor::Budget) {
            trace::retry(&self.report, self.verdict, step);
        }
        let until = now.checked_add(step.delay).unwrap_or_else(|| now + FAR);
        self.report.sleeps(self.verdict, step.what, step.delay, until);
        reported::publish(&self.report);
        until
    }

    /// Ends the call with what the server said last.
    pub(crate) fn ends(mut self, stop: Stop) -> Result<T, E> {
        self.stops(stop);
        self.last
    }

    /// Ends the call whose service has failed before it could be called, which it does for good.
    pub(crate) fn ends_unready(mut self, error: E) -> Result<T, E> {
        self.stops(Stop::Refused);
        if self.heard { self.last } else { Err(error) }
    }

    /// How long an attempt can still wait to begin, out of the time left.
    pub(crate) fn spare(&self, left: Duration) -> Option<Duration> {
        left.saturating_add(TIMER_SLACK).checked_sub(self.settings.least)
    }

    fn stops(&mut self, stop: Stop) {
        trace::give_up(&self.report, self.verdict, stop);
        self.report.stopped(stop);
        reported::publish(&self.report);
    }
}

impl<B, Req, T, E> FailedCall<B, Req, T, E>
where
    B: IntoIterator<Item = Duration> + Clone,
{
    /// What comes before the next attempt, which is paid for if that costs and the budget can.
    pub(crate) fn decide<R>(&mut self, context: RetryContext<'_>, copy: Option<R>) -> Result<(PlannedWait, R), Stop> {
        let decider = Decider { settings: &self.settings, context };
        let (step, copy) = decider.decide(self.verdict, &mut self.used, copy)?;
        if !(step.costs || self.charges.is_owed()) || self.charges.pay(self.due, context.now) {
            return Ok((step, copy));
        }
        Ok((decider.wait_for_budget(self.due, step.delay)?, copy))
    }

    /// What comes after a wait, unless it is the attempt: another wait, if the budget still cannot pay.
    pub(crate) fn wait_on(&mut self, context: RetryContext<'_>) -> Result<Option<PlannedWait>, Stop> {
        if !self.charges.is_unpaid() || self.charges.pay(self.due, context.now) {
            return Ok(None);
        }
        Decider { settings: &self.settings, context }.wait_for_budget(self.due, Duration::ZERO).map(Some)
    }
}

/// By how much a wait that fitted may end late.
const TIMER_SLACK: Duration = Duration::from_millis(2);
/// Stands for a time beyond the clock.
const FAR: Duration = Duration::from_secs(86_400 * 365);
