use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{EmbedError, EmbedRequest, EmbedResponse, Fingerprint, batches::oneshot::Oneshot};

pin_project! {
    /// Finds out whether a server is of a family; made by [`Fingerprint::check`].
    pub struct FamilyCheck<S>
    where
        S: Service<EmbedRequest>,
    {
        #[pin]
        call: Oneshot<S>,
        fingerprint: Fingerprint,
    }
}

impl<S> FamilyCheck<S>
where
    S: Service<EmbedRequest>,
{
    pub(super) const fn new(service: S, request: EmbedRequest, fingerprint: Fingerprint) -> Self {
        Self { call: Oneshot::new(service, request), fingerprint }
    }
}

impl<S> Future for FamilyCheck<S>
where
    S: Service<EmbedRequest, Response = EmbedResponse, Error: From<EmbedError>>,
{
    type Output = Result<(), S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.call.poll(cx))?;
        Poll::Ready(this.fingerprint.compare(&answer).map_err(S::Error::from))
    }
}

impl<S> fmt::Debug for FamilyCheck<S>
where
    S: Service<EmbedRequest>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FamilyCheck").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}
