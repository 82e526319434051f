use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Class, Pay, Replay, Verdict};

use crate::{
    call_time::CallTime,
    candidate::Candidate,
    failed::{FailedMembers, may_change, was_sent},
    shared::Shared,
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

    /// What is asked now has been waited for.
    pub(crate) fn sent(&mut self) {
        if let Some(failed) = &mut self.failed {
            failed.charges.sent();
        }
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

    /// How long the member may take that is asked now: its share of what is left, unless it is the last.
    pub(crate) fn share<S, F, C, P>(&mut self, shared: &Shared<S, F, C, P>, now: Instant) -> Option<Duration>
    where
        P: Replay<Req>,
    {
        let copy = self.copy.as_ref()?;
        let left = self.time.left(|| shared.policy.per_call.left(copy), now)?;
        let this = self.asked.member;
        let others = match &self.failed {
            Some(failed) => shared.count(failed.left().filter(|member| *member != this)),
            None => shared.count((0..shared.members.len()).filter(|member| *member != this)),
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
        shared: &Shared<S, F, C, P>,
        outcome: Result<T, E>,
        verdict: Verdict,
        is_misfit: bool,
    ) -> Result<Vec<Candidate<S>>, Result<T, E>>
    where
        S: Clone,
        P: Replay<Req> + Pay<Charge = G>,
    {
        let (now, per_call) = (Instant::now(), &shared.policy.per_call);
        let Asked { member, term } = self.asked;
        if is_misfit {
            trace::misfit(member, verdict);
            shared.members[member].misfits(term, now.checked_add(shared.policy.recheck));
        } else if may_change(verdict) {
            shared.members[member].shake();
        }
        if let Some(failed) = &mut self.failed {
            failed.charges.settle(was_sent(verdict));
        }
        // The request itself is no good.
        if verdict.class() == Class::Permanent && !is_misfit {
            return Err(outcome);
        }
        let failed = self.failed.get_or_insert_with(|| Box::new(FailedMembers::new(shared.members.len())));
        failed.fails(member, outcome, verdict);
        let Some(copy) = &self.copy else { return Err(failed.end()) };
        if self.time.left(|| per_call.left(copy), now) == Some(Duration::ZERO) {
            return Err(failed.end());
        }
        let candidates = shared.candidates(failed.left());
        let free = !was_sent(verdict);
        if candidates.is_empty() || !(free || failed.charges.pay(|| per_call.pay(verdict))) {
            return Err(failed.end());
        }
        trace::failover(member, verdict);
        Ok(candidates)
    }

    /// None of those left will ever be ready, or not in time.
    pub(crate) fn fail_unready(&mut self, broken: Option<(Result<T, E>, Verdict)>) -> Result<T, E> {
        let failed = self.failed.as_mut().expect("whoever is chosen next follows a failure");
        if let Some((outcome, verdict)) = broken {
            failed.keep(outcome, verdict);
        }
        failed.end()
    }

    /// The request for the next member.
    pub(crate) fn begin<S, F, C, P>(&mut self, shared: &Shared<S, F, C, P>, member: usize) -> Req
    where
        P: Replay<Req>,
    {
        self.asked = Asked { member, term: shared.members[member].ask(shared.policy.recheck, Instant::now) };
        let request = self.copy.take().expect("whoever is chosen next has a copy to send");
        let more = self.failed.as_ref().is_some_and(|failed| failed.left().any(|other| other != member));
        self.copy = more.then(|| shared.policy.per_call.replay(&request)).flatten();
        request
    }
}
