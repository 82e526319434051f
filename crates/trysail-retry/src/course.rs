use std::{mem, ops::ControlFlow, sync::Arc, time::Duration};

use tokio::time::Instant;
use trysail_core::{Class, Classifier, Replay, Verdict};

use crate::{
    Charge, RetryReport, Stop,
    clock::Deadline,
    policy::{Spent, Step},
    reported,
    service::Shared,
    trace,
};

/// The course of one call, apart from the futures it polls.
pub(crate) struct Course<S, B, C, R, Req, E> {
    shared: Arc<Shared<S, B, C, R>>,
    /// For the attempt after the one in flight; without it, there is none.
    spare: Option<Spare<Req>>,
    /// Set apart, since most calls have none and it would be the largest part of them.
    past: Option<Box<Past<E>>>,
}

struct Spare<Req> {
    request: Req,
    deadline: Deadline,
}

/// What came before the attempt in flight.
struct Past<E> {
    /// What the server said last, if that was an error: a refusal must not hide it.
    error: Option<E>,
    /// The verdict on it.
    verdict: Verdict,
    /// The verdict that the retry at hand is for, and that says what it costs: a refusal of it changes neither.
    due: Verdict,
    spent: Spent,
    /// What the budget has paid for attempts that are over.
    taken: Charge,
    /// A retry that was paid for was refused, and is still to come.
    owed: bool,
    next: Next,
    report: RetryReport,
}

/// How the budget stands to the latest attempt.
#[derive(Clone, Copy)]
enum Next {
    Free,
    /// It could not be paid for yet.
    Unpaid,
    /// It is paid for, and may not have been sent.
    Paid(Charge),
    /// It was waited for; even a refusal does not mean now that nothing was sent.
    Sent(Charge),
}

/// What follows a sleep.
pub(crate) enum Wake<S, E> {
    /// An attempt, on a service that was born unready.
    Attempt(S),
    /// Another sleep.
    Sleep(Instant),
    /// Nothing: the time is up.
    End(E),
}

impl<S, B, C, R, Req, E> Course<S, B, C, R, Req, E> {
    #[inline]
    pub(crate) fn new(spare: Option<Req>, shared: Arc<Shared<S, B, C, R>>) -> Self {
        Self { shared, spare: spare.map(|request| Spare { request, deadline: Deadline::UNASKED }), past: None }
    }

    #[inline]
    fn succeed(&mut self) {
        let taken = match &self.past {
            None => {
                reported::first_attempt();
                Charge::default()
            }
            Some(_) => self.succeed_late(),
        };
        if let Some(budget) = &self.shared.policy.budget {
            budget.succeed(taken);
        }
    }

    /// A retry has succeeded; gives what all of them have taken.
    #[cold]
    fn succeed_late(&mut self) -> Charge {
        if let Some(past) = &self.past {
            // Retries below have told of themselves since.
            reported::publish(&past.report);
        }
        self.settle(false)
    }

    /// An attempt is over; one that was refused at once was not sent. Gives what all attempts have taken.
    fn settle(&mut self, refused: bool) -> Charge {
        let (Some(budget), Some(past)) = (&self.shared.policy.budget, &mut self.past) else { return Charge::default() };
        match mem::replace(&mut past.next, Next::Free) {
            Next::Paid(charge) if refused => {
                budget.give_back(charge);
                past.owed = true;
            }
            Next::Paid(charge) | Next::Sent(charge) => past.taken = past.taken.plus(charge),
            Next::Free | Next::Unpaid => {}
        }
        past.taken
    }
}

impl<S, B, C, R, Req, E> Course<S, B, C, R, Req, E>
where
    S: Clone,
    B: IntoIterator<Item = Duration> + Clone,
    R: Replay<Req>,
{
    /// The attempt in flight has to be waited for.
    #[inline]
    pub(crate) fn pending(&mut self) {
        match &mut self.past {
            None => reported::first_attempt(),
            Some(past) => past.is_sent(),
        }
        if let Some(spare) = &mut self.spare {
            spare.deadline(&self.shared, Instant::now);
        }
    }

    /// Ends the call with `outcome`, or says when to ask again.
    #[inline]
    pub(crate) fn conclude<Res>(&mut self, outcome: Result<Res, E>) -> ControlFlow<Result<Res, E>, Instant>
    where
        C: Classifier<Res, E>,
    {
        let verdict = self.shared.policy.judge.classify(outcome.as_ref());
        if verdict.class() != Class::Success {
            return self.fail(outcome, verdict);
        }
        self.succeed();
        ControlFlow::Break(outcome)
    }

    /// Out of line: a call that succeeds must not pay for the size of this.
    #[cold]
    fn fail<Res>(&mut self, outcome: Result<Res, E>, verdict: Verdict) -> ControlFlow<Result<Res, E>, Instant> {
        let refused = verdict.class() == Class::Refused;
        self.settle(refused);
        let now = Instant::now();
        let left = self.left(now);
        let past = self.past.get_or_insert_with(|| Past::first(verdict));
        past.verdict = verdict;
        if !past.owed {
            past.due = verdict;
        }
        past.report.failed(verdict);
        match self.decide(left, now, outcome.is_err()) {
            Ok(step) => {
                let past = self.past.as_mut().expect("an attempt has failed");
                match outcome {
                    Ok(_) => past.error = None,
                    Err(error) if refused => {
                        past.error.get_or_insert(error);
                    }
                    Err(error) => past.error = Some(error),
                }
                ControlFlow::Continue(past.sleep(step, now))
            }
            Err(stop) => ControlFlow::Break(match self.stop(stop) {
                Some(error) if refused => Err(error),
                _ => outcome,
            }),
        }
    }

    /// The sleep is over.
    pub(crate) fn wake(&mut self) -> Wake<S, E> {
        let past = self.past.as_mut().expect("a sleep follows a failure");
        if let Next::Unpaid = past.next {
            let now = Instant::now();
            if !self.pay(now) {
                let left = self.left(now);
                let past = self.past.as_mut().expect("a sleep follows a failure");
                match self.shared.policy.wait_for_budget(Duration::ZERO, left) {
                    Ok(step) => return Wake::Sleep(past.sleep(step, now)),
                    Err(stop) => {
                        return Wake::End(self.stop(stop).expect("only a call with an error waits for a budget"));
                    }
                }
            }
        }
        Wake::Attempt(self.shared.service())
    }

    /// The service has failed before it could be called, which it does for good: ends the call with what the server
    /// said last, or else with `error`.
    pub(crate) fn unready(&mut self, error: E) -> E {
        self.settle(true);
        self.stop(Stop::Refused).unwrap_or(error)
    }

    /// The request of the next attempt, which begins now.
    pub(crate) fn next_request(&mut self) -> Req {
        let Spare { mut request, deadline } =
            self.spare.take().expect("a retry is decided on only with a copy at hand");
        let past = self.past.as_mut().expect("a retry follows a failure");
        let terms = &self.shared.policy.terms;
        // Even the last retry may be followed by a repetition that costs none.
        self.spare = terms.replay(&request).map(|request| Spare { request, deadline });
        terms.mark(&mut request, past.report.began());
        request
    }

    /// What comes before the next attempt, paid for if that costs; only a call whose last outcome is kept may wait for
    /// the budget.
    fn decide(&mut self, left: Option<Duration>, now: Instant, kept: bool) -> Result<Step, Stop> {
        let past = self.past.as_mut().expect("an attempt has failed");
        let policy = &self.shared.policy;
        let step = policy.decide(past.verdict, &mut past.spent, self.spare.is_some(), left)?;
        if !(step.costs || past.owed) || self.pay(now) {
            return Ok(step);
        }
        if !kept {
            return Err(Stop::Budget);
        }
        let step = self.shared.policy.wait_for_budget(step.delay, left)?;
        self.past.as_mut().expect("an attempt has failed").next = Next::Unpaid;
        Ok(step)
    }

    fn pay(&mut self, now: Instant) -> bool {
        let past = self.past.as_mut().expect("an attempt has failed");
        let Some(budget) = &self.shared.policy.budget else { return true };
        let charge = budget.withdraw(past.due, now);
        if let Some(charge) = charge {
            (past.next, past.owed) = (Next::Paid(charge), false);
        }
        charge.is_some()
    }

    /// Ends the call; gives what the server said last, unless that is the outcome itself.
    fn stop(&mut self, stop: Stop) -> Option<E> {
        let past = self.past.as_mut()?;
        trace::give_up(&past.report, past.verdict, stop);
        past.report.stopped(stop);
        past.error.take()
    }

    fn left(&mut self, now: Instant) -> Option<Duration> {
        let deadline = self.spare.as_mut()?.deadline(&self.shared, || now);
        self.shared.clock.left(deadline, now)
    }
}

impl<Req> Spare<Req> {
    /// When the call must be over; its time counts from when this is first asked.
    #[inline]
    fn deadline<S, B, C, R>(&mut self, shared: &Shared<S, B, C, R>, now: impl FnOnce() -> Instant) -> Deadline
    where
        R: Replay<Req>,
    {
        if self.deadline == Deadline::UNASKED {
            let left = shared.policy.terms.left(&self.request);
            self.deadline = left.map_or(Deadline::NEVER, |left| shared.clock.deadline(left, now()));
        }
        self.deadline
    }
}

/// What was paid for and not sent goes back; what is in flight has been sent.
impl<S, B, C, R, Req, E> Drop for Course<S, B, C, R, Req, E> {
    #[inline]
    fn drop(&mut self) {
        if let Some(past) = &self.past
            && let Next::Paid(charge) = past.next
            && let Some(budget) = &self.shared.policy.budget
        {
            budget.give_back(charge);
        }
    }
}

impl<E> Past<E> {
    fn first(verdict: Verdict) -> Box<Self> {
        Box::new(Self {
            error: None,
            verdict,
            due: verdict,
            spent: Spent::default(),
            taken: Charge::default(),
            owed: false,
            next: Next::Free,
            report: RetryReport::FIRST,
        })
    }

    /// The attempt in flight has been waited for.
    fn is_sent(&mut self) {
        if let Next::Paid(charge) = self.next {
            self.next = Next::Sent(charge);
        }
    }

    fn sleep(&mut self, step: Step, now: Instant) -> Instant {
        trace::retry(&self.report, self.verdict, step);
        let until = now.checked_add(step.delay).unwrap_or_else(|| now + FAR);
        self.report.sleeps(self.verdict, step.what, step.delay, until);
        until
    }
}

/// Stands for a time beyond the clock.
const FAR: Duration = Duration::from_secs(86_400 * 365);
