use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Class, Pay, Replay, Verdict};

use crate::{
    call_time::CallTime,
    candidate::Candidate,
    failed::{FailedMembers, may_change, was_sent},
    members::Members,
    trace,
    trust::Term,
};

/// The member that is asked, and the term in which it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) member: usize,
    pub(crate) term: Term,
}

/// What a call knows of itself.
pub(crate) struct CallState<Req, T, E, G> {
    pub(crate) asked: Asked,
    /// For the next member; without it, there is none.
    copy: Option<Req>,
    time: CallTime,
    /// Set apart, since most calls do not fail.
    failed: Option<Box<FailedMembers<T, E, G>>>,
}

impl<Req, T, E, G> CallState<Req, T, E, G> {
    pub(crate) const fn new(asked: Asked, copy: Option<Req>) -> Self {
        Self { asked, copy, time: CallTime::Unasked, failed: None }
    }

    /// The call succeeds, and gets back what it has paid.
    pub(crate) fn succeed(&mut self, payer: &impl Pay<Charge = G>) {
        if let Some(failed) = &mut self.failed {
            failed.charges.take_all().for_each(|charge| payer.give_back(charge));
        }
    }

    /// The call ends without an answer, or is dropped.
    pub(crate) fn end(&mut self, payer: &impl Pay<Charge = G>) {
        if let Some(charge) = self.failed.as_mut().and_then(|failed| failed.charges.take_unsent()) {
            payer.give_back(charge);
        }
    }

    /// The member that is asked now has been sent the request, and is waited for: how long it may take.
    ///
    /// That is its share of what is left, unless it is the last.
    pub(crate) fn share<S, F, C, P>(&mut self, members: &Members<S, F, C, P>, now: Instant) -> Option<Duration>
    where
        P: Replay<Req>,
    {
        if let Some(failed) = &mut self.failed {
            failed.charges.sent();
        }
        let copy = self.copy.as_ref()?;
        let left = self.time.left(|| members.policy.per_call.left(copy), now)?;
        let this = self.asked.member;
        let others = match &self.failed {
            Some(failed) => members.count(failed.left().filter(|member| *member != this)),
            None => members.count((0..members.trust.len()).filter(|member| *member != this)),
        };
        (others > 0).then(|| left / (others + 1))
    }

    /// All the time that is left.
    pub(crate) fn left<P: Replay<Req>>(&mut self, per_call: &P, now: Instant) -> Option<Duration> {
        let copy = self.copy.as_ref()?;
        self.time.left(|| per_call.left(copy), now)
    }

    /// The member has failed: who may be asked now, or how the call ends; cheapest reasons first.
    #[cold]
    pub(crate) fn fail<S, F, C, P>(
        &mut self,
        members: &Members<S, F, C, P>,
        outcome: Result<T, E>,
        verdict: Verdict,
        is_misfit: bool,
    ) -> Result<Vec<Candidate<S>>, Result<T, E>>
    where
        S: Clone,
        P: Replay<Req> + Pay<Charge = G>,
    {
        let (now, per_call) = (Instant::now(), &members.policy.per_call);
        let Asked { member, term } = self.asked;
        if is_misfit {
            trace::misfit(member, verdict);
            members.trust[member].misfits(term, now.checked_add(members.policy.recheck));
        } else if may_change(verdict) {
            members.trust[member].shake();
        }
        if let Some(failed) = &mut self.failed {
            failed.charges.settle(was_sent(verdict));
        }
        // The request itself is no good.
        if verdict.class() == Class::Permanent && !is_misfit {
            return Err(outcome);
        }
        let failed = self.failed.get_or_insert_with(|| Box::new(FailedMembers::new(members.trust.len())));
        failed.fails(member, outcome, verdict);
        let Some(copy) = &self.copy else { return Err(failed.end()) };
        if self.time.left(|| per_call.left(copy), now) == Some(Duration::ZERO) {
            return Err(failed.end());
        }
        let candidates = members.candidates(failed.left());
        let free = !was_sent(verdict);
        if candidates.is_empty() || !(free || failed.charges.pay(|| per_call.pay(verdict))) {
            return Err(failed.end());
        }
        trace::failover(member, verdict);
        Ok(candidates)
    }

    /// Another failure, of a member that was not asked.
    pub(crate) fn keep(&mut self, outcome: Result<T, E>, verdict: Verdict) {
        if let Some(failed) = &mut self.failed {
            failed.keep(outcome, verdict);
        }
    }

    /// None of those left will ever be ready, or not in time.
    pub(crate) fn fail_unready(&mut self) -> Result<T, E> {
        self.failed.as_mut().expect("whoever is chosen next follows a failure").end()
    }

    /// The request for the next member.
    pub(crate) fn begin<S, F, C, P>(&mut self, members: &Members<S, F, C, P>, member: usize) -> Req
    where
        P: Replay<Req>,
    {
        self.asked = Asked { member, term: members.trust[member].ask(members.policy.recheck, Instant::now) };
        let request = self.copy.take().expect("whoever is chosen next has a copy to send");
        let more = self.failed.as_ref().is_some_and(|failed| failed.left().any(|other| other != member));
        self.copy = more.then(|| members.policy.per_call.replay(&request)).flatten();
        request
    }
}
