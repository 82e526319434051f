use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;
use tower_service::Service;
use trysail_core::{Classifier, Inherit, Replay, Select};

use crate::{Backoff, Budget, PerRequest, ResponseFuture, policy::Policy, shared::Shared};

/// A service that a retry can clone to ask again: any that is [`Clone`].
#[diagnostic::on_unimplemented(
    message = "the service `{Self}` cannot be cloned, so a retry has nothing to ask again",
    note = "use a service that is `Clone` (`BoxCloneService` instead of `BoxService`), or put tower's `.buffer(…)` below the retry"
)]
pub trait CloneService: Clone {}

#[diagnostic::do_not_recommend]
impl<S: Clone> CloneService for S {}

/// A service that asks again; made by [`RetryLayer`](crate::RetryLayer).
pub struct Retry<S, B = Backoff, C = Inherit, R = PerRequest> {
    inner: S,
    shared: Arc<Shared<S, B, C, R>>,
}

impl<S, B, C, R> Retry<S, B, C, R> {
    pub(crate) fn new(inner: S, policy: Policy<B, C, R>) -> Self {
        Self { inner, shared: Arc::new(Shared::new(policy)) }
    }
}

impl<S, B, C, R, Req> Service<Req> for Retry<S, B, C, R>
where
    S: Service<Req> + CloneService,
    B: IntoIterator<Item = Duration> + Clone,
    C: Classifier<S::Response, S::Error>,
    R: Replay<Req> + Select<Req, Budget>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, C, R, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline(always)]
    fn call(&mut self, mut request: Req) -> Self::Future {
        let per_request = &self.shared.policy.per_request;
        let budget = per_request.select(&request);
        if let Some(budget) = per_request.selected(&budget) {
            budget.begin(Instant::now);
        }
        let copy = self.shared.can_retry(&self.inner).then(|| per_request.replay(&request)).flatten();
        // A mark promises that this retry repeats the request; one that cannot must not silence those below.
        if copy.is_some() {
            per_request.mark(&mut request, 1);
        }
        ResponseFuture::new(self.inner.call(request), copy, budget, Arc::clone(&self.shared))
    }
}

impl<S: Clone, B, C, R> Clone for Retry<S, B, C, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<S: fmt::Debug, B: fmt::Debug, C: fmt::Debug, R: fmt::Debug> fmt::Debug for Retry<S, B, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("inner", &self.inner).field("policy", &self.shared.policy).finish()
    }
}
