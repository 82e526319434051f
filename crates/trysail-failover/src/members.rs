use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;

use crate::{candidate::Candidate, policy::FailoverPolicy, trust::Trust};

/// What all clones and calls of a service share.
pub(crate) struct Members<S, F, C, P> {
    pub(crate) policy: FailoverPolicy<F, C, P>,
    pub(crate) trust: Vec<Trust>,
    /// One of each, to be cloned when it is needed.
    ///
    /// The mutex is there to be `Sync` around a service that is only `Send`; it is held while cloning.
    templates: Mutex<Vec<S>>,
}

impl<S, F, C, P> Members<S, F, C, P> {
    pub(crate) fn new(services: Vec<S>, policy: FailoverPolicy<F, C, P>) -> Self {
        Self { policy, trust: services.iter().map(|_| Trust::new()).collect(), templates: Mutex::new(services) }
    }

    /// Whether `member` is passed over, since it does not fit; not if that is true of all of them.
    pub(crate) fn passes_over(&self, member: usize) -> bool {
        let is_misfit = |trust: &Trust| trust.is_passed_over(Instant::now);
        is_misfit(&self.trust[member]) && !self.trust.iter().all(is_misfit)
    }

    /// How many of `members` may be asked.
    pub(crate) fn count(&self, members: impl Iterator<Item = usize>) -> u32 {
        members.filter(|member| !self.passes_over(*member)).count() as u32
    }
}

impl<S: Clone, F, C, P> Members<S, F, C, P> {
    /// A service for `member`.
    pub(crate) fn service(&self, member: usize) -> S {
        self.templates.lock().unwrap_or_else(PoisonError::into_inner)[member].clone()
    }

    /// Those of `members` that may be asked.
    pub(crate) fn candidates(&self, members: impl Iterator<Item = usize>) -> Vec<Candidate<S>> {
        let askable = members.filter(|member| !self.passes_over(*member));
        askable.map(|member| Candidate { member, service: self.service(member) }).collect()
    }
}

impl<S, F: fmt::Debug, C: fmt::Debug, P: fmt::Debug> fmt::Debug for Members<S, F, C, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("policy", &self.policy).field("trust", &self.trust).finish_non_exhaustive()
    }
}
