use std::{ops::ControlFlow, sync::Arc, time::Duration};

use tokio::time::Instant;
use trysail_core::{Class, Classifier, Replay};

use crate::{RetryReport, policy::Spent, reported, service::Shared, trace};

/// The course of one call, apart from the futures it polls.
pub(crate) struct Course<S, B, C, R, Req, E> {
    shared: Arc<Shared<S, B, C, R>>,
    /// For the attempt after the one in flight.
    spare: Option<Req>,
    /// When it must be over; asked for once, when it first matters.
    deadline: Option<Option<Instant>>,
    /// Set apart, since most calls have none and it would be the largest part of them.
    past: Option<Box<Past<E>>>,
}

/// What came before the attempt in flight.
struct Past<E> {
    /// What the server said last, if that was an error: a refusal must not hide it.
    error: Option<E>,
    spent: Spent,
    report: RetryReport,
}

impl<S, B, C, R, Req, E> Course<S, B, C, R, Req, E> {
    pub(crate) const fn new(spare: Option<Req>, shared: Arc<Shared<S, B, C, R>>) -> Self {
        Self { shared, spare, deadline: None, past: None }
    }
}

impl<S, B, C, R, Req, E> Course<S, B, C, R, Req, E>
where
    S: Clone,
    B: IntoIterator<Item = Duration> + Clone,
    R: Replay<Req>,
{
    /// The attempt in flight has to be waited for.
    pub(crate) fn pending(&mut self) {
        if self.deadline.is_none() {
            reported::first_attempt();
            self.deadline();
        }
    }

    /// Ends the call with `outcome`, or says when to ask again.
    pub(crate) fn conclude<Res>(&mut self, outcome: Result<Res, E>) -> ControlFlow<Result<Res, E>, Instant>
    where
        C: Classifier<Res, E>,
    {
        let verdict = self.shared.policy.judge.classify(outcome.as_ref());
        if verdict.class() == Class::Success {
            if self.past.is_none() {
                reported::first_attempt();
            }
            return ControlFlow::Break(outcome);
        }
        let now = Instant::now();
        let left = self.deadline().map(|deadline| deadline.saturating_duration_since(now));
        let past = self.past.get_or_insert_with(Past::first);
        past.report.failed(verdict);
        match self.shared.policy.decide(verdict, &mut past.spent, self.spare.is_some(), left) {
            Ok(delay) => {
                trace::retry(&past.report, verdict, delay);
                match outcome {
                    Ok(_) => past.error = None,
                    Err(_) if verdict.class() == Class::Refused => {}
                    Err(error) => past.error = Some(error),
                }
                let until = now.checked_add(delay).unwrap_or(now + FAR);
                past.report.sleeps(verdict, delay, until);
                ControlFlow::Continue(until)
            }
            Err(stop) => {
                trace::give_up(&past.report, verdict, stop);
                past.report.stopped(stop);
                ControlFlow::Break(match past.error.take() {
                    Some(error) if verdict.class() == Class::Refused => Err(error),
                    _ => outcome,
                })
            }
        }
    }

    /// A service for the next attempt, born unready.
    pub(crate) fn service(&self) -> S {
        self.shared.service()
    }

    /// The request of the next attempt, which begins now.
    pub(crate) fn next_request(&mut self) -> Req {
        let mut request = self.spare.take().expect("a retry is decided on only with a copy at hand");
        let past = self.past.as_mut().expect("a retry follows a failure");
        let policy = &self.shared.policy;
        if policy.allows_retry(past.spent.retries) {
            self.spare = policy.terms.replay(&request);
        }
        policy.terms.mark(&mut request, past.report.began());
        request
    }

    /// When the call must be over; its time counts from when this is first asked.
    fn deadline(&mut self) -> Option<Instant> {
        let (spare, terms) = (&self.spare, &self.shared.policy.terms);
        *self.deadline.get_or_insert_with(|| {
            let left = terms.left(spare.as_ref()?)?;
            Instant::now().checked_add(left)
        })
    }
}

impl<E> Past<E> {
    fn first() -> Box<Self> {
        Box::new(Self { error: None, spent: Spent::default(), report: RetryReport::FIRST })
    }
}

/// Stands for a time beyond the clock.
const FAR: Duration = Duration::from_secs(86_400 * 365);
