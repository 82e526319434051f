use trysail_core::{Class, Classifier, Replay, Select, Verdict};

use crate::{Budget, Charge, failed::FailedCall, policy::Policy, reported, request_copy::RequestCopy};

/// What is kept of a call while an attempt is in flight.
pub(crate) enum Kept<B, Req, T, E> {
    /// It is the first one, and this for a second; without it, there is none.
    First(Option<RequestCopy<Req>>),
    /// Set apart, since most calls do not fail and it would be the largest part of them.
    Failed(Box<FailedCall<B, Req, T, E>>),
}

impl<B, Req, T, E> Kept<B, Req, T, E> {
    /// The attempt is over; gives the verdict if it has failed.
    #[inline(always)]
    pub(crate) fn settle<C, R>(
        &mut self,
        outcome: &Result<T, E>,
        policy: &Policy<B, C, R>,
        selection: &R::Selection,
    ) -> Option<Verdict>
    where
        C: Classifier<T, E>,
        R: Replay<Req> + Select<Req, Budget>,
    {
        let verdict = policy.judge.classify(outcome.as_ref());
        if verdict.class() != Class::Success {
            return Some(verdict);
        }
        self.succeed(policy.per_request.selected(selection));
        None
    }

    /// The attempt has to be waited for.
    #[inline]
    pub(crate) fn wait<R>(&mut self, replay: &R)
    where
        R: Replay<Req>,
    {
        let copy = match self {
            Self::First(copy) => {
                reported::first_attempt();
                copy
            }
            Self::Failed(failed) => {
                failed.sent();
                &mut failed.copy
            }
        };
        if let Some(copy) = copy {
            copy.begin(replay);
        }
    }

    #[inline]
    fn succeed(&mut self, budget: Option<&Budget>) {
        match self {
            Self::First(_) => {
                reported::first_attempt();
                if let Some(budget) = budget {
                    budget.succeed(Charge::default());
                }
            }
            Self::Failed(failed) => failed.succeed(),
        }
    }
}
