use std::time::Duration;

use trysail_core::{Class, Retryable, Verdict};

use crate::charges::Charges;

/// What is kept of a call once a member has failed it.
pub(crate) struct FailedMembers<T, E, G> {
    asked: Vec<bool>,
    /// As what the call fails, if nobody answers.
    kept: Option<(Verdict, Result<T, E>)>,
    pub(crate) charges: Charges<G>,
}

impl<T, E, G> FailedMembers<T, E, G> {
    pub(crate) fn new(members: usize) -> Self {
        Self { asked: vec![false; members], kept: None, charges: Charges::new() }
    }

    /// `member` has failed.
    pub(crate) fn fails(&mut self, member: usize, outcome: Result<T, E>, verdict: Verdict) {
        self.asked[member] = true;
        self.keep(outcome, verdict);
    }

    /// Of all failures the one is kept that is the soonest to be asked again.
    pub(crate) fn keep(&mut self, outcome: Result<T, E>, verdict: Verdict) {
        if self.kept.as_ref().is_none_or(|(kept, _)| wait(verdict) <= wait(*kept)) {
            self.kept = Some((verdict, outcome));
        }
    }

    /// Who has not been asked yet.
    pub(crate) fn left(&self) -> impl Iterator<Item = usize> {
        self.asked.iter().enumerate().filter(|(_, asked)| !**asked).map(|(member, _)| member)
    }

    pub(crate) fn end(&mut self) -> Result<T, E> {
        self.kept.take().expect("a call ends once, after a failure").1
    }
}

/// Whether the server has seen the request.
pub(crate) fn was_sent(verdict: Verdict) -> bool {
    verdict.class() != Class::Refused && verdict.retry() != Retryable::Unsent
}

/// Whether who failed so may be another when it comes back: not after an answer that shows it at work.
pub(crate) fn may_change(verdict: Verdict) -> bool {
    !matches!(
        verdict.class(),
        Class::Success | Class::Throttled | Class::QuotaExhausted | Class::Auth | Class::Permanent
    )
}

/// Whether a failure to fit says that the member does not, and never will.
pub(crate) fn is_misfit(verdict: Verdict) -> bool {
    matches!((verdict.class(), verdict.retry()), (Class::Permanent, _) | (Class::Malformed, Retryable::No))
}

/// How soon whoever failed so can be asked again: what may pass first, then what refuses for a while, then all else.
fn wait(verdict: Verdict) -> (u8, Duration) {
    let order = match (verdict.retry(), verdict.class()) {
        (Retryable::Yes | Retryable::Unsent, _) => 0,
        (Retryable::No, Class::Refused) if verdict.retry_after().is_some() => 1,
        (Retryable::No, _) => 2,
    };
    (order, verdict.retry_after().unwrap_or_default())
}
