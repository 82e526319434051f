use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower_service::Service;
use trysail_core::{Classifier, FromElapsed, Inherit, Pay, Replay};

use crate::{
    AnyMember, Fit, PerCall, ResponseFuture, Standing,
    call_state::Asked,
    candidate::{Candidate, poll_first_ready},
    members::Members,
    policy::FailoverPolicy,
};

/// A service that asks the next member where one fails; made by [`FailoverLayer`](crate::FailoverLayer).
///
/// It is ready as soon as one of its members is, and asks the first of those in their order.
pub struct Failover<S, F = AnyMember, C = Inherit, P = PerCall> {
    first: S,
    /// The others, while the first is not ready.
    others: Vec<Candidate<S>>,
    /// Which of the others is ready.
    chosen: Option<usize>,
    members: Arc<Members<S, F, C, P>>,
}

impl<S, F, C, P> Failover<S, F, C, P> {
    pub(crate) fn new(first: S, others: Vec<S>, policy: FailoverPolicy<F, C, P>) -> Self
    where
        S: Clone,
    {
        let members = [first.clone()].into_iter().chain(others).collect();
        Self::of(first, Arc::new(Members::new(members, policy)))
    }

    const fn of(first: S, members: Arc<Members<S, F, C, P>>) -> Self {
        Self { first, others: Vec::new(), chosen: None, members }
    }

    /// What is known of each member, in their order.
    pub fn standings(&self) -> Vec<Standing> {
        self.members.trust.iter().map(|member| member.standing()).collect()
    }
}

impl<S, F, C, P, Req> Service<Req> for Failover<S, F, C, P>
where
    S: Service<Req> + Clone,
    S::Error: FromElapsed,
    F: Fit<S, S::Error>,
    C: Classifier<S::Response, S::Error>,
    P: Replay<Req> + Pay,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, F, C, P, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.chosen = None;
        let mut first = None;
        if !self.members.passes_over(0) {
            match self.first.poll_ready(cx) {
                Poll::Ready(Ok(())) => {
                    self.others.clear();
                    return Poll::Ready(Ok(()));
                }
                // Whoever has failed so is not to be asked any more.
                Poll::Ready(Err(error)) => {
                    self.first = self.first.clone();
                    self.members.trust[0].shake();
                    first = Some(Poll::Ready(Err(error)));
                }
                Poll::Pending => first = Some(Poll::Pending),
            }
        }
        if self.others.is_empty() {
            self.others = self.members.candidates(1..self.members.trust.len());
        }
        match (poll_first_ready(&mut self.others, &self.members.trust, cx), first) {
            (Poll::Ready(Ok(at)), first) => {
                // Whoever is not asked gives up the place that it may have in a queue.
                if first.is_some() {
                    self.first = self.first.clone();
                }
                for (_, other) in self.others.iter_mut().enumerate().filter(|(other, _)| *other != at) {
                    other.service = other.service.clone();
                }
                self.chosen = Some(at);
                Poll::Ready(Ok(()))
            }
            (Poll::Ready(Err(_)), Some(Poll::Pending)) | (Poll::Pending, _) => Poll::Pending,
            (Poll::Ready(Err(Some(error))), _) => Poll::Ready(Err(error)),
            (Poll::Ready(Err(None)), Some(first)) => first,
            (Poll::Ready(Err(None)), None) => self.first.poll_ready(cx),
        }
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let members = &self.members;
        let (member, service) = match self.chosen.take().and_then(|at| self.others.get_mut(at)) {
            Some(other) => (other.member, &mut other.service),
            None => (0, &mut self.first),
        };
        let asked = Asked { member, term: members.trust[member].ask(members.policy.recheck, Instant::now) };
        let copy = (members.trust.len() > 1).then(|| members.policy.per_call.replay(&request)).flatten();
        let call = service.call(request);
        self.others.clear();
        ResponseFuture::new(call, asked, copy, Arc::clone(&self.members))
    }
}

/// Clones are born unready.
impl<S: Clone, F, C, P> Clone for Failover<S, F, C, P> {
    fn clone(&self) -> Self {
        Self::of(self.first.clone(), Arc::clone(&self.members))
    }
}

impl<S: fmt::Debug, F: fmt::Debug, C: fmt::Debug, P: fmt::Debug> fmt::Debug for Failover<S, F, C, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failover").field("first", &self.first).field("members", &self.members).finish_non_exhaustive()
    }
}
