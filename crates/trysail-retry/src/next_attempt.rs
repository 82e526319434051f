use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Replay, Verdict};

use crate::{
    Budget, Stop, decider::RetryContext, failed::FailedCall, kept::Kept, request_copy::RequestCopy, shared::Shared,
};

/// What is kept between two attempts of a call.
pub(crate) struct NextAttempt<B, Req, T, E> {
    copy: RequestCopy<Req>,
    failed: Box<FailedCall<B, Req, T, E>>,
}

/// What follows a wait.
pub(crate) enum AfterWait<N, T, E> {
    /// The attempt, once the service is ready for it; until then at most.
    Attempt(N, Option<Instant>),
    /// Another wait.
    Sleep(N, Instant),
    /// Nothing: the time is up.
    End(Result<T, E>),
}

impl<B, Req, T, E> NextAttempt<B, Req, T, E>
where
    B: IntoIterator<Item = Duration> + Clone,
{
    /// After an attempt that has failed; and until when to wait for it. Or else how the call ends.
    ///
    /// Out of line: a call that succeeds must not pay for the size of this.
    #[cold]
    pub(crate) fn after<S, C, R>(
        outcome: Result<T, E>,
        verdict: Verdict,
        kept: Kept<B, Req, T, E>,
        shared: &Shared<S, B, C, R>,
        budget: Option<&Budget>,
    ) -> Result<(Self, Instant), Result<T, E>>
    where
        R: Replay<Req>,
    {
        let mut failed = match kept {
            Kept::First(copy) => {
                let settings = shared.policy.settings.get();
                Box::new(FailedCall::new(copy, outcome, verdict, settings, budget.cloned()))
            }
            Kept::Failed(mut failed) => {
                failed.fails_again(outcome, verdict);
                failed
            }
        };
        let mut copy = failed.copy.take();
        let context = context(shared, copy.as_mut());
        match failed.decide(context, copy) {
            Ok((step, copy)) => {
                let until = failed.waits(step, context.now);
                Ok((Self { copy, failed }, until))
            }
            Err(stop) => Err(failed.ends(stop)),
        }
    }

    /// A wait is over.
    pub(crate) fn wake<S, C, R>(mut self, shared: &Shared<S, B, C, R>) -> AfterWait<Self, T, E>
    where
        R: Replay<Req>,
    {
        let context = context(shared, Some(&mut self.copy));
        match self.failed.wait_on(context) {
            Ok(Some(step)) => {
                let until = self.failed.waits(step, context.now);
                AfterWait::Sleep(self, until)
            }
            Ok(None) => match context.left.map(|left| self.failed.spare(left)) {
                None => AfterWait::Attempt(self, None),
                Some(Some(spare)) => AfterWait::Attempt(self, context.now.checked_add(spare)),
                Some(None) => AfterWait::End(self.end_late()),
            },
            Err(stop) => AfterWait::End(self.failed.ends(stop)),
        }
    }

    /// The service was not ready in time.
    pub(crate) fn end_late(self) -> Result<T, E> {
        self.failed.ends(Stop::Deadline)
    }

    /// The service has failed before it could be called.
    pub(crate) fn end_unready(self, error: E) -> Result<T, E> {
        self.failed.ends_unready(error)
    }

    /// The attempt begins: its request, and what is kept of the call meanwhile.
    pub(crate) fn begin<R>(mut self, replay: &R) -> (Req, Kept<B, Req, T, E>)
    where
        R: Replay<Req>,
    {
        let (mut request, copy) = self.copy.take(replay);
        replay.mark(&mut request, self.failed.begins());
        self.failed.copy = copy;
        (request, Kept::Failed(self.failed))
    }
}

fn context<'a, S, B, C, R, Req>(shared: &'a Shared<S, B, C, R>, copy: Option<&mut RequestCopy<Req>>) -> RetryContext<'a>
where
    R: Replay<Req>,
{
    let (policy, now) = (&shared.policy, Instant::now());
    let whole = copy.as_ref().filter(|_| policy.patient).and_then(|copy| copy.whole(&policy.per_request));
    let left = copy.and_then(|copy| copy.left(&policy.per_request, now));
    RetryContext { now, left, patient: whole, random: &policy.random }
}
