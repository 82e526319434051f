use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;
use tower_service::Service;
use trysail_core::{Classifier, Inherit, Replay};

use crate::{Backoff, ResponseFuture, Terms, clock::Clock, course::Course, policy::Policy};

/// A service that asks again; made by [`RetryLayer`](crate::RetryLayer).
pub struct Retry<S, B = Backoff, C = Inherit, R = Terms> {
    inner: S,
    shared: Arc<Shared<S, B, C, R>>,
}

/// What all clones and calls of a service share; on cache lines of its own, apart from the count of them.
#[repr(align(128))]
pub(crate) struct Shared<S, B, C, R> {
    pub(crate) policy: Policy<B, C, R>,
    pub(crate) clock: Clock,
    /// The service that later attempts are cloned from, made at the first call; `None` if there are none.
    ///
    /// The mutex is there to be `Sync` around a service that is only `Send`; it is held while cloning.
    template: OnceLock<Option<Mutex<S>>>,
}

impl<S, B, C, R> Retry<S, B, C, R> {
    pub(crate) fn new(inner: S, policy: Policy<B, C, R>) -> Self {
        Self { inner, shared: Arc::new(Shared { policy, clock: Clock::default(), template: OnceLock::new() }) }
    }
}

impl<S, B, C, R, Req> Service<Req> for Retry<S, B, C, R>
where
    S: Service<Req> + Clone,
    B: IntoIterator<Item = Duration> + Clone,
    C: Classifier<S::Response, S::Error>,
    R: Replay<Req>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, C, R, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Req) -> Self::Future {
        if let Some(budget) = &self.shared.policy.budget {
            budget.begin(Instant::now);
        }
        let spare = self.shared.can_retry(&self.inner).then(|| self.shared.policy.terms.replay(&request)).flatten();
        // A mark promises that this retry repeats the request; one that cannot must not silence those below.
        if spare.is_some() {
            self.shared.policy.terms.mark(&mut request, 1);
        }
        let course = Course::new(spare, Arc::clone(&self.shared));
        ResponseFuture::new(self.inner.call(request), course)
    }
}

impl<S, B, C, R> Shared<S, B, C, R>
where
    S: Clone,
    B: IntoIterator<Item = Duration> + Clone,
{
    fn can_retry(&self, inner: &S) -> bool {
        self.template.get_or_init(|| self.policy.allows_retry().then(|| Mutex::new(inner.clone()))).is_some()
    }

    /// A service for one more attempt.
    pub(crate) fn service(&self) -> S {
        let template = self.template.get().and_then(Option::as_ref).expect("a retry follows a call that allowed it");
        template.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
