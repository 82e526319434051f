use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use crate::policy::Policy;

/// What all clones and calls of a service share; on cache lines of its own, apart from the count of them.
#[repr(align(128))]
pub(crate) struct Shared<S, B, C, R> {
    pub(crate) policy: Policy<B, C, R>,
    /// The service that later attempts are cloned from, made at the first call; `None` if there are none.
    ///
    /// The mutex is there to be `Sync` around a service that is only `Send`; it is held while cloning.
    template: OnceLock<Option<Mutex<S>>>,
}

impl<S, B, C, R> Shared<S, B, C, R> {
    pub(crate) fn new(policy: Policy<B, C, R>) -> Self {
        Self { policy, template: OnceLock::new() }
    }
}

impl<S, B, C, R> Shared<S, B, C, R>
where
    S: Clone,
    B: IntoIterator<Item = Duration> + Clone,
{
    #[inline]
    pub(crate) fn can_retry(&self, inner: &S) -> bool {
        let Some(template) = self.template.get() else { return self.can_retry_first(inner) };
        template.is_some() && self.policy.still_allows_retry()
    }

    #[cold]
    fn can_retry_first(&self, inner: &S) -> bool {
        let kept = self.policy.is_adjustable() || self.policy.allows_retry();
        self.template.get_or_init(|| kept.then(|| Mutex::new(inner.clone())));
        kept && self.policy.still_allows_retry()
    }

    /// A service for one more attempt.
    pub(crate) fn service(&self) -> S {
        let template = self.template.get().and_then(Option::as_ref).expect("a retry follows a call that allowed it");
        template.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
