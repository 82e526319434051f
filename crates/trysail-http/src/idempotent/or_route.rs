use std::{fmt, time::Duration};

use http::{Method, Request, Uri};
use trysail_core::Replay;

use crate::idempotent::{Idempotent, divertible, is_ours, repeatable};

/// Repeats what [`Idempotent`] does, and what one's own routes allow; made by [`Idempotent::or_route`].
#[derive(Clone, Copy)]
pub struct OrRoute<F> {
    is_pure: F,
}

impl<F> OrRoute<F> {
    pub(super) const fn new(is_pure: F) -> Self {
        Self { is_pure }
    }
}

impl<B, F> Replay<Request<B>> for OrRoute<F>
where
    B: Clone,
    F: Fn(&Method, &Uri) -> bool,
{
    fn replay(&self, request: &Request<B>) -> Option<Request<B>> {
        let allowed = || repeatable(request) || (self.is_pure)(request.method(), request.uri());
        (is_ours(request) && allowed()).then(|| request.clone())
    }

    fn divert(&self, request: &Request<B>) -> Option<Request<B>> {
        divertible(request, (self.is_pure)(request.method(), request.uri())).then(|| request.clone())
    }

    fn mark(&self, request: &mut Request<B>, attempt: u32) {
        Idempotent.mark(request, attempt);
    }

    fn left(&self, request: &Request<B>) -> Option<Duration> {
        Idempotent.left(request)
    }
}

impl<F> fmt::Debug for OrRoute<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrRoute").finish_non_exhaustive()
    }
}
